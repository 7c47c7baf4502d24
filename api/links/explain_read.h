// The records that an explanation needs, from the store.
#pragma once

#include <cstdint>
#include <span>

#include "api/links/explain_request.h"
#include "api/links/handlers.h"
#include "api/links/read_windows.h"
#include "correlate/analysis/explain_cpu.h"

namespace throughline::api::links {

// Where `explain_lookback_ns` has no baseline: this much around the same time of earlier days.
inline constexpr std::uint64_t kAroundThenNs = 1800ULL * 1'000'000'000;
inline constexpr std::uint64_t kDayNs = 24ULL * 3600 * 1'000'000'000;
inline constexpr std::uint64_t kEarlierDays = 7;

struct ReadForExplain {
  ReadTraces read;
  std::uint64_t lookback_ns = 0;  // How far back was looked, where no baseline was given.
};

// The traces of the window and of its baseline, or, where none is given, of the time in which one
// may be found.
Result<ReadForExplain> ReadRecords(const Request& http, const ExplainRequest& request,
                                   const TimeSpan& window, const Context& context);

// What the gauges say of these windows.
Result<CpuPoints> ReadCpu(const Request& http, std::span<const TimeSpan> windows,
                          const Context& context);

}  // namespace throughline::api::links
