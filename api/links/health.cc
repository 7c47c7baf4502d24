// GET /links/health: in which states the links of a range are, and why.
#include <algorithm>
#include <string>
#include <utility>

#include "api/links/handlers.h"
#include "api/links/health_read.h"
#include "api/links/render.h"
#include "api/parameters.h"
#include "api/status.h"

namespace throughline::api::links {
namespace {

void WriteSample(wire::JsonWriter& json, const LinkSample& sample) {
  json.BeginObject();
  WriteId(json.Key("trace_id"), sample.trace_id);
  json.Key("text");
  if (sample.trace_id.IsValid()) {
    json.Null();
  } else {
    json.String(sample.text);
  }
  json.Key("kind").String(LinkKindName(sample.kind));
  json.Key("service").String(sample.service);
  WriteTime(json, "time_unix_nano", "time", sample.time_unix_ns);
  json.Key("evidence").String(sample.reason);
  json.EndObject();
}

// The causes that occur, each with its state; samples where there are some.
void WriteStates(wire::JsonWriter& json, const LinkCounts& counts,
                 const LinkHealth* samples = nullptr) {
  json.Key("states").BeginArray();
  for (std::size_t i = 0; i < kLinkCauses; ++i) {
    if (counts[i] == 0) continue;
    const auto cause = static_cast<LinkCause>(i);
    json.BeginObject();
    json.Key("state").String(LinkStateName(StateOfCause(cause)));
    json.Key("reason").String(LinkCauseName(cause));
    json.Key("links").Uint(counts[i]);
    if (samples != nullptr) {
      json.Key("samples").BeginArray();
      for (const LinkSample& sample : samples->samples[i]) WriteSample(json, sample);
      json.EndArray();
    }
    json.EndObject();
  }
  json.EndArray();
}

void WriteHealth(wire::JsonWriter& json, const HealthQuestion& question, const LinkHealth& health,
                 std::size_t most_services) {
  json.BeginObject();
  json.Key("window").BeginObject();
  WriteTime(json, "start_unix_nano", "start", question.time.start_unix_ns);
  WriteTime(json, "end_unix_nano", "end", question.time.end_unix_ns);
  json.EndObject();
  json.Key("links").Uint(SumOf(health.counts));
  json.Key("unchecked").Uint(health.unchecked);
  WriteStates(json, health.counts, &health);
  json.Key("kinds").BeginArray();
  for (std::size_t i = 0; i < kLinkKinds; ++i) {
    json.BeginObject();
    json.Key("kind").String(LinkKindName(static_cast<LinkKind>(i)));
    json.Key("links").Uint(SumOf(health.by_kind[i]));
    WriteStates(json, health.by_kind[i]);
    json.EndObject();
  }
  json.EndArray();
  const std::size_t services = std::min(health.by_service.size(), most_services);
  json.Key("services").BeginArray();
  for (std::size_t i = 0; i < services; ++i) {
    const LinkHealth::OfService& of = health.by_service[i];
    json.BeginObject();
    json.Key("service").String(of.service);
    json.Key("links").Uint(SumOf(of.counts));
    WriteStates(json, of.counts);
    json.EndObject();
  }
  json.EndArray();
  const bool all = services == health.by_service.size();
  WriteCompleteness(json, health.complete && all,
                    health.complete ? std::string_view("limit") : health.incomplete_reason);
  json.EndObject();
}

}  // namespace

Response Health(const Request& request, const Context& context) {
  Parameters parameters(request, context.now_unix_ns);
  HealthQuestion question{
      .time = parameters.Range(), .service = {}, .lookups = context.settings.health_lookups};
  if (const auto service = parameters.Text("service")) question.service = std::string(*service);
  if (const auto checked = parameters.Check(); !checked) return Problem(checked.error());
  const auto health = ReadLinkHealth(request.scope, question, context);
  if (!health) return Problem(health.error());
  Response response;
  wire::JsonWriter json(response.body);
  WriteHealth(json, question, *health, context.settings.max_limit);
  return response;
}

}  // namespace throughline::api::links
