// GET /dependencies: which service calls which, how often, with which errors, how fast.
#include "api/links/dependencies.h"

#include "api/links/handlers.h"
#include "api/links/render.h"
#include "api/links/report_text.h"
#include "api/links/walk_records.h"
#include "api/parameters.h"
#include "api/status.h"
#include "wire/json_writer.h"

namespace throughline::api::links {

Result<ReadGraph> ReadServiceGraph(const Request& request, const Context& context,
                                   const TimeSpan& window) {
  ReadGraph read;
  const auto add = [&read](const RecordedTraces& traces, TraceWindow part) {
    read.graph.Add(traces, part);
  };
  TL_TRY_ASSIGN(const WalkedRecords walked, WalkRecords(request, context, window, {}, add));
  read.complete = walked.complete && !read.graph.cut();
  if (!read.complete) read.incomplete_reason = walked.complete ? "limit" : walked.incomplete_reason;
  return read;
}

Response Dependencies(const Request& request, const Context& context) {
  Parameters parameters(request, context.now_unix_ns);
  const TimeRange range = parameters.Range();
  if (const auto checked = parameters.Check(); !checked) return Problem(checked.error());
  const TimeSpan window{range.start_unix_ns, range.end_unix_ns};
  const auto read = ReadServiceGraph(request, context, window);
  if (!read) return Problem(read.error());
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("window").BeginObject();
  WriteWindowTimes(json, window);
  json.Key("traces").Uint(read->graph.traces());
  json.EndObject();
  json.Key("dependencies").BeginArray();
  for (const auto& [key, totals] : read->graph.calls()) {
    json.BeginObject();
    json.Key("caller").String(key.caller);
    json.Key("callee").String(key.callee);
    json.Key("instrumented").Bool(key.instrumented);
    json.Key("calls").Uint(totals.calls);
    json.Key("errors").Uint(totals.errors);
    WriteDuration(json.Key("p50_ns"), totals.durations.Quantile(0.5));
    WriteDuration(json.Key("p95_ns"), totals.durations.Quantile(0.95));
    json.EndObject();
  }
  json.EndArray();
  WriteCompleteness(json, read->complete, read->incomplete_reason);
  json.EndObject();
  return response;
}

}  // namespace throughline::api::links
