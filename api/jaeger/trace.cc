// GET /api/traces/{id} and /api/v3/traces/{id}.
#include <string_view>

#include "api/jaeger/answer.h"
#include "api/jaeger/handlers.h"
#include "api/jaeger/trace_json.h"
#include "api/otlp_traces_json.h"
#include "api/spans_of_trace.h"
#include "wire/json_writer.h"

namespace throughline::api::jaeger {
namespace {

Result<SpansOfTrace> Find(const Request& request, const Context& context) {
  const std::string_view id = request.captures.empty() ? std::string_view() : request.captures[0];
  return FindSpansOfTrace(id, request, context);
}

}  // namespace

Response GetTrace(const Request& request, const Context& context) {
  const auto found = Find(request, context);
  if (!found) return Failure(found.error());
  Response response;
  wire::JsonWriter json(response.body);
  BeginData(json);
  json.BeginArray();
  WriteTrace(json, found->trace_id, found->batch, found->tree, found->missing);
  json.EndArray();
  EndData(1, json);
  return response;
}

Response GetTraceV3(const Request& request, const Context& context) {
  const auto found = Find(request, context);
  if (!found) return FailureV3(found.error());
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject().Key("result").BeginObject().Key("resourceSpans");
  WriteResourceSpans(json, found->batch, found->tree, OtlpJson::kOtlp);
  json.EndObject().EndObject();
  return response;
}

}  // namespace throughline::api::jaeger
