#include "api/otlp_traces.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

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

void PutSpan(const Span& span, const Batch& batch, std::string& out) {
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
  if (span.status_code != 0 || !span.status_message.empty()) {
    std::string status;
    PutText(2, span.status_message, status);
    PutVarint(3, span.status_code, status);
    PutBytes(15, status, message);
  }
  PutFixed(16, span.flags, message);
  PutBytes(2, message, out);
}

bool SameAttributes(std::span<const Attribute> a, std::span<const Attribute> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Attribute& x, const Attribute& y) { return x.bytes() == y.bytes(); });
}

bool SameResource(const Batch& batch, std::uint32_t a, std::uint32_t b) {
  if (a == b || a == kNoIndex || b == kNoIndex) return a == b;
  return SameAttributes(batch.Of(batch.resources[a].attributes),
                        batch.Of(batch.resources[b].attributes));
}

bool SameScope(const Batch& batch, std::uint32_t a, std::uint32_t b) {
  if (a == b || a == kNoIndex || b == kNoIndex) return a == b;
  const InstrumentationScope& x = batch.scopes[a];
  const InstrumentationScope& y = batch.scopes[b];
  return x.name == y.name && x.version == y.version &&
         SameAttributes(batch.Of(x.attributes), batch.Of(y.attributes));
}

// For each index the first index, in order of use, whose content is the same.
class Merged {
 public:
  explicit Merged(std::size_t count) : first_of_(count, kNoIndex) {}

  // `same` compares two indices. What is seen for the first time is compared with what stands for
  // itself, at most kCompared of them: beyond, equal content may stand twice.
  template <typename Same>
  std::uint32_t Of(std::uint32_t index, const Same& same) {
    if (index == kNoIndex) return index;
    if (first_of_[index] != kNoIndex) return first_of_[index];
    constexpr std::size_t kCompared = 256;
    const std::size_t count = std::min(firsts_.size(), kCompared);
    for (std::size_t i = 0; i < count; ++i) {
      if (same(firsts_[i], index)) return first_of_[index] = firsts_[i];
    }
    firsts_.push_back(index);
    return first_of_[index] = index;
  }

 private:
  std::vector<std::uint32_t> first_of_;
  std::vector<std::uint32_t> firsts_;
};

// A run of spans under one resource and one scope, by their first span.
struct Member {
  std::uint32_t resource_rank = 0;  // The place of the first span of the resource.
  std::uint32_t scope_rank = 0;     // The place of the first span of resource and scope.
  std::uint32_t place = 0;
  std::uint32_t resource = kNoIndex;
  std::uint32_t scope = kNoIndex;
};

std::vector<Member> Grouped(const Batch& batch, const TraceTree& tree) {
  Merged resources(batch.resources.size());
  Merged scopes(batch.scopes.size());
  std::vector<Member> members(tree.order.size());
  for (std::uint32_t place = 0; place < members.size(); ++place) {
    const Span& span = tree.At(batch, place);
    Member& member = members[place];
    member.place = place;
    member.resource = resources.Of(
        span.resource, [&](std::uint32_t a, std::uint32_t b) { return SameResource(batch, a, b); });
    member.scope = scopes.Of(
        span.scope, [&](std::uint32_t a, std::uint32_t b) { return SameScope(batch, a, b); });
  }
  const auto by_content = [](const Member& a, const Member& b) {
    return std::tie(a.resource, a.scope, a.place) < std::tie(b.resource, b.scope, b.place);
  };
  std::sort(members.begin(), members.end(), by_content);
  // Rank by first place: of the resource over all its scopes, then of the scope within it.
  for (std::size_t begin = 0; begin < members.size();) {
    std::size_t end = begin;
    std::uint32_t first = members[begin].place;
    for (; end < members.size() && members[end].resource == members[begin].resource; ++end) {
      first = std::min(first, members[end].place);
      const bool new_scope = end == begin || members[end].scope != members[end - 1].scope;
      members[end].scope_rank = new_scope ? members[end].place : members[end - 1].scope_rank;
    }
    for (; begin < end; ++begin) members[begin].resource_rank = first;
  }
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return std::tie(a.resource_rank, a.scope_rank, a.place) <
           std::tie(b.resource_rank, b.scope_rank, b.place);
  });
  return members;
}

void PutScope(const Batch& batch, std::uint32_t index, std::string& out) {
  const InstrumentationScope* scope = batch.ScopeOf(index);
  if (scope == nullptr) return;
  std::string message;
  PutText(1, scope->name, message);
  PutText(2, scope->version, message);
  PutAttributes(3, batch.Of(scope->attributes), message);
  PutBytes(1, message, out);
}

void PutResource(const Batch& batch, std::uint32_t index, std::string& out) {
  const Resource* resource = batch.ResourceOf(index);
  if (resource == nullptr) return;
  std::string message;
  PutAttributes(1, batch.Of(resource->attributes), message);
  PutBytes(1, message, out);
}

}  // namespace

std::string OtlpTracesData(const Batch& batch, const TraceTree& tree) {
  const std::vector<Member> members = Grouped(batch, tree);
  std::string out;
  std::string of_resource;
  std::string of_scope;
  for (std::size_t i = 0; i < members.size();) {
    const std::uint32_t resource_rank = members[i].resource_rank;
    of_resource.clear();
    PutResource(batch, members[i].resource, of_resource);
    while (i < members.size() && members[i].resource_rank == resource_rank) {
      const std::uint32_t scope_rank = members[i].scope_rank;
      of_scope.clear();
      PutScope(batch, members[i].scope, of_scope);
      for (; i < members.size() && members[i].resource_rank == resource_rank &&
             members[i].scope_rank == scope_rank;
           ++i) {
        PutSpan(tree.At(batch, members[i].place), batch, of_scope);
      }
      PutBytes(2, of_scope, of_resource);
    }
    PutBytes(1, of_resource, out);
  }
  return out;
}

}  // namespace throughline::api
