// Which services and operations there are, in both versions.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "api/jaeger/answer.h"
#include "api/jaeger/handlers.h"
#include "wire/json_writer.h"

namespace throughline::api::jaeger {
namespace {

// Those that sent spans; a line alone opens nothing in this API.
Result<std::vector<std::string>> ServiceNames(const Request& request, const Context& context) {
  TL_TRY_ASSIGN(const auto services, context.store.Services(request.scope));
  std::vector<std::string> names;
  for (const ServiceInfo& info : services) {
    if (info.span_count > 0 && !info.service.empty()) names.push_back(info.service);
  }
  return names;
}

void WriteNames(const std::vector<std::string>& names, wire::JsonWriter& json) {
  json.BeginArray();
  for (const std::string& name : names) json.String(name);
  json.EndArray();
}

std::string_view KindWord(std::uint32_t kind) {
  constexpr std::array<std::string_view, 6> kWords = {"",       "internal", "server",
                                                      "client", "producer", "consumer"};
  return kind < kWords.size() ? kWords[kind] : kWords[0];
}

}  // namespace

Response Services(const Request& request, const Context& context) {
  const auto names = ServiceNames(request, context);
  if (!names) return Failure(names.error());
  Response response;
  wire::JsonWriter json(response.body);
  BeginData(json);
  WriteNames(*names, json);
  EndData(names->size(), json);
  return response;
}

Response Operations(const Request& request, const Context& context) {
  const std::string_view service =
      request.captures.empty() ? std::string_view() : request.captures[0];
  const auto operations = context.store.Operations(request.scope, service);
  if (!operations) return Failure(operations.error());
  std::vector<std::string> names;
  for (const OperationInfo& info : *operations) names.push_back(info.operation);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  Response response;
  wire::JsonWriter json(response.body);
  BeginData(json);
  WriteNames(names, json);
  EndData(names.size(), json);
  return response;
}

Response ServicesV3(const Request& request, const Context& context) {
  const auto names = ServiceNames(request, context);
  if (!names) return FailureV3(names.error());
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject().Key("services");
  WriteNames(*names, json);
  json.EndObject();
  return response;
}

Response OperationsV3(const Request& request, const Context& context) {
  const std::string_view service = request.Query("service").value_or("");
  if (service.empty()) return FailureV3(InvalidArgument("parameter service is required"));
  const std::string_view kind = request.Query("span_kind").value_or("");
  const auto operations = context.store.Operations(request.scope, service);
  if (!operations) return FailureV3(operations.error());
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject().Key("operations").BeginArray();
  for (const OperationInfo& info : *operations) {
    const std::string_view word = KindWord(info.kind);
    if (!kind.empty() && kind != word) continue;
    json.BeginObject();
    json.Key("name").String(info.operation);
    json.Key("spanKind").String(word);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return response;
}

}  // namespace throughline::api::jaeger
