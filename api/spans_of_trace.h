// The spans of the one trace that an id names: the lookup by id of other products' APIs.
#pragma once

#include <string>
#include <string_view>

#include "api/http.h"
#include "api/links/handlers.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::api {

struct SpansOfTrace {
  TraceId trace_id;
  Batch batch;  // Spans only, at least one.
  TraceTree tree;
  std::string missing;  // What is known to be missing, in a line; empty: nothing is.
};

// `text` in any spelling. The request's `start` and `end` order the search and never exclude.
// kInvalidArgument: no id. kNotFound: no spans, with the state of the link and why. kConflict: a
// short id that names several traces, with their ids.
Result<SpansOfTrace> FindSpansOfTrace(std::string_view text, const Request& request,
                                      const links::Context& context);

}  // namespace throughline::api
