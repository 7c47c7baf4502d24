// The traces of a range of any length, part by part, so that memory stays bounded.
#pragma once

#include <functional>
#include <string>

#include "api/http.h"
#include "api/links/handlers.h"
#include "api/links/read_windows.h"
#include "correlate/analysis/explain_model.h"

namespace throughline::api::links {

inline constexpr std::size_t kSpansAtOnce = 200'000;  // In memory; of a part, with its slack.

struct WalkedRecords {
  bool complete = true;
  std::string incomplete_reason;
};

// Calls `visit` with records and the traces in them whose roots start in the part at hand; each
// trace of the range is in one part. Lines are not read. A part that has more than kSpansAtOnce is
// made shorter, down to a second: of what is denser some is left out ("limit"). Beside a part as
// much is read as it is long, kTraceSlackNs at most: a trace that takes longer may lack its end,
// and count as two.
Result<WalkedRecords> WalkRecords(
    const Request& request, const Context& context, TimeSpan range, const TraceFilter& filter,
    const std::function<void(const RecordedTraces&, TraceWindow)>& visit);

}  // namespace throughline::api::links
