// GET /api/traces/{id} and /api/v2/traces/{id}, and what is asked before a trace.
#include <string>
#include <utility>

#include "api/otlp_traces.h"
#include "api/otlp_traces_json.h"
#include "api/plain_text.h"
#include "api/spans_of_trace.h"
#include "api/tempo/handlers.h"
#include "wire/json_writer.h"
#include "wire/protobuf_writer.h"

namespace throughline::api::tempo {
namespace {

Result<SpansOfTrace> Find(const Request& request, const Context& context) {
  const std::string_view id = request.captures.empty() ? std::string_view() : request.captures[0];
  return FindSpansOfTrace(id, request, context);
}

Response Protobuf(std::string body) {
  Response response;
  response.content_type = "application/protobuf";
  response.body = std::move(body);
  return response;
}

// tempopb.TraceByIDResponse: trace = 1, metrics = 2, status = 3 (1: partial), message = 4.
Response V2Protobuf(const SpansOfTrace& found) {
  const std::string trace = OtlpTracesData(found.batch, found.tree, OtlpPresence::kAlways);
  std::string body;
  body.reserve(trace.size() + found.missing.size() + 32);
  wire::ProtoWriter proto(body);
  proto.Bytes(1, trace);
  proto.Varint(3, found.missing.empty() ? 0 : 1);
  proto.Text(4, found.missing);
  return Protobuf(std::move(body));
}

}  // namespace

bool WantsProtobuf(const Request& request) {
  const std::string_view accept = request.Header("accept");
  return accept.find("application/protobuf") != accept.npos ||
         accept.find("application/x-protobuf") != accept.npos;
}

Response Echo(const Request&, const Context&) { return PlainText(200, "echo"); }

Response NoBuildInfo() {
  return PlainText(404, "no build information: streaming is not served here");
}

Response GetTraceV1(const Request& request, const Context& context) {
  const auto found = Find(request, context);
  if (!found) return PlainText(found.error());
  if (WantsProtobuf(request)) {
    return Protobuf(OtlpTracesData(found->batch, found->tree, OtlpPresence::kAlways));
  }
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject().Key("batches");
  WriteResourceSpans(json, found->batch, found->tree, OtlpJson::kProtobuf);
  json.EndObject();
  return response;
}

Response GetTraceV2(const Request& request, const Context& context) {
  const auto found = Find(request, context);
  if (!found) return PlainText(found.error());
  if (WantsProtobuf(request)) return V2Protobuf(*found);
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("trace").BeginObject().Key("resourceSpans");
  WriteResourceSpans(json, found->batch, found->tree, OtlpJson::kProtobuf);
  json.EndObject();
  if (!found->missing.empty()) {
    json.Key("status").String("PARTIAL");
    json.Key("message").String(found->missing);
  }
  json.EndObject();
  return response;
}

}  // namespace throughline::api::tempo
