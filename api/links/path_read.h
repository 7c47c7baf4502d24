// The totals of the critical paths of a window, from what is kept of its minutes and from the
// store.
#pragma once

#include <cstdint>

#include "api/http.h"
#include "api/links/handlers.h"
#include "api/links/walk_records.h"
#include "correlate/analysis/path_totals.h"

namespace throughline::api::links {

// Longer windows are read anew each time: their minutes would only push each other out.
inline constexpr std::uint64_t kMostKeptMinutes = 1440;

struct ReadPaths {
  PathTotals totals;
  WalkedRecords walked;
};

// The same totals whether minutes of it are kept (Context::path_minutes) or not; but as in a walk
// in parts, what of a trace starts over kTraceSlackNs beyond the minute of its root may be left out
// of it, and count as a trace. A window with a trace whose root lasts so long is read whole.
Result<ReadPaths> ReadPathTotals(const Request& request, const Context& context,
                                 const TimeSpan& window, const TraceFilter& filter);

}  // namespace throughline::api::links
