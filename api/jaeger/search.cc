// GET /api/traces: the traces with a span of this kind, whole, newest first.
//
// The conditions become TraceQL, so that one span satisfies all of them.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "api/jaeger/answer.h"
#include "api/jaeger/handlers.h"
#include "api/jaeger/trace_json.h"
#include "api/query/tag_condition.h"
#include "api/query/traceql.h"
#include "api/query/traceql_evaluate.h"
#include "api/query/traceql_names.h"
#include "api/query/traceql_plan.h"
#include "api/tempo/parameters.h"
#include "api/walk_traces.h"
#include "wire/json_writer.h"

namespace throughline::api::jaeger {
namespace {

namespace traceql = query::traceql;

constexpr std::size_t kDefaultTraces = 20;
constexpr std::size_t kMostTraces = 1500;  // Whole ones; Jaeger's own page asks for no more.
constexpr std::size_t kMostTags = 50;

using Tags = std::vector<std::pair<std::string, std::string>>;

Result<std::string> TextOf(simdjson::dom::element value) {
  if (value.is_string()) return std::string(std::string_view(value));
  if (value.is_object() || value.is_array() || value.is_null()) {
    return InvalidArgument("tags: want texts, numbers or truth values");
  }
  return simdjson::minify(value);
}

// tags={"error":"true"}, and tag=error:true as Jaeger's first page wrote it.
Result<Tags> ReadTags(const Request& request) {
  Tags tags;
  for (const auto& [name, value] : request.query) {
    if (name == "tag") {
      const std::size_t colon = value.find(':');
      if (colon == value.npos || colon == 0) return InvalidArgument("tag: want key:value");
      tags.emplace_back(value.substr(0, colon), value.substr(colon + 1));
    } else if (name == "tags" && !value.empty()) {
      simdjson::dom::parser parser;
      simdjson::dom::object object;
      if (parser.parse(simdjson::padded_string(value)).get(object) != simdjson::SUCCESS) {
        return InvalidArgument("tags: want a JSON object");
      }
      for (const auto& [key, element] : object) {
        TL_TRY_ASSIGN(std::string text, TextOf(element));
        tags.emplace_back(std::string(key), std::move(text));
      }
    }
  }
  if (tags.size() <= kMostTags) return tags;
  return InvalidArgument("more than " + std::to_string(kMostTags) + " tags");
}

// What a tag means that is none of the span's attributes; empty: it is one.
std::string SpecialCondition(const std::string& key, const std::string& value) {
  if (key == "error") return value == "true" ? "status = error" : "status != error";
  if (key == "span.kind") {
    return traceql::IndexOf(traceql::kKindWords, value) ? "kind = " + value : "false";
  }
  if (key == "otel.status_code") {
    return value == "ERROR" ? "status = error" : value == "OK" ? "status = ok" : "status = unset";
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kNames = {
      {{"otel.status_description", "statusMessage"},
       {"otel.scope.name", "instrumentation:name"},
       {"otel.scope.version", "instrumentation:version"}}};
  for (const auto& [name, field] : kNames) {
    if (key == name) return std::string(field) + " = " + traceql::QuotedText(value);
  }
  return {};
}

struct Asked {
  traceql::Query query;
  TraceQuery candidates;
  std::size_t traces = kDefaultTraces;
};

Result<Asked> Read(const Request& request, const Context& context) {
  const std::string_view service = request.Query("service").value_or("");
  if (service.empty()) return InvalidArgument("parameter service is required");
  std::string conditions = "resource.service.name = " + traceql::QuotedText(service);
  const std::string_view operation = request.Query("operation").value_or("");
  if (!operation.empty()) conditions += " && name = " + traceql::QuotedText(operation);
  TL_TRY_ASSIGN(const auto durations, tempo::ReadDurations(request, "duration"));
  for (const std::string& duration : durations) conditions += " && " + duration;
  TL_TRY_ASSIGN(const Tags tags, ReadTags(request));
  std::vector<Matcher> matchers;
  for (const auto& [key, value] : tags) {
    const std::string special = SpecialCondition(key, value);
    conditions += " && " + (special.empty() ? query::TagCondition(key, value) : special);
    if (special.empty()) matchers.push_back({key, Matcher::Op::kEqual, value});
  }
  Asked asked;
  auto query = traceql::Parse("{" + conditions + "}");
  if (!query) return InvalidArgument("bad conditions: " + query.error().message);
  asked.query = *std::move(query);
  asked.candidates = traceql::CandidatesOf(asked.query.pipeline);
  asked.candidates.attributes = std::move(matchers);
  TL_TRY_ASSIGN(asked.candidates.time,
                tempo::ReadRange(request, context, tempo::LastHour(context), tempo::EndIs::kExact));
  TL_TRY_ASSIGN(asked.traces, tempo::ReadCount(request, "limit", kDefaultTraces, kMostTraces));
  asked.candidates.limit = asked.traces;
  return asked;
}

}  // namespace

Response FindTraces(const Request& request, const Context& context) {
  const auto asked = Read(request, context);
  if (!asked) return Failure(asked.error());
  Response response;
  wire::JsonWriter json(response.body);
  BeginData(json);
  json.BeginArray();
  std::size_t found = 0;
  const auto visit = [&](const WalkedTrace& walked) {
    const TraceId id = walked.summary.trace_id;
    const traceql::Trace trace(id, walked.batch, walked.tree);
    if (traceql::Evaluator(trace).Select(asked->query.pipeline).empty()) return true;
    WriteTrace(json, id, walked.batch, walked.tree, {});
    return ++found < asked->traces;
  };
  const auto walked = WalkTraces(request, context, asked->candidates,
                                 {context.settings.query_traces, "limits.query_traces"}, visit);
  if (!walked) return Failure(walked.error());
  json.EndArray();
  EndData(found, json);
  SayCut(walked->cut, response);
  return response;
}

}  // namespace throughline::api::jaeger
