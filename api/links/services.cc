// GET /services and /services/{s}/operations: what is there, with counts.
#include "api/links/handlers.h"
#include "api/links/render.h"
#include "api/parameters.h"
#include "api/status.h"

namespace throughline::api::links {
namespace {

Result<void> NoParameters(const Request& request, const Context& context) {
  return Parameters(request, context.now_unix_ns).Check();
}

}  // namespace

Response Services(const Request& request, const Context& context) {
  if (const auto checked = NoParameters(request, context); !checked) {
    return Problem(checked.error());
  }
  const auto services = context.store.Services(request.scope);
  if (!services) return Problem(services.error());
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("services").BeginArray();
  for (const ServiceInfo& info : *services) {
    json.BeginObject();
    json.Key("service").String(info.service);
    json.Key("span_count").Uint(info.span_count);
    json.Key("error_count").Uint(info.error_count);
    json.Key("log_count").Uint(info.log_count);
    json.Key("exemplar_count").Uint(info.exemplar_count);
    json.EndObject();
  }
  json.EndArray();
  WriteCursor(json, {});
  WriteCompleteness(json, true, {});
  json.EndObject();
  return response;
}

Response Operations(const Request& request, const Context& context) {
  if (const auto checked = NoParameters(request, context); !checked) {
    return Problem(checked.error());
  }
  const std::string_view service =
      request.captures.empty() ? std::string_view() : request.captures[0];
  const auto operations = context.store.Operations(request.scope, service);
  if (!operations) return Problem(operations.error());
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("service").String(service);
  json.Key("operations").BeginArray();
  for (const OperationInfo& info : *operations) {
    json.BeginObject();
    json.Key("operation").String(info.operation);
    json.Key("kind").String(KindName(info.kind));
    json.Key("span_count").Uint(info.span_count);
    json.Key("error_count").Uint(info.error_count);
    json.EndObject();
  }
  json.EndArray();
  WriteCursor(json, {});
  WriteCompleteness(json, true, {});
  json.EndObject();
  return response;
}

}  // namespace throughline::api::links
