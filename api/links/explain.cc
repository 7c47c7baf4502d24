// POST /explain: why the traces of a window are not like those of normal windows.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "api/links/explain_read.h"
#include "api/links/explain_render.h"
#include "api/links/explain_request.h"
#include "api/links/handlers.h"
#include "api/links/known_traces.h"
#include "api/links/lookup.h"
#include "api/links/report_answer.h"

namespace throughline::api::links {
namespace {

constexpr std::uint64_t kAroundTraceNs = 30'000'000'000;  // The window of a trace, to each side.

// A trace stands for its kind of request, and for the time around it.
Result<void> TakeTrace(const Request& http, const Context& context, ExplainRequest& request) {
  FindOptions options;
  options.logs = false;
  options.exemplars = false;
  TL_TRY_ASSIGN(const Lookup lookup, LookUp(request.trace, http.scope, options, context));
  if (lookup.matches.size() != 1) {
    return Error{lookup.matches.empty() ? Errc::kNotFound : Errc::kConflict,
                 "trace_id: " + std::to_string(lookup.matches.size()) + " traces have this id"};
  }
  KnownTraces known(http.scope, context);
  request.options.trace_id = lookup.matches.front().trace_id;
  TL_TRY_ASSIGN(const KnownTrace* trace, known.Find(request.options.trace_id));
  const TraceSummary* summary = trace->summary();
  if (summary == nullptr || summary->evidence.span_count == 0) {
    return Error{Errc::kNotFound, "trace_id: no span of it is here"};
  }
  if (!request.window) {
    const std::uint64_t start = summary->start_unix_ns;
    request.window = {start - std::min(start, kAroundTraceNs), start + kAroundTraceNs};
  }
  if (!request.filter.service && !request.filter.operation) {
    request.filter.service = summary->root_service;
    request.filter.operation = summary->root_operation;
  }
  return {};
}

// A selector that names no service stands for the one that most of its exemplars are of.
Result<void> TakeExemplars(const Request& http, const Context& context, ExplainRequest& request) {
  if (!request.metric || request.filter.service || !request.window) return {};
  ExemplarQuery query = *request.metric;
  query.time = {request.window->start_unix_ns, request.window->end_unix_ns - 1};
  query.limit = context.settings.max_limit;
  TL_TRY_ASSIGN(const RecordPage page, context.store.FindExemplars(http.scope, query));
  std::vector<std::string_view> services;
  for (const Exemplar& exemplar : page.records.exemplars) {
    const Resource* const resource = page.records.ResourceOf(exemplar.resource);
    const bool stated = !exemplar.service.empty() || resource == nullptr;
    services.push_back(stated ? exemplar.service : resource->service);
  }
  std::sort(services.begin(), services.end());
  std::size_t most = 0;
  for (auto at = services.begin(); at != services.end();) {
    const auto end = std::upper_bound(at, services.end(), *at);
    const auto count = static_cast<std::size_t>(end - at);
    if (count > most && !at->empty()) {
      most = count;
      request.filter.service = std::string(*at);
    }
    at = end;
  }
  return {};
}

Result<Explained> ExplainRecords(const Request& http, ExplainRequest& request,
                                 const Context& context) {
  if (!request.trace.empty()) TL_TRY(TakeTrace(http, context, request));
  TL_TRY(TakeExemplars(http, context, request));
  Explained explained;
  explained.window = *request.window;
  TL_TRY_ASSIGN(ReadForExplain found, ReadRecords(http, request, explained.window, context));
  ReadTraces& read = found.read;
  explained.complete = read.complete;
  explained.incomplete_reason = read.incomplete_reason;
  explained.baseline = request.baseline;
  if (request.baseline.empty()) {
    ChosenBaseline chosen = ChooseBaseline(read.traces, explained.window, found.lookback_ns);
    explained.baseline_chosen = true;
    explained.baseline = std::move(chosen.windows);
    explained.spikes = std::move(chosen.spikes);
  }
  std::vector<TimeSpan> windows = explained.baseline;
  windows.push_back(explained.window);
  TL_TRY_ASSIGN(const CpuPoints cpu, ReadCpu(http, windows, context));
  request.options.service = request.filter.service.value_or(std::string());
  request.options.cpu = cpu.Changes(read.traces, explained.window, explained.baseline);
  std::vector<TraceWindow> baseline;
  for (const TimeSpan& time : explained.baseline) {
    baseline.push_back(WindowOf(read.traces, time.start_unix_ns, time.end_unix_ns));
  }
  const TraceWindow window =
      WindowOf(read.traces, explained.window.start_unix_ns, explained.window.end_unix_ns);
  explained.explanation = Explain(read.traces, window, baseline, request.options);
  return explained;
}

}  // namespace

Response ExplainWindow(const Request& http, const Context& context) {
  return AnswerReport(http, context, [&]() -> Result<Explained> {
    TL_TRY_ASSIGN(ExplainRequest request, ReadExplainRequest(http, context));
    return ExplainRecords(http, request, context);
  });
}

}  // namespace throughline::api::links
