#include "api/otlp_traces_json.h"

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "api/otlp_groups.h"
#include "api/otlp_traces.h"

namespace throughline::api {
namespace {

constexpr std::array<std::string_view, 6> kKinds = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                    "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                    "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::array<std::string_view, 3> kStatuses = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                       "STATUS_CODE_ERROR"};

void WriteAnyValueAt(wire::JsonWriter& json, std::string_view any_value, int depth) {
  const Value value = ReadValue(any_value);
  json.BeginObject();
  switch (value.type) {
    case ValueType::kEmpty: break;
    case ValueType::kString: json.Key("stringValue").String(value.bytes); break;
    case ValueType::kBool: json.Key("boolValue").Bool(value.boolean); break;
    case ValueType::kInt: json.Key("intValue").String(std::to_string(value.integer)); break;
    case ValueType::kDouble: json.Key("doubleValue").Double(value.number); break;
    case ValueType::kBytes: json.Key("bytesValue").String(ValueText(any_value)); break;
    case ValueType::kArray:
      json.Key("arrayValue").BeginObject().Key("values").BeginArray();
      // What came in was checked against this depth; damage must not overflow the stack.
      for (ValueItems at(value); depth <= kMaxValueDepth && at.Next();) {
        WriteAnyValueAt(json, at.value, depth + 1);
      }
      json.EndArray().EndObject();
      break;
    case ValueType::kMap:
      json.Key("kvlistValue").BeginObject().Key("values").BeginArray();
      for (ValueItems at(value); depth <= kMaxValueDepth && at.Next();) {
        json.BeginObject().Key("key").String(at.key).Key("value");
        WriteAnyValueAt(json, at.value, depth + 1);
        json.EndObject();
      }
      json.EndArray().EndObject();
      break;
  }
  json.EndObject();
}

class Writer {
 public:
  Writer(wire::JsonWriter& json, const Batch& batch, OtlpJson form)
      : json_(json), batch_(batch), form_(form) {}

  void Resource(std::uint32_t index) {
    json_.Key("resource").BeginObject();
    const auto* resource = batch_.ResourceOf(index);
    if (resource != nullptr && resource->attributes.count > 0) {
      Attributes(resource->attributes);
    } else {
      json_.Key("attributes").BeginArray().BeginObject();
      json_.Key("key").String("service.name");
      json_.Key("value").BeginObject().Key("stringValue").String(kUnknownService).EndObject();
      json_.EndObject().EndArray();
    }
    json_.EndObject();
  }

  void Scope(std::uint32_t index) {
    json_.Key("scope").BeginObject();
    if (const auto* scope = batch_.ScopeOf(index)) {
      Text("name", scope->name);
      Text("version", scope->version);
      Attributes(scope->attributes);
    }
    json_.EndObject();
  }

  void OneSpan(const Span& span) {
    json_.BeginObject();
    Id("traceId", span.trace_id);
    Id("spanId", span.span_id);
    Text("traceState", span.trace_state);
    if (span.parent_span_id.IsValid()) Id("parentSpanId", span.parent_span_id);
    Text("name", span.name);
    Enum("kind", span.kind, kKinds);
    json_.Key("startTimeUnixNano").UintString(span.start_unix_ns);
    json_.Key("endTimeUnixNano").UintString(span.end_unix_ns);
    Attributes(span.attributes);
    Events(span);
    Links(span);
    json_.Key("status").BeginObject();
    Text("message", span.status_message);
    if (span.status_code != 0) Enum("code", span.status_code, kStatuses);
    json_.EndObject();
    if (span.flags != 0) json_.Key("flags").Uint(span.flags);
    json_.EndObject();
  }

 private:
  void Text(std::string_view key, std::string_view text) {
    if (!text.empty()) json_.Key(key).String(text);
  }

  // Enumerations are open: numbers without a name stay numbers.
  template <std::size_t kCount>
  void Enum(std::string_view key, std::uint32_t number,
            const std::array<std::string_view, kCount>& names) {
    json_.Key(key);
    if (form_ == OtlpJson::kProtobuf && number < kCount) {
      json_.String(names[number]);
    } else {
      json_.Uint(number);
    }
  }

  template <typename IdType>
  void Id(std::string_view key, IdType id) {
    const std::string hex = ToHex(id);
    json_.Key(key);
    if (form_ == OtlpJson::kOtlp) {
      json_.String(hex);
    } else {
      std::string any_value;
      AppendBytesValue(BytesOfHex(hex), any_value);
      json_.String(ValueText(any_value));  // Of bytes: base64.
    }
  }

  static std::string BytesOfHex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
    }
    return bytes;
  }

  void Attributes(Range range) {
    if (range.count == 0) return;
    json_.Key("attributes").BeginArray();
    for (const Attribute& attribute : batch_.Of(range)) {
      json_.BeginObject().Key("key").String(attribute.key()).Key("value");
      WriteAnyValue(json_, attribute.value());
      json_.EndObject();
    }
    json_.EndArray();
  }

  void Events(const Span& span) {
    if (span.events.count == 0) return;
    json_.Key("events").BeginArray();
    for (const SpanEvent& event : batch_.EventsOf(span)) {
      json_.BeginObject();
      json_.Key("timeUnixNano").UintString(event.time_unix_ns);
      Text("name", event.name);
      Attributes(event.attributes);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void Links(const Span& span) {
    if (span.links.count == 0) return;
    json_.Key("links").BeginArray();
    for (const SpanLink& link : batch_.LinksOf(span)) {
      json_.BeginObject();
      Id("traceId", link.trace_id);
      Id("spanId", link.span_id);
      Text("traceState", link.trace_state);
      Attributes(link.attributes);
      if (link.flags != 0) json_.Key("flags").Uint(link.flags);
      json_.EndObject();
    }
    json_.EndArray();
  }

  wire::JsonWriter& json_;
  const Batch& batch_;
  const OtlpJson form_;
};

}  // namespace

void WriteAnyValue(wire::JsonWriter& json, std::string_view any_value) {
  WriteAnyValueAt(json, any_value, 0);
}

void WriteResourceSpans(wire::JsonWriter& json, const Batch& batch, const TraceTree& tree,
                        OtlpJson form) {
  Writer writer(json, batch, form);
  json.BeginArray();
  const OtlpMember* before = nullptr;
  const auto close_scope = [&] { json.EndArray().EndObject(); };
  const auto close_resource = [&] { json.EndArray().EndObject(); };
  const std::vector<OtlpMember> members = OtlpGroups(batch, tree);
  for (const OtlpMember& member : members) {
    const bool new_resource = before == nullptr || member.resource_rank != before->resource_rank;
    if (new_resource || member.scope_rank != before->scope_rank) {
      if (before != nullptr) close_scope();
      if (new_resource) {
        if (before != nullptr) close_resource();
        json.BeginObject();
        writer.Resource(member.resource);
        json.Key("scopeSpans").BeginArray();
      }
      json.BeginObject();
      writer.Scope(member.scope);
      json.Key("spans").BeginArray();
    }
    writer.OneSpan(tree.At(batch, member.place));
    before = &member;
  }
  if (before != nullptr) {
    close_scope();
    close_resource();
  }
  json.EndArray();
}

}  // namespace throughline::api
