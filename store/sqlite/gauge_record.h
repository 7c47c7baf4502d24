// The gauge points of one request as one record, and their series (format.md).
//
// Of a point stand there the id of its series, its time and its value: about 12 bytes. Everything
// else that it says is its series', which is a string of the dictionary, so there once. Identities
// are not kept: each follows from the hash of the series and the time (correlate/identity.h).
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "correlate/batch.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/record.h"
#include "store/sqlite/record_bytes.h"

namespace throughline::store::sqlite {

// The format of a row that has such a record; without one it is 1.
inline constexpr std::int64_t kFormatWithGauges = 2;

inline constexpr std::size_t kGaugeFixedBytes = 32;
inline constexpr std::size_t kGaugePointBytes = 28;  // At most: two varints and a value.
inline constexpr std::size_t kLeastGaugePointBytes = 10;

// A series by the ids of dictionary strings: its own, its metric, the service that it states.
struct GaugeSeries {
  std::uint32_t id = kNotInterned;
  std::uint32_t metric = kNotInterned;
  std::uint32_t service = kNotInterned;
};

// A point as it is stored.
struct StoredGauge {
  std::uint32_t series = kNotInterned;
  std::uint64_t time_unix_ns = 0;
  double value = 0;
};

// A record in place.
class GaugeRecordView {
 public:
  explicit GaugeRecordView(const char* at) : at_(at) {}

  std::uint32_t size() const { return Load<std::uint32_t>(0); }
  std::uint32_t count() const { return Load<std::uint32_t>(12); }
  // As sent, of all points.
  std::uint64_t earliest_unix_ns() const { return Load<std::uint64_t>(16); }
  std::uint64_t latest_unix_ns() const { return Load<std::uint64_t>(24); }
  // The point that stands at `at`, of a record or of one piece of it.
  StoredGauge PointAt(const char* at) const {
    Cursor cursor(at, at_ + size());
    return Read(cursor);
  }

  // Calls `visit(point, its place)` for the points from the first on, until it says false.
  template <typename Visit>
  void EachPoint(Visit visit) const {
    Cursor cursor(at_ + kGaugeFixedBytes, at_ + size());
    for (std::uint32_t left = count(); left > 0 && !cursor.done(); --left) {
      const char* const place = cursor.at();
      if (!visit(Read(cursor), place)) return;
    }
  }

 private:
  template <typename T>
  T Load(std::size_t offset) const {
    T value;
    std::memcpy(&value, at_ + offset, sizeof value);
    return value;
  }
  StoredGauge Read(Cursor& cursor) const {
    StoredGauge point;
    point.series = cursor.StringId();
    point.time_unix_ns = earliest_unix_ns() + cursor.Varint();
    point.value = cursor.Fixed<double>();
    return point;
  }

  const char* at_;
};

// Writes one record at `to`, which has room for its points.
class GaugeRecordWriter {
 public:
  GaugeRecordWriter(std::uint64_t earliest_unix_ns, std::uint64_t latest_unix_ns, char* to);
  void Add(const StoredGauge& point);
  // The size of the record.
  std::size_t Finish();

 private:
  char* begin_;
  char* at_;
  std::uint64_t earliest_unix_ns_;
  std::uint32_t count_ = 0;
};

// The series of a point of the writer's batch, interned.
GaugeSeries InternSeries(const GaugePoint& point, std::uint64_t seed, RecordWriter& writer);
// Upper bound of the string of a series.
std::size_t SeriesBound(const GaugePoint& point, const Batch& batch);

// The hash of a series, from its string; and the series, by its id.
std::uint64_t SeriesHash(std::string_view series);
GaugeSeries SeriesOf(std::uint32_t id, const Dictionary& dictionary);

// Reads points of one snapshot into batch.gauges. Points of one series share their labels there.
class GaugeReader {
 public:
  GaugeReader(const Dictionary& dictionary, std::uint64_t seed, Batch& batch)
      : dictionary_(dictionary), seed_(seed), batch_(batch), records_(dictionary, batch) {}

  void Read(const StoredGauge& point, std::uint64_t arrival_unix_ns);

 private:
  GaugePoint SeriesAsPoint(std::uint32_t id);

  const Dictionary& dictionary_;
  const std::uint64_t seed_;
  Batch& batch_;
  RecordReader records_;
  struct Known {
    std::uint64_t hash = 0;
    GaugePoint point;  // All but time, value and what follows from them.
  };
  std::unordered_map<std::uint32_t, Known> series_;
};

}  // namespace throughline::store::sqlite
