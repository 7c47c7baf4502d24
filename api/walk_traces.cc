#include "api/walk_traces.h"

#include <algorithm>
#include <utility>

namespace throughline::api {
namespace {

constexpr std::size_t kLargestPage = 20'000;  // Of summaries that are in memory at once.

std::string DeadlineAfter(std::size_t traces) {
  return "limits.lookup_deadline came after " + std::to_string(traces) + " traces";
}

}  // namespace

Result<Walked> WalkTraces(const Request& request, const links::Context& context, TraceQuery query,
                          WalkBound bound, const std::function<bool(const WalkedTrace&)>& visit) {
  const FindOptions options{.hint = query.time, .logs = false, .exemplars = false};
  Walked walked;
  while (true) {
    TL_TRY_ASSIGN(const auto page, context.store.FindTraces(request.scope, query));
    for (const TraceSummary& summary : page.items) {
      if (walked.traces == bound.traces) {
        walked.cut = "more than " + std::to_string(bound.traces) + " traces (";
        walked.cut += bound.name;
        walked.cut += ')';
        return walked;
      }
      if (request.scope.Expired()) {
        walked.cut = DeadlineAfter(walked.traces);
        return walked;
      }
      TL_TRY_ASSIGN(const TraceRecords found,
                    context.store.FindTrace(request.scope, summary.trace_id, options));
      ++walked.traces;
      if (found.records.spans.empty()) continue;  // Dropped by retention since.
      if (!found.complete && walked.cut.empty()) {
        walked.cut = "trace " + ToHex(summary.trace_id) + ": " + found.incomplete_reason;
      }
      walked.spans += found.records.spans.size();
      const TraceTree tree = BuildTraceTree(found.records);
      if (!visit({.summary = summary, .batch = found.records, .tree = tree})) return walked;
    }
    if (!page.complete) {
      walked.cut = page.incomplete_reason == "deadline" ? DeadlineAfter(walked.traces)
                                                        : page.incomplete_reason;
    }
    if (page.cursor.empty()) return walked;
    query.cursor = page.cursor;
    query.limit = std::min(2 * query.limit, kLargestPage);
  }
}

void SayCut(const std::string& cut, Response& response) {
  if (!cut.empty()) response.headers.emplace_back("X-Throughline-Incomplete", cut);
}

}  // namespace throughline::api
