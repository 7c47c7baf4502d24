#include "api/jaeger/trace_json.h"

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "api/otlp_groups.h"
#include "api/otlp_traces.h"

namespace throughline::api::jaeger {
namespace {

constexpr std::array<std::string_view, 6> kKinds = {"",       "internal", "server",
                                                    "client", "producer", "consumer"};

class Writer {
 public:
  Writer(wire::JsonWriter& json, TraceId id, const Batch& batch, const TraceTree& tree)
      : json_(json), trace_id_(ToHex(id)), batch_(batch), tree_(tree) {}

  // The rank of a resource is its process's number: "p0", "p7".
  void Processes(const std::vector<OtlpMember>& members) {
    json_.Key("processes").BeginObject();
    const OtlpMember* before = nullptr;
    for (const OtlpMember& member : members) {
      if (before == nullptr || before->resource_rank != member.resource_rank) Process(member);
      before = &member;
    }
    json_.EndObject();
  }

  void OneSpan(const OtlpMember& member) {
    const Span& span = tree_.At(batch_, member.place);
    json_.BeginObject();
    json_.Key("traceID").String(trace_id_);
    json_.Key("spanID").String(ToHex(span.span_id));
    json_.Key("processID").String(ProcessId(member));
    json_.Key("operationName").String(span.name);
    json_.Key("flags").Uint(span.flags & 0xffU);
    References(span);
    json_.Key("startTime").Uint(span.start_unix_ns / 1000);
    json_.Key("duration").Uint(span.duration_ns() / 1000);
    Tags(span);
    Logs(span);
    json_.Key("warnings").Null();
    json_.Key("stackTraces").Null();
    json_.EndObject();
  }

 private:
  static std::string ProcessId(const OtlpMember& member) {
    return "p" + std::to_string(member.resource_rank);
  }

  void Process(const OtlpMember& member) {
    const Resource* resource = batch_.ResourceOf(member.resource);
    const std::string_view service = resource == nullptr ? std::string_view() : resource->service;
    json_.Key(ProcessId(member)).BeginObject();
    json_.Key("serviceName").String(service.empty() ? kUnknownService : service);
    json_.Key("tags").BeginArray();
    if (resource != nullptr) {
      for (const Attribute& attribute : batch_.Of(resource->attributes)) {
        if (attribute.key() != "service.name") Tag(attribute.key(), attribute.value());
      }
    }
    json_.EndArray();
    json_.EndObject();
  }

  void References(const Span& span) {
    json_.Key("references").BeginArray();
    if (span.parent_span_id.IsValid()) Reference("CHILD_OF", trace_id_, span.parent_span_id);
    for (const SpanLink& link : batch_.LinksOf(span)) {
      Reference("FOLLOWS_FROM", ToHex(link.trace_id), link.span_id);
    }
    json_.EndArray();
  }

  void Reference(std::string_view type, const std::string& trace_id, SpanId span_id) {
    json_.BeginObject();
    json_.Key("refType").String(type);
    json_.Key("traceID").String(trace_id);
    json_.Key("spanID").String(ToHex(span_id));
    json_.EndObject();
  }

  void Tags(const Span& span) {
    json_.Key("tags").BeginArray();
    for (const Attribute& attribute : batch_.Of(span.attributes)) {
      Tag(attribute.key(), attribute.value());
    }
    if (span.kind > 0 && span.kind < kKinds.size()) TextTag("span.kind", kKinds[span.kind]);
    if (span.status_code == 1) TextTag("otel.status_code", "OK");
    if (span.status_code == 2) {
      TextTag("otel.status_code", "ERROR");
      BeginTag("error", "bool").Bool(true).EndObject();
    }
    if (!span.status_message.empty()) TextTag("otel.status_description", span.status_message);
    if (const InstrumentationScope* scope = batch_.ScopeOf(span.scope)) {
      if (!scope->name.empty()) TextTag("otel.scope.name", scope->name);
      if (!scope->version.empty()) TextTag("otel.scope.version", scope->version);
    }
    if (!span.trace_state.empty()) TextTag("w3c.tracestate", span.trace_state);
    json_.EndArray();
  }

  void Logs(const Span& span) {
    json_.Key("logs").BeginArray();
    for (const SpanEvent& event : batch_.EventsOf(span)) {
      json_.BeginObject();
      json_.Key("timestamp").Uint(event.time_unix_ns / 1000);
      json_.Key("fields").BeginArray();
      if (!event.name.empty()) TextTag("event", event.name);
      for (const Attribute& attribute : batch_.Of(event.attributes)) {
        Tag(attribute.key(), attribute.value());
      }
      json_.EndArray();
      json_.EndObject();
    }
    json_.EndArray();
  }

  wire::JsonWriter& BeginTag(std::string_view key, std::string_view type) {
    json_.BeginObject();
    json_.Key("key").String(key);
    json_.Key("type").String(type);
    return json_.Key("value");
  }
  void TextTag(std::string_view key, std::string_view text) {
    BeginTag(key, "string").String(text).EndObject();
  }
  void Tag(std::string_view key, std::string_view any_value) {
    const Value value = ReadValue(any_value);
    switch (value.type) {
      case ValueType::kBool: BeginTag(key, "bool").Bool(value.boolean).EndObject(); break;
      case ValueType::kInt: BeginTag(key, "int64").Int(value.integer).EndObject(); break;
      case ValueType::kDouble:
        if (std::isfinite(value.number)) {
          BeginTag(key, "float64").Double(value.number).EndObject();
        } else {
          TextTag(key, ValueText(any_value));  // JSON has no such number.
        }
        break;
      case ValueType::kBytes:
        BeginTag(key, "binary").String(ValueText(any_value)).EndObject();
        break;
      case ValueType::kString: TextTag(key, value.bytes); break;
      default: TextTag(key, ValueText(any_value));
    }
  }

  wire::JsonWriter& json_;
  const std::string trace_id_;
  const Batch& batch_;
  const TraceTree& tree_;
};

}  // namespace

void WriteTrace(wire::JsonWriter& json, TraceId id, const Batch& batch, const TraceTree& tree,
                std::string_view missing) {
  const std::vector<OtlpMember> members = OtlpGroups(batch, tree);
  Writer writer(json, id, batch, tree);
  json.BeginObject();
  json.Key("traceID").String(ToHex(id));
  json.Key("spans").BeginArray();
  for (const OtlpMember& member : members) writer.OneSpan(member);
  json.EndArray();
  writer.Processes(members);
  json.Key("warnings");
  if (missing.empty()) {
    json.Null();
  } else {
    json.BeginArray().String(missing).EndArray();
  }
  json.EndObject();
}

}  // namespace throughline::api::jaeger
