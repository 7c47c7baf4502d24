#include "api/jaeger/answer.h"

#include "api/status.h"

namespace throughline::api::jaeger {
namespace {

Response StatusOnly(const Error& error) {
  Response response;
  response.status = HttpStatusOf(error.code);
  if (error.code == Errc::kOverloaded || error.code == Errc::kUnavailable) {
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  return response;
}

void Totals(std::size_t total, wire::JsonWriter& json) {
  json.Key("total").Uint(total);
  json.Key("limit").Uint(0);
  json.Key("offset").Uint(0);
}

}  // namespace

void BeginData(wire::JsonWriter& json) { json.BeginObject().Key("data"); }

void EndData(std::size_t total, wire::JsonWriter& json) {
  Totals(total, json);
  json.Key("errors").Null();
  json.EndObject();
}

Response Failure(const Error& error) {
  Response response = StatusOnly(error);
  wire::JsonWriter json(response.body);
  json.BeginObject().Key("data").Null();
  Totals(0, json);
  json.Key("errors").BeginArray().BeginObject();
  json.Key("code").Int(response.status);
  json.Key("msg").String(error.message);
  json.EndObject().EndArray().EndObject();
  return response;
}

Response FailureV3(const Error& error) {
  Response response = StatusOnly(error);
  wire::JsonWriter json(response.body);
  json.BeginObject().Key("error").BeginObject();
  json.Key("httpCode").Int(response.status);
  json.Key("message").String(error.message);
  json.EndObject().EndObject();
  return response;
}

}  // namespace throughline::api::jaeger
