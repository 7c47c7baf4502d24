// Series and exemplars as strings, and what must become of them, said independently of the
// decoders: what the oracles of Prometheus' formats share. A difference stops the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "correlate/batch.h"

namespace throughline::oracle {

using PlainLabels = std::vector<std::pair<std::string, std::string>>;

struct PlainExemplar {
  PlainLabels labels;
  bool broken = false;  // Refused before its labels are looked at.
  double value = 0;
  std::uint64_t time_unix_ns = 0;
  std::optional<double> bound;  // Of its bucket, where the series does not say.
};

struct PlainPoint {
  double value = 0;
  std::uint64_t time_unix_ns = 0;
};

struct PlainSeries {
  PlainLabels labels;
  bool broken = false;
  MetricType type = MetricType::kUnknown;
  std::string unit;
  std::vector<PlainExemplar> exemplars;
  std::vector<PlainPoint> points;
};

// What the decoders are told: unlinked exemplars are kept, so that all can be compared, and of the
// gauges some.
DecodeOptions PlainOptions();

// Goes through the exemplars and gauge points of a batch in step with the plain ones.
class PlainCheck {
 public:
  explicit PlainCheck(const Batch& batch) : batch_(batch) {}

  // True: the series is taken whole, and what it has is next in the batch.
  bool Take(const PlainSeries& series);
  // All of the batch was taken, and the counts are right.
  void End(const Decoded& decoded, std::size_t gauge_points) const;

 private:
  void TakePoints(const PlainSeries& series);
  bool TakeExemplar(const PlainSeries& series, const PlainExemplar& wanted);

  const Batch& batch_;
  std::size_t received_ = 0;
  std::size_t kept_ = 0;
  std::size_t points_ = 0;
  std::size_t accepted_ = 0;
};

}  // namespace throughline::oracle
