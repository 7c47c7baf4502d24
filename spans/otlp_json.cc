#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "correlate/ids.h"
#include "otlp/json.h"
#include "otlp/json_ids.h"
#include "spans/finish_span.h"
#include "spans/otlp.h"

namespace throughline::spans {
namespace {

using otlp::JsonMessage;
using otlp::JsonPath;
using wire::JsonValue;

enum SpanField : std::size_t {
  kTraceId,
  kSpanId,
  kTraceState,
  kParentSpanId,
  kFlags,
  kName,
  kKind,
  kStart,
  kEnd,
  kAttributes,
  kEvents,
  kLinks,
  kStatus,
  kSpanFields
};
constexpr JsonMessage<kSpanFields>::Names kSpanNames = {
    "traceId",           "spanId",          "traceState", "parentSpanId", "flags", "name",  "kind",
    "startTimeUnixNano", "endTimeUnixNano", "attributes", "events",       "links", "status"};

enum StatusField : std::size_t { kMessage, kCode, kStatusFields };
constexpr JsonMessage<kStatusFields>::Names kStatusNames = {"message", "code"};

enum EventField : std::size_t { kEventTime, kEventName, kEventAttributes, kEventFields };
constexpr JsonMessage<kEventFields>::Names kEventNames = {"timeUnixNano", "name", "attributes"};

enum LinkField : std::size_t {
  kLinkTraceId,
  kLinkSpanId,
  kLinkTraceState,
  kLinkAttributes,
  kLinkFlags,
  kLinkFields
};
constexpr JsonMessage<kLinkFields>::Names kLinkNames = {"traceId", "spanId", "traceState",
                                                        "attributes", "flags"};

// The place of `name` in `names`, or -1.
template <std::size_t kCount>
std::int64_t PlaceOf(std::string_view name, const std::array<std::string_view, kCount>& names) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : found - names.begin();
}

std::int64_t KindOf(std::string_view name) {
  constexpr std::array<std::string_view, 6> kKinds = {
      "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
      "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
  return PlaceOf(name, kKinds);
}

std::int64_t StatusCodeOf(std::string_view name) {
  constexpr std::array<std::string_view, 3> kCodes = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                      "STATUS_CODE_ERROR"};
  return PlaceOf(name, kCodes);
}

class JsonSpanReader {
 public:
  JsonSpanReader(otlp::JsonDecoder& decoder, Decoded& decoded)
      : decoder_(decoder),
        batch_(decoder.batch()),
        decoded_(decoded),
        finisher_(decoder.options(), decoder.batch(), decoded) {}

  void Read(JsonValue value, const JsonPath& at, std::uint32_t resource, std::uint32_t scope) {
    if (!finisher_.Begin()) return decoder_.Fail(finisher_.TooMany());
    decoder_.BeginRecord();
    repaired_ = {};
    const JsonMessage<kSpanFields> fields(decoder_, value, kSpanNames, at);
    Span span;
    span.resource = resource;
    span.scope = scope;
    ReadFields(fields, span);
    ReadStatus(fields[kStatus], fields.Child(kStatus), span);
    ReadEvents(fields, span);
    ReadLinks(fields, span);
    ReadIds(fields, span);
    if (!decoder_.ok()) return;
    if (decoder_.problem().empty()) {
      finisher_.Accept(span, repaired_);
    } else {
      finisher_.Reject(decoder_.problem());
    }
  }

 private:
  static void ReadFields(const JsonMessage<kSpanFields>& fields, Span& span) {
    span.trace_state = fields.KeptText(kTraceState);
    span.flags = fields.Uint32(kFlags);
    span.name = fields.KeptText(kName);
    span.kind = fields.Enum(kKind, KindOf);
    span.start_unix_ns = fields.Uint64(kStart);
    span.end_unix_ns = fields.Uint64(kEnd);
    span.attributes = fields.Attributes(kAttributes);
  }

  void ReadStatus(JsonValue value, const JsonPath& at, Span& span) {
    const JsonMessage<kStatusFields> status(decoder_, value, kStatusNames, at);
    span.status_message = status.KeptText(kMessage);
    span.status_code = status.Enum(kCode, StatusCodeOf);
  }

  // Events and links have the bound of attributes, each.
  bool IsOverBound(std::size_t count, const char* what) {
    const std::size_t bound = decoder_.options().attributes_per_record;
    if (count > bound) decoder_.Reject("more than " + std::to_string(bound) + ' ' + what);
    return count > bound;
  }

  void ReadEvents(const JsonMessage<kSpanFields>& fields, Span& span) {
    span.events.begin = static_cast<std::uint32_t>(batch_.events.size());
    if (IsOverBound(fields.Count(kEvents), "events")) return;
    fields.ForEach(kEvents, [this](JsonValue value, const JsonPath& at) {
      const JsonMessage<kEventFields> event(decoder_, value, kEventNames, at);
      batch_.events.push_back({.time_unix_ns = event.Uint64(kEventTime),
                               .name = event.KeptText(kEventName),
                               .attributes = event.Attributes(kEventAttributes)});
      return true;
    });
    span.events.count = static_cast<std::uint32_t>(batch_.events.size()) - span.events.begin;
  }

  void ReadLinks(const JsonMessage<kSpanFields>& fields, Span& span) {
    span.links.begin = static_cast<std::uint32_t>(batch_.span_links.size());
    if (IsOverBound(fields.Count(kLinks), "links")) return;
    fields.ForEach(kLinks, [this](JsonValue value, const JsonPath& at) {
      ReadLink(JsonMessage<kLinkFields>(decoder_, value, kLinkNames, at));
      return true;
    });
    span.links.count = static_cast<std::uint32_t>(batch_.span_links.size()) - span.links.begin;
  }

  void ReadLink(const JsonMessage<kLinkFields>& fields) {
    const Resolved trace = ResolveTraceIdText(fields.Text(kLinkTraceId));
    const ResolvedSpan span = ResolveSpanIdText(fields.Text(kLinkSpanId));
    const std::size_t attributes = batch_.attributes.size();
    SpanLink link{.trace_id = trace.trace_id,
                  .span_id = span.span_id,
                  .flags = fields.Uint32(kLinkFlags),
                  .trace_state = fields.KeptText(kLinkTraceState),
                  .attributes = fields.Attributes(kLinkAttributes)};
    if (!trace.IsValid() || !span.span_id.IsValid()) {
      ++decoded_.dropped_links;
      batch_.attributes.resize(attributes);
      return;
    }
    if (trace.repaired || span.repaired) repaired_ = "a link's id";
    batch_.span_links.push_back(link);
  }

  void ReadIds(const JsonMessage<kSpanFields>& fields, Span& span) {
    const Resolved trace = ResolveTraceIdText(fields.Text(kTraceId));
    const ResolvedSpan own = ResolveSpanIdText(fields.Text(kSpanId));
    const std::string_view parent_text = fields.Text(kParentSpanId);
    ResolvedSpan parent;
    if (!otlp::IsAbsentId(parent_text, otlp::kSpanIdDigits)) {
      parent = ResolveSpanIdText(parent_text);
    }
    span.trace_id = trace.trace_id;
    span.span_id = own.span_id;
    span.parent_span_id = parent.span_id;
    if (!trace.IsValid()) RejectId("traceId", trace.reason);
    if (!own.span_id.IsValid()) RejectId("spanId", own.reason);
    if (!parent.reason.empty()) RejectId("parentSpanId", parent.reason);
    if (trace.repaired) {
      repaired_ = "traceId";
    } else if (own.repaired || parent.repaired) {
      repaired_ = own.repaired ? "spanId" : "parentSpanId";
    }
  }

  void RejectId(std::string_view name, std::string_view reason) {
    decoder_.Reject(std::string(name).append(": ").append(reason));
  }

  otlp::JsonDecoder& decoder_;
  Batch& batch_;
  Decoded& decoded_;
  SpanFinisher finisher_;
  std::string_view repaired_;  // The id field of the span at hand that was repaired.
};

}  // namespace

Result<Decoded> DecodeOtlpJson(std::string_view bytes, const DecodeOptions& options, Batch& batch) {
  constexpr otlp::JsonEnvelope kEnvelope = {"resourceSpans", "scopeSpans", "spans"};
  Decoded decoded;
  otlp::JsonDecoder decoder(options, batch);
  TL_TRY_ASSIGN(const JsonValue request, decoder.Parse(bytes));
  JsonSpanReader reader(decoder, decoded);
  otlp::ForEachRecord(
      decoder, request, kEnvelope,
      [&batch](std::size_t count) { otlp::Expect(count, batch.spans); },
      [&reader](JsonValue value, const JsonPath& at, std::uint32_t resource, std::uint32_t scope) {
        reader.Read(value, at, resource, scope);
      });
  if (!decoder.ok()) return decoder.error();
  return decoded;
}

}  // namespace throughline::spans
