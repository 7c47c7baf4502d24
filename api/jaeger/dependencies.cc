// GET /api/dependencies: the calls between services that send spans.
#include <algorithm>
#include <string>

#include "api/jaeger/answer.h"
#include "api/jaeger/handlers.h"
#include "api/links/dependencies.h"
#include "api/time_text.h"
#include "api/walk_traces.h"
#include "correlate/digits.h"
#include "wire/json_writer.h"

namespace throughline::api::jaeger {
namespace {

constexpr std::uint64_t kMsNs = 1'000'000;
constexpr std::uint64_t kDefaultLookbackMs = 86'400'000;

Result<TimeSpan> ReadRange(const Request& request, const Context& context) {
  TimeSpan range{.start_unix_ns = 0, .end_unix_ns = context.now_unix_ns};
  if (const std::string_view end = request.Query("endTs").value_or(""); !end.empty()) {
    const auto time = ParseTime(end, context.now_unix_ns);
    if (!time) return InvalidArgument("endTs: " + time.error().message);
    range.end_unix_ns = *time;
  }
  std::uint64_t lookback_ms = kDefaultLookbackMs;
  if (const std::string_view text = request.Query("lookback").value_or(""); !text.empty()) {
    if (!digits::ParseDecimal(text, lookback_ms) || lookback_ms > UINT64_MAX / kMsNs) {
      return InvalidArgument("lookback: want milliseconds");
    }
  }
  range.start_unix_ns = range.end_unix_ns - std::min(range.end_unix_ns, lookback_ms * kMsNs);
  return range;
}

// For the header: the bodies of Jaeger have no place for it.
std::string Cut(const links::ReadGraph& read) {
  if (read.incomplete_reason != "deadline") return read.incomplete_reason;
  return "limits.lookup_deadline came after " + std::to_string(read.graph.traces()) + " traces";
}

}  // namespace

Response Dependencies(const Request& request, const Context& context) {
  const auto range = ReadRange(request, context);
  if (!range) return Failure(range.error());
  const auto read = links::ReadServiceGraph(request, context, *range);
  if (!read) return Failure(read.error());
  Response response;
  wire::JsonWriter json(response.body);
  BeginData(json);
  json.BeginArray();
  std::size_t count = 0;
  for (const auto& [call, totals] : read->graph.calls()) {
    if (!call.instrumented) continue;  // Jaeger's graph is of what sends spans.
    json.BeginObject();
    json.Key("parent").String(call.caller);
    json.Key("child").String(call.callee);
    json.Key("callCount").Uint(totals.calls);
    json.EndObject();
    ++count;
  }
  json.EndArray();
  EndData(count, json);
  SayCut(Cut(*read), response);
  return response;
}

}  // namespace throughline::api::jaeger
