// Which metrics keep their points: DecodeOptions::gauges, ready to be asked once a metric.
//
// A metric is known in OpenTelemetry's spelling and in Prometheus' (correlate/metric_pattern.h), so
// the pattern container.cpu.* keeps container_cpu_usage_seconds_total too. For a metric that does
// not match, the answer is nearly always one load: no pattern begins with its first byte.
#pragma once

#include <bitset>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/metric_pattern.h"

namespace throughline::exemplars {

class GaugeFilter {
 public:
  // Views `patterns`. What is no pattern keeps nothing: the configuration refuses it.
  explicit GaugeFilter(std::span<const std::string> patterns);

  bool Keeps(std::string_view metric) const {
    return !metric.empty() && first_bytes_[MetricPattern::Folded(metric.front())] &&
           MatchesAny(metric);
  }

 private:
  bool MatchesAny(std::string_view metric) const;

  std::bitset<256> first_bytes_;  // Of the names that some pattern may match.
  std::vector<MetricPattern> patterns_;
};

}  // namespace throughline::exemplars
