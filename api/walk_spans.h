// All spans of a range, each once and by itself: for what looks at most of them.
//
// They come in bulk, as the store has them (Store::Visit): a span costs what reading it costs,
// where WalkTraces (walk_traces.h) finds its trace and then reads all of that. What a span means in
// its trace cannot be told here. What a retry stored twice comes once: every span leaves 8 bytes
// that tell it, so memory is a few tens of bytes a span, and kMostSpansTold are told.
#pragma once

#include <cstddef>
#include <functional>

#include "api/http.h"
#include "api/links/handlers.h"
#include "api/walk_traces.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline::api {

inline constexpr std::size_t kMostSpansTold = 8'000'000;

// Some spans of a trace, in the range. The tree says nothing of how they relate.
struct SomeSpans {
  TraceId id;
  const Batch& batch;  // Others stand in it, too.
  const TraceTree& tree;
};

// Calls `visit` until all spans of the range were there. Ends early at the scope's deadline. No
// trace is looked at as one: Walked::traces is 0.
Result<Walked> WalkSpans(const Request& request, const links::Context& context,
                         const TimeRange& range,
                         const std::function<void(const SomeSpans&)>& visit);

}  // namespace throughline::api
