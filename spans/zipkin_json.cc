#include <cmath>
#include <string>
#include <string_view>

#include "correlate/digits.h"
#include "correlate/ids.h"
#include "otlp/json.h"
#include "otlp/json_ids.h"
#include "spans/zipkin.h"
#include "spans/zipkin_span.h"

namespace throughline::spans {
namespace {

using otlp::JsonMessage;
using otlp::JsonPath;
using wire::JsonType;
using wire::JsonValue;

enum SpanField : std::size_t {
  kTraceId,
  kParentId,
  kId,
  kKind,
  kName,
  kTimestamp,
  kDuration,
  kLocalEndpoint,
  kRemoteEndpoint,
  kAnnotations,
  kTags,
  kDebug,
  kShared,
  kSpanFields
};
constexpr JsonMessage<kSpanFields>::Names kSpanNames = {
    "traceId",       "parentId",       "id",          "kind", "name",  "timestamp", "duration",
    "localEndpoint", "remoteEndpoint", "annotations", "tags", "debug", "shared"};

enum EndpointField : std::size_t { kServiceName, kIpv4, kIpv6, kPort, kEndpointFields };
constexpr JsonMessage<kEndpointFields>::Names kEndpointNames = {"serviceName", "ipv4", "ipv6",
                                                                "port"};

enum AnnotationField : std::size_t { kTime, kValue, kAnnotationFields };
constexpr JsonMessage<kAnnotationFields>::Names kAnnotationNames = {"timestamp", "value"};

// 1 to 32 hexadecimal digits, which Zipkin pads to 16 or 32.
bool ParseTraceId(std::string_view text, TraceId& id) {
  if (text.size() <= 16) return digits::ParseHex(text, id.low) && id.IsValid();
  if (text.size() > 32) return false;
  const std::string_view low = text.substr(text.size() - 16);
  return digits::ParseHex(text.substr(0, text.size() - 16), id.high) &&
         digits::ParseHex(low, id.low) && id.IsValid();
}

class JsonReader {
 public:
  JsonReader(otlp::JsonDecoder& decoder, Decoded& decoded)
      : decoder_(decoder),
        // The document goes when decoding ends.
        translator_(decoder.options(), decoder.batch(), decoded, ZipkinTranslator::Texts::kGo),
        span_(translator_.span) {}

  void Read(JsonValue value, const JsonPath& at) {
    if (!translator_.Begin()) return decoder_.Fail(translator_.TooMany());
    const JsonMessage<kSpanFields> fields(decoder_, value, kSpanNames, at);
    ReadIds(fields);
    span_.kind = KindOfZipkin(fields.Text(kKind));
    span_.name = fields.Text(kName);
    span_.start_unix_ns = Micros(fields[kTimestamp], at, fields.name(kTimestamp));
    span_.duration_ns = Micros(fields[kDuration], at, fields.name(kDuration));
    span_.debug = fields.Bool(kDebug);
    span_.shared = fields.Bool(kShared);
    ReadEndpoint(fields[kLocalEndpoint], fields.Child(kLocalEndpoint), span_.local);
    ReadEndpoint(fields[kRemoteEndpoint], fields.Child(kRemoteEndpoint), span_.remote);
    ReadAnnotations(fields);
    ReadTags(fields[kTags], fields.Child(kTags));
    if (decoder_.ok()) translator_.Finish();
  }

 private:
  void ReadIds(const JsonMessage<kSpanFields>& fields) {
    const std::string_view trace_id = fields.Text(kTraceId);
    if (!ParseTraceId(trace_id, span_.trace_id)) {
      const Resolved resolved = ResolveTraceIdText(trace_id);
      span_.trace_id = resolved.trace_id;
      if (!resolved.IsValid()) RejectId("traceId", resolved.reason);
      if (resolved.repaired) translator_.Repaired("traceId");
    }
    ReadSpanId(fields, kId, span_.span_id);
    const std::string_view parent = fields.Text(kParentId);
    if (parent.find_first_not_of('0') != std::string_view::npos) {
      ReadSpanId(fields, kParentId, span_.parent_span_id);
    }
  }

  void ReadSpanId(const JsonMessage<kSpanFields>& fields, std::size_t field, SpanId& id) {
    const std::string_view text = fields.Text(field);
    if (digits::ParseHex(text, id.value) && id.IsValid()) return;
    const ResolvedSpan resolved = ResolveSpanIdText(text);
    id = resolved.span_id;
    if (!resolved.reason.empty()) RejectId(fields.name(field), resolved.reason);
    if (resolved.repaired) translator_.Repaired(fields.name(field));
  }

  void RejectId(std::string_view name, std::string_view reason) {
    translator_.Reject(std::string(name).append(": ").append(reason));
  }

  // Microseconds, with a fraction where the sender has one.
  std::uint64_t Micros(JsonValue value, const JsonPath& at, std::string_view name) {
    if (value.type() == JsonType::kDouble || (value.is_integer() && value.integer() < 0)) {
      const double micros = decoder_.Double(value, at, name);
      if (micros < 0) {
        translator_.Reject(std::string(name) + " is negative");
        return 0;
      }
      const double whole = std::floor(micros);
      if (whole >= 0x1p64) return UINT64_MAX;
      const std::uint64_t ns = NsOfMicros(static_cast<std::uint64_t>(whole));
      const auto rest = static_cast<std::uint64_t>((micros - whole) * 1000);
      return ns > UINT64_MAX - rest ? UINT64_MAX : ns + rest;
    }
    return NsOfMicros(decoder_.Uint64(value, at, name));
  }

  void ReadEndpoint(JsonValue value, const JsonPath& at, ZipkinEndpoint& endpoint) {
    const JsonMessage<kEndpointFields> fields(decoder_, value, kEndpointNames, at);
    endpoint.service = fields.Text(kServiceName);
    endpoint.ipv4 = fields.Text(kIpv4);
    endpoint.ipv6 = fields.Text(kIpv6);
    endpoint.port = fields.Int64(kPort);
  }

  void ReadAnnotations(const JsonMessage<kSpanFields>& fields) {
    fields.ForEach(kAnnotations, [this](JsonValue value, const JsonPath& at) {
      const JsonMessage<kAnnotationFields> annotation(decoder_, value, kAnnotationNames, at);
      span_.annotations.push_back(
          {.time_unix_ns = Micros(annotation[kTime], at, annotation.name(kTime)),
           .value = annotation.Text(kValue)});
      return true;
    });
  }

  void ReadTags(JsonValue tags, const JsonPath& at) {
    if (!decoder_.IsMessage(tags, at)) return;
    for (wire::JsonMembers members(tags); members.Next();) {
      const JsonValue value = members.value();
      ZipkinTag tag{.key = members.key(), .value = {}};
      switch (value.type()) {
        case JsonType::kNull: continue;
        case JsonType::kString:
          tag.value.type = ValueType::kString;
          tag.value.bytes = value.string();
          break;
        case JsonType::kBool:
          tag.value.type = ValueType::kBool;
          tag.value.boolean = value.boolean();
          break;
        case JsonType::kInt:
          tag.value.type = ValueType::kInt;
          tag.value.integer = value.integer();
          break;
        case JsonType::kUint:
        case JsonType::kDouble:
          tag.value.type = ValueType::kDouble;
          tag.value.number = decoder_.Double(value, at, tag.key);
          break;
        case JsonType::kArray:
        case JsonType::kObject: return decoder_.FailType("a string", value, at, tag.key);
      }
      span_.tags.push_back(tag);
    }
  }

  otlp::JsonDecoder& decoder_;
  ZipkinTranslator translator_;
  ZipkinSpan& span_;
};

}  // namespace

Result<Decoded> DecodeZipkinJson(std::string_view bytes, const DecodeOptions& options,
                                 Batch& batch) {
  Decoded decoded;
  otlp::JsonDecoder decoder(options, batch);
  TL_TRY_ASSIGN(const JsonValue list, decoder.ParseList(bytes));
  otlp::Expect(list.count(), batch.spans);
  JsonReader reader(decoder, decoded);
  JsonPath path{.parent = nullptr, .name = {}, .index = 0};
  for (wire::JsonItems items(list); decoder.ok() && items.Next(); ++path.index) {
    reader.Read(items.value(), path);
  }
  if (!decoder.ok()) return decoder.error();
  return decoded;
}

}  // namespace throughline::spans
