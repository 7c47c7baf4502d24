// The gauge points of a segment.
#include <algorithm>

#include "correlate/identity.h"
#include "store/segment/gauge_part.h"
#include "store/segment/segment_open.h"
#include "store/sqlite/batch_parts.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::segment {
namespace {

// The series of a row (store/sqlite/format.md, with the segment's strings) as a point of a batch.
class SeriesReader {
 public:
  SeriesReader(Strings& strings, Batch& to)
      : strings_(strings), to_(to), parts_(to, strings.hash_seed()) {}

  GaugePoint Read(std::string_view series, std::uint64_t& hash) {
    Cursor cursor(series);
    hash = cursor.Fixed<std::uint64_t>();
    const auto flags = static_cast<unsigned char>(cursor.Fixed<char>());
    GaugePoint point;
    point.metric_type = static_cast<MetricType>(flags & 15U);
    point.metric = Text(cursor.Varint());
    point.unit = Text(cursor.Varint());
    if (!(flags & sqlite::kNoResource)) {
      const std::uint64_t resource = cursor.Varint();
      const std::uint64_t service = cursor.Varint();
      point.resource =
          parts_.ResourceOf((resource << 32U) | service, [&] { return Text(resource); },
                            [&] { return Text(service); });
      point.service = to_.resources[point.resource].service;
    }
    point.labels.begin = static_cast<std::uint32_t>(to_.attributes.size());
    for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
      const std::uint64_t string = cursor.Varint();
      const Attribute label =
          parts_.Over(string == 0 ? to_.arena.Copy(cursor.Bytes()) : Text(string));
      if (label.data == nullptr) continue;
      to_.attributes.push_back(label);
      ++point.labels.count;
    }
    if (flags & sqlite::kSeriesOwnService) point.service = Text(cursor.Varint());
    return point;
  }

 private:
  std::string_view Text(std::uint64_t string) {
    if (string == 0) return {};
    return to_.arena.Copy(strings_.Text(static_cast<std::uint32_t>(string - 1)));
  }
  Strings& strings_;
  Batch& to_;
  sqlite::BatchParts parts_;
};

}  // namespace

Result<void> Segment::EachGauge(
    std::uint32_t tenant, TimeRange time,
    const std::function<bool(std::string_view metric, std::string_view service)>& wanted,
    const std::function<bool(Batch& points)>& visit) const {
  if (info_.gauges == 0 || Expired(sqlite::RecordKind::kGauges)) return {};
  struct Part {
    std::string series;
    std::string data;
  };
  std::vector<Part> parts;
  TL_TRY_ASSIGN(const Index* const index, GetIndex());
  {
    pool_->Touch(*this);
    const std::lock_guard<std::mutex> lock(mutex_);
    TL_TRY_ASSIGN(Open* const open, GetOpen());
    TL_TRY_ASSIGN(auto all, open->db.Prepare("SELECT s.metric, s.service, s.data, g.data FROM"
                                             " series AS s JOIN gauge AS g ON g.series = s.id WHERE"
                                             " s.tenant = ?1 AND g.first_ns <= ?2 AND g.last_ns >="
                                             " ?3 ORDER BY s.id, g.part"));
    constexpr std::uint64_t kLatest = INT64_MAX;
    auto row = all.Use(std::int64_t{tenant},
                       static_cast<std::int64_t>(std::min(time.end_unix_ns, kLatest)),
                       static_cast<std::int64_t>(std::min(time.start_unix_ns, kLatest)));
    while (row.Next()) {
      if (!wanted(row.Text(0), row.Text(1))) continue;
      parts.push_back({std::string(row.Bytes(2)), std::string(row.Bytes(3))});
    }
    TL_TRY(row.Finish());
  }
  Lookup lookup(*this, *index);
  for (const Part& part : parts) {
    Batch points;
    std::uint64_t hash = 0;
    const GaugePoint series = SeriesReader(lookup, points).Read(part.series, hash);
    if (lookup.TakeDamage()) return DamagedPart(path_, "a row of strings");
    TL_TRY_ASSIGN(const auto entries, ReadGaugePart(part.data));
    for (const GaugeEntry& entry : entries) {
      if (!time.Contains(entry.EffectiveUnixNs())) continue;
      GaugePoint point = series;
      point.time_unix_ns = entry.time_unix_ns;
      point.arrival_unix_ns = entry.arrival_unix_ns;
      point.value = entry.value;
      point.identity = GaugeIdentityOf(hash, entry.time_unix_ns, index->seed);
      points.gauges.push_back(point);
    }
    if (!visit(points)) break;
  }
  return {};
}

}  // namespace throughline::store::segment
