// Names of metrics in the two spellings that senders use, and patterns over them.
//
// OpenTelemetry writes container.cpu.usage, Prometheus container_cpu_usage (which is behind the
// names of cAdvisor and of every exporter). Here both are one name: '.', '-' and '/' count as '_';
// everything else must be equal.
// Source: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", metric names.
#pragma once

#include <string_view>

#include "correlate/result.h"

namespace throughline {

// A whole name, or, with a '*' at its end, the beginning of one: "container.cpu.*", "*".
class MetricPattern {
 public:
  // Views `text`. kInvalidArgument: it is empty, or has a '*' before its end.
  static Result<MetricPattern> Parse(std::string_view text);

  bool Matches(std::string_view metric) const;
  // What the first byte of a name that matches looks like, '_' for all that count as it; 0: any.
  unsigned char first() const;

  static unsigned char Folded(char c) {
    return c == '.' || c == '-' || c == '/' ? '_' : static_cast<unsigned char>(c);
  }

 private:
  std::string_view text_;  // Without the '*'.
  bool is_prefix_ = false;
};

}  // namespace throughline
