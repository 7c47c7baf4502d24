// What POST /explain is asked: its body, read strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/links/handlers.h"
#include "correlate/analysis/explain.h"
#include "correlate/analysis/explain_baseline.h"
#include "correlate/analysis/explain_records.h"
#include "correlate/query.h"

namespace throughline::api::links {

inline constexpr std::size_t kMostBaselines = 50;

struct ExplainRequest {
  std::optional<TimeSpan> window;
  std::vector<TimeSpan> baseline;  // Empty: it is chosen.
  TraceFilter filter;
  std::optional<ExemplarQuery> metric;  // The selector alone.
  std::string trace;                    // An id in any spelling; empty: none.
  ExplainOptions options;
};

// kInvalidArgument with the member and what would be right.
Result<ExplainRequest> ReadExplainRequest(const Request& request, const Context& context);

}  // namespace throughline::api::links
