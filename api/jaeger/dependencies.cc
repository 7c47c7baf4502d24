// GET /api/dependencies: a call is a span whose parent is of another service.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "api/jaeger/answer.h"
#include "api/jaeger/handlers.h"
#include "api/time_text.h"
#include "api/walk_traces.h"
#include "correlate/digits.h"
#include "wire/json_writer.h"

namespace throughline::api::jaeger {
namespace {

constexpr std::uint64_t kMsNs = 1'000'000;
constexpr std::uint64_t kDefaultLookbackMs = 86'400'000;
constexpr std::size_t kMostCalls = 10'000;  // Of one answer.

Result<TimeRange> ReadRange(const Request& request, const Context& context) {
  TimeRange range{.start_unix_ns = 0, .end_unix_ns = context.now_unix_ns};
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

}  // namespace

Response Dependencies(const Request& request, const Context& context) {
  const auto range = ReadRange(request, context);
  if (!range) return Failure(range.error());
  std::map<std::pair<std::string, std::string>, std::uint64_t> calls;
  const auto visit = [&calls](const WalkedTrace& walked) {
    const TraceTree& tree = walked.tree;
    for (std::uint32_t place = 0; place < tree.order.size(); ++place) {
      if (tree.parent[place] == kNoIndex) continue;
      const std::string_view caller =
          walked.batch.ServiceOf(tree.At(walked.batch, tree.parent[place]));
      const std::string_view callee = walked.batch.ServiceOf(tree.At(walked.batch, place));
      if (caller == callee || caller.empty() || callee.empty()) continue;
      const std::pair key{std::string(caller), std::string(callee)};
      if (calls.size() < kMostCalls || calls.contains(key)) ++calls[key];
    }
    return true;
  };
  TraceQuery query;
  query.time = *range;
  query.limit = 2000;
  const auto walked = WalkTraces(request, context, std::move(query),
                                 {context.settings.query_traces, "limits.query_traces"}, visit);
  if (!walked) return Failure(walked.error());
  Response response;
  wire::JsonWriter json(response.body);
  BeginData(json);
  json.BeginArray();
  for (const auto& [call, count] : calls) {
    json.BeginObject();
    json.Key("parent").String(call.first);
    json.Key("child").String(call.second);
    json.Key("callCount").Uint(count);
    json.EndObject();
  }
  json.EndArray();
  EndData(calls.size(), json);
  SayCut(walked->cut, response);
  return response;
}

}  // namespace throughline::api::jaeger
