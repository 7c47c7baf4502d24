// The traces that a search may select, newest first, each with its spans.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "api/http.h"
#include "api/links/handlers.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline::api {

struct WalkedTrace {
  const TraceSummary& summary;
  const Batch& batch;  // Its spans, at least one.
  const TraceTree& tree;
};

struct WalkBound {
  std::size_t traces = 0;
  std::string_view name;  // Of the limit, for `cut`: "limits.query_traces".
};

struct Walked {
  std::size_t traces = 0;
  std::size_t spans = 0;
  std::string
      cut;  // Why some were not looked at, in a line; empty: all were, or nobody wanted more.
};

// Calls `visit` for each trace that `query` finds, until it says false. Ends early at the scope's
// deadline, and after so many traces. `query.limit` is the size of the first page: as many as the
// caller hopes to need. Later ones double, because a store finds the place of a cursor by reading
// what stands before it: pages of one size would cost the square of what is walked.
Result<Walked> WalkTraces(const Request& request, const links::Context& context, TraceQuery query,
                          WalkBound bound, const std::function<bool(const WalkedTrace&)>& visit);

// The header that tells of `cut`, where it is not empty: the bodies of other products have no place
// for it.
void SayCut(const std::string& cut, Response& response);

}  // namespace throughline::api
