// What POST /compare is asked: its body, read strictly.
#pragma once

#include <cstdint>

#include "api/links/handlers.h"
#include "correlate/analysis/explain_baseline.h"
#include "correlate/analysis/explain_records.h"
#include "correlate/result.h"

namespace throughline::api::links {

inline constexpr std::size_t kMostConditions = 10;  // On attributes, of one selection.

struct TraceSelection {
  TimeSpan window;
  TraceFilter filter;
};

// Members beside `baseline` and `candidate` are of both, where these have no own.
struct CompareRequest {
  TraceSelection baseline;
  TraceSelection candidate;
};

// kInvalidArgument with the member and what would be right.
Result<CompareRequest> ReadCompareRequest(const Request& request, const Context& context);

}  // namespace throughline::api::links
