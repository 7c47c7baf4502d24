#include "api/otlp_traces.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "api/otlp_groups.h"

namespace throughline::api {
namespace {

// Tags of the messages written here: field number << 3 | wire type (1: fixed64, 2: bytes,
// 0: varint, 5: fixed32).
constexpr std::uint64_t Tag(std::uint64_t field, std::uint64_t wire_type) {
  return field << 3U | wire_type;
}

void PutBytes(std::uint64_t field, std::string_view bytes, std::string& out) {
  AppendVarint(Tag(field, 2), out);
  AppendVarint(bytes.size(), out);
  out += bytes;
}

// Proto3: what is empty or zero is not written.
void PutText(std::uint64_t field, std::string_view text, std::string& out) {
  if (!text.empty()) PutBytes(field, text, out);
}

void PutVarint(std::uint64_t field, std::uint64_t value, std::string& out) {
  if (value == 0) return;
  AppendVarint(Tag(field, 0), out);
  AppendVarint(value, out);
}

template <typename Unsigned>
void PutFixed(std::uint64_t field, Unsigned value, std::string& out) {
  if (value == 0) return;
  AppendVarint(Tag(field, sizeof value == 8 ? 1 : 5), out);
  for (std::size_t i = 0; i < sizeof value; ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xffU);
  }
}

void PutAttributes(std::uint64_t field, std::span<const Attribute> attributes, std::string& out) {
  for (const Attribute& attribute : attributes) PutBytes(field, attribute.bytes(), out);
}

void PutId(std::uint64_t field, SpanId id, std::string& out) {
  if (!id.IsValid()) return;
  AppendVarint(Tag(field, 2), out);
  AppendVarint(8, out);
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(id.value >> shift & 0xffU);
}

void PutId(std::uint64_t field, TraceId id, std::string& out) {
  AppendVarint(Tag(field, 2), out);
  AppendVarint(16, out);
  for (const std::uint64_t half : {id.high, id.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(half >> shift & 0xffU);
  }
}

void PutEvents(const Span& span, const Batch& batch, std::string& out) {
  std::string message;
  for (const SpanEvent& event : batch.EventsOf(span)) {
    message.clear();
    PutFixed(1, event.time_unix_ns, message);
    PutText(2, event.name, message);
    PutAttributes(3, batch.Of(event.attributes), message);
    PutBytes(11, message, out);
  }
}

void PutLinks(const Span& span, const Batch& batch, std::string& out) {
  std::string message;
  for (const SpanLink& link : batch.LinksOf(span)) {
    message.clear();
    PutId(1, link.trace_id, message);
    PutId(2, link.span_id, message);
    PutText(3, link.trace_state, message);
    PutAttributes(4, batch.Of(link.attributes), message);
    PutFixed(6, link.flags, message);
    PutBytes(13, message, out);
  }
}

void PutSpan(const Span& span, const Batch& batch, OtlpPresence presence, std::string& out) {
  std::string message;
  PutId(1, span.trace_id, message);
  PutId(2, span.span_id, message);
  PutText(3, span.trace_state, message);
  PutId(4, span.parent_span_id, message);
  PutText(5, span.name, message);
  PutVarint(6, span.kind, message);
  PutFixed(7, span.start_unix_ns, message);
  PutFixed(8, span.end_unix_ns, message);
  PutAttributes(9, batch.Of(span.attributes), message);
  PutEvents(span, batch, message);
  PutLinks(span, batch, message);
  if (presence == OtlpPresence::kAlways || span.status_code != 0 || !span.status_message.empty()) {
    std::string status;
    PutText(2, span.status_message, status);
    PutVarint(3, span.status_code, status);
    PutBytes(15, status, message);
  }
  PutFixed(16, span.flags, message);
  PutBytes(2, message, out);
}

void PutScope(const Batch& batch, std::uint32_t index, OtlpPresence presence, std::string& out) {
  const InstrumentationScope* scope = batch.ScopeOf(index);
  if (scope == nullptr && presence == OtlpPresence::kAsSent) return;
  std::string message;
  if (scope != nullptr) {
    PutText(1, scope->name, message);
    PutText(2, scope->version, message);
    PutAttributes(3, batch.Of(scope->attributes), message);
  }
  PutBytes(1, message, out);
}

void PutResource(const Batch& batch, std::uint32_t index, OtlpPresence presence, std::string& out) {
  const Resource* resource = batch.ResourceOf(index);
  if (resource == nullptr && presence == OtlpPresence::kAsSent) return;
  std::string message;
  if (resource != nullptr) PutAttributes(1, batch.Of(resource->attributes), message);
  if (message.empty() && presence == OtlpPresence::kAlways) {
    std::string attribute;
    PutBytes(1, "service.name", attribute);
    std::string value;
    AppendStringValue(kUnknownService, value);
    PutBytes(2, value, attribute);
    PutBytes(1, attribute, message);
  }
  PutBytes(1, message, out);
}

}  // namespace

std::string OtlpTracesData(const Batch& batch, const TraceTree& tree, OtlpPresence presence) {
  const std::vector<OtlpMember> members = OtlpGroups(batch, tree);
  std::string out;
  std::string of_resource;
  std::string of_scope;
  for (std::size_t i = 0; i < members.size();) {
    const std::uint32_t resource_rank = members[i].resource_rank;
    of_resource.clear();
    PutResource(batch, members[i].resource, presence, of_resource);
    while (i < members.size() && members[i].resource_rank == resource_rank) {
      const std::uint32_t scope_rank = members[i].scope_rank;
      of_scope.clear();
      PutScope(batch, members[i].scope, presence, of_scope);
      for (; i < members.size() && members[i].resource_rank == resource_rank &&
             members[i].scope_rank == scope_rank;
           ++i) {
        PutSpan(tree.At(batch, members[i].place), batch, presence, of_scope);
      }
      PutBytes(2, of_scope, of_resource);
    }
    PutBytes(1, of_resource, out);
  }
  return out;
}

}  // namespace throughline::api
