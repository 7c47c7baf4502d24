// The time that a stored record is ordered and searched by; it needs the record's arrival.
#pragma once

#include <cstdint>

#include "correlate/batch.h"

namespace throughline {

inline std::uint64_t TimeOf(const Span& span) {
  return EffectiveTimeOf(span.start_unix_ns, 0, span.arrival_unix_ns).unix_ns;
}
inline std::uint64_t TimeOf(const LogLine& line) {
  return EffectiveTimeOf(line.time_unix_ns, line.observed_unix_ns, line.arrival_unix_ns).unix_ns;
}
inline std::uint64_t TimeOf(const Exemplar& exemplar) {
  return EffectiveTimeOf(exemplar.time_unix_ns, 0, exemplar.arrival_unix_ns).unix_ns;
}
inline std::uint64_t TimeOf(const GaugePoint& point) {
  return EffectiveTimeOf(point.time_unix_ns, 0, point.arrival_unix_ns).unix_ns;
}

// When a span ended: its effective start and its duration, at most the end of time. A span whose
// start was not sent has no duration.
inline std::uint64_t EndOf(const Span& span) {
  const std::uint64_t start = TimeOf(span);
  const std::uint64_t duration = span.start_unix_ns == 0 ? 0 : span.duration_ns();
  return duration > UINT64_MAX - start ? UINT64_MAX : start + duration;
}

}  // namespace throughline
