// POST /compare: whether a candidate's traces are slower than a baseline's, fail more, or do
// something else.
#include <utility>

#include "api/links/compare_render.h"
#include "api/links/compare_request.h"
#include "api/links/handlers.h"
#include "api/links/read_windows.h"
#include "api/links/report_answer.h"

namespace throughline::api::links {
namespace {

Result<Compared> CompareRecords(const Request& http, CompareRequest request,
                                const Context& context) {
  const TimeSpan baseline = request.baseline.window;
  const TimeSpan candidate = request.candidate.window;
  WindowReader reader(http.scope, context,
                      {.filters = {request.baseline.filter, request.candidate.filter}});
  TL_TRY(reader.ReadAll({baseline, candidate}));
  const ReadTraces read = reader.Finish();
  Compared compared;
  compared.comparison = Compare(read.traces, SelectTraces(read.traces, baseline, candidate));
  compared.request = std::move(request);
  compared.complete = read.complete;
  compared.incomplete_reason = read.incomplete_reason;
  Comparison& comparison = compared.comparison;
  if (!read.complete && comparison.verdict == ComparisonVerdict::kPass) {
    comparison.verdict = ComparisonVerdict::kInconclusive;
    comparison.reason = "not all traces were read";
  }
  return compared;
}

}  // namespace

Response CompareSelections(const Request& http, const Context& context) {
  return AnswerReport(http, context, [&]() -> Result<Compared> {
    TL_TRY_ASSIGN(CompareRequest request, ReadCompareRequest(http, context));
    return CompareRecords(http, std::move(request), context);
  });
}

}  // namespace throughline::api::links
