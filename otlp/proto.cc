#include "otlp/proto.h"

#include <algorithm>

#include "correlate/hash.h"
#include "correlate/identity.h"
#include "correlate/ids.h"

namespace throughline::otlp {
namespace {

constexpr std::string_view kServiceName = "service.name";

// So that a tiny first record does not make us expect millions of them.
constexpr std::size_t kSmallestUsualRecord = 100;

// True where the bytes after an integer's tag are one minimal varint.
inline bool IsMinimalVarint(std::string_view bytes) {
  constexpr std::size_t kMaxVarint = 10;
  const std::size_t last = bytes.size() - 1;
  if (bytes.empty() || bytes.size() > kMaxVarint) return false;
  for (std::size_t i = 0; i < last; ++i) {
    if (static_cast<unsigned char>(bytes[i]) < 0x80) return false;
  }
  const auto byte = static_cast<unsigned char>(bytes[last]);
  if (last == 0) return byte < 0x80;
  return byte != 0 && byte < (bytes.size() == kMaxVarint ? 2 : 0x80);
}

// True where `value`, the rest of a KeyValue, is canonical. The usual values are told at a glance;
// `ascii` says that its bytes all are.
inline bool IsPlainValue(std::string_view value, bool ascii) {
  if (value.size() >= 2) {
    const auto size = static_cast<unsigned char>(value[1]);
    if (value[0] == 0x0a && size < 0x80) {
      return size == value.size() - 2 && (ascii || IsUtf8(value.substr(2)));
    }
    if (value[0] == 0x18) return IsMinimalVarint(value.substr(1));
  }
  return IsCanonicalValue(value, 0);
}

// True where `message` is a canonical KeyValue with a key of less than 128 bytes: what senders
// write nearly always.
inline bool IsPlainKeyValue(std::string_view message) {
  const auto byte = [message](std::size_t i) -> std::size_t {
    return static_cast<unsigned char>(message[i]);
  };
  if (message.size() < 4 || byte(0) != 0x0a || byte(1) >= 0x80) return false;
  const std::size_t key_size = byte(1);
  std::size_t at = 2 + key_size;
  if (at + 2 > message.size() || byte(at) != 0x12) return false;
  std::size_t size = byte(++at);
  ++at;
  if (size >= 0x80) {
    if (at == message.size() || byte(at) >= 0x80 || byte(at) == 0) return false;
    size = (size & 0x7fU) | (byte(at++) << 7U);
  }
  if (message.size() - at != size) return false;
  const bool ascii = IsAscii(message.data(), message.size());
  return (ascii || IsUtf8({message.data() + 2, key_size})) &&
         IsPlainValue({message.data() + at, size}, ascii);
}

[[gnu::noinline, gnu::cold]] bool TooManyAttributes(ProtoRequest& request) {
  if (request.problem.empty()) {
    request.problem =
        "more than " + std::to_string(request.options.attributes_per_record) + " attributes";
  }
  return true;
}

[[gnu::noinline]] bool ReadOddKeyValue(std::string_view message, ProtoRequest& request) {
  Canonical& canonical = request.canonical;
  if (!canonical.KeyValue(message)) return request.Fail(canonical.fault());
  const std::string_view key = canonical.key();
  if (key.size() > kMaxKeyBytes) {
    request.problem = "attribute key has " + std::to_string(key.size()) + " bytes, at most " +
                      std::to_string(kMaxKeyBytes) + " are allowed";
    return true;
  }
  Batch& batch = request.batch;
  batch.attributes.push_back(
      MakeAttribute(key, canonical.value(), request.options.hash_seed, batch.arena));
  return true;
}

Range RangeFrom(std::size_t begin, const Batch& batch) {
  return {.begin = static_cast<std::uint32_t>(begin),
          .count = static_cast<std::uint32_t>(batch.attributes.size() - begin)};
}

// One part of a Resource: its attributes are added to the batch.
bool ReadResourcePart(std::string_view message, ProtoRequest& request) {
  wire::ProtoReader reader(message);
  while (reader.Next()) {
    if (reader.field() != 1) {
      reader.Skip();
    } else if (const std::string_view item = reader.Bytes(); reader.ok()) {
      if (!ReadKeyValue(item, request)) return false;
    }
  }
  return reader.ok() || request.Fail(reader.fault());
}

bool ReadScopePart(std::string_view message, InstrumentationScope& scope, ProtoRequest& request) {
  wire::ProtoReader reader(message);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: scope.name = ReadText(reader); break;
      case 2: scope.version = ReadText(reader); break;
      case 3:
        if (const std::string_view item = reader.Bytes(); reader.ok()) {
          if (!ReadKeyValue(item, request)) return false;
        }
        break;
      default: reader.Skip();
    }
  }
  return reader.ok() || request.Fail(reader.fault());
}

// What ResourceX and ScopeX have in common: field 1, merged, and field 2, repeated.
struct Outline {
  std::size_t heads = 0;
  std::size_t items = 0;
};

bool ReadOutline(std::string_view message, Outline& outline, ProtoRequest& request) {
  wire::ProtoReader reader(message);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        reader.Bytes();
        ++outline.heads;
        break;
      case 2:
        reader.Bytes();
        ++outline.items;
        break;
      default: reader.Skip();
    }
  }
  return reader.ok() || request.Fail(reader.fault());
}

// Calls `on_part` with each `field` of a message whose outline is read, until it says false.
template <typename OnPart>
bool ForEach(std::string_view message, std::uint32_t field, OnPart on_part) {
  wire::ProtoReader reader(message);
  while (reader.Next()) {
    if (reader.field() != field) {
      reader.Skip();
    } else if (!on_part(reader.Bytes())) {
      return false;
    }
  }
  return true;
}

// What stands for all records of a request cannot be rejected with one of them.
bool RefuseProblem(std::string_view where, ProtoRequest& request) {
  if (request.problem.empty()) return true;
  return request.Fail(Error{Errc::kTooLarge, std::string(where) + ": " + request.problem});
}

bool ReadResource(std::string_view group, std::uint32_t& index, ProtoRequest& request) {
  Batch& batch = request.batch;
  const std::size_t begin = batch.attributes.size();
  request.BeginRecord();
  const bool read =
      ForEach(group, 1, [&](std::string_view part) { return ReadResourcePart(part, request); });
  if (!read || !RefuseProblem("resource", request)) return false;
  Resource resource{.attributes = RangeFrom(begin, batch), .service = {}, .hash = 0};
  for (const Attribute& attribute : batch.Of(resource.attributes)) {
    if (attribute.key() != kServiceName) continue;
    const Value value = ReadValue(attribute.value());
    if (value.type == ValueType::kString) resource.service = value.bytes;
  }
  resource.hash = HashOf(resource, batch, request.options.hash_seed);
  index = static_cast<std::uint32_t>(batch.resources.size());
  batch.resources.push_back(resource);
  return true;
}

bool ReadScope(std::span<const std::string_view> parts, std::uint32_t& index,
               ProtoRequest& request) {
  Batch& batch = request.batch;
  const std::size_t begin = batch.attributes.size();
  InstrumentationScope scope;
  request.BeginRecord();
  for (const std::string_view part : parts) {
    if (!ReadScopePart(part, scope, request)) return false;
  }
  if (!RefuseProblem("scope", request)) return false;
  scope.attributes = RangeFrom(begin, batch);
  scope.hash = HashOf(scope, batch, request.options.hash_seed);
  index = static_cast<std::uint32_t>(batch.scopes.size());
  batch.scopes.push_back(scope);
  return true;
}

// How much a batch held, to go back to. The arena keeps what it has.
class BatchSizes {
 public:
  explicit BatchSizes(const Batch& batch)
      : resources_(batch.resources.size()),
        scopes_(batch.scopes.size()),
        attributes_(batch.attributes.size()),
        events_(batch.events.size()),
        span_links_(batch.span_links.size()),
        related_(batch.related.size()),
        spans_(batch.spans.size()),
        logs_(batch.logs.size()),
        exemplars_(batch.exemplars.size()),
        gauges_(batch.gauges.size()) {}

  void Restore(Batch& batch) const {
    batch.resources.resize(resources_);
    batch.scopes.resize(scopes_);
    batch.attributes.resize(attributes_);
    batch.events.resize(events_);
    batch.span_links.resize(span_links_);
    batch.related.resize(related_);
    batch.spans.resize(spans_);
    batch.logs.resize(logs_);
    batch.exemplars.resize(exemplars_);
    batch.gauges.resize(gauges_);
  }

 private:
  std::size_t resources_;
  std::size_t scopes_;
  std::size_t attributes_;
  std::size_t events_;
  std::size_t span_links_;
  std::size_t related_;
  std::size_t spans_;
  std::size_t logs_;
  std::size_t exemplars_;
  std::size_t gauges_;
};

}  // namespace

Error ProtoRequest::ErrorOf() const {
  if (!error.message.empty()) return error;
  return InvalidArgument(fault.Text(body));
}

bool ReadKeyValue(std::string_view message, ProtoRequest& request) {
  Batch& batch = request.batch;
  if (__builtin_expect(batch.attributes.size() >= request.attributes_end, 0)) {
    return TooManyAttributes(request);
  }
  if (__builtin_expect(!IsPlainKeyValue(message), 0)) return ReadOddKeyValue(message, request);
  batch.attributes.push_back(
      {.data = message.data(),
       .size = static_cast<std::uint32_t>(message.size()),
       .key_size = static_cast<unsigned char>(message[1]),
       .hash = HashBytes(message.data(), message.size(), request.options.hash_seed)});
  return true;
}

bool ReadAnyValue(std::span<const std::string_view> parts, std::string_view& any_value,
                  ProtoRequest& request) {
  if (parts.size() == 1 && IsCanonicalValue(parts.front(), 0)) {
    any_value = parts.front();
    return true;
  }
  if (!request.canonical.AnyValue(parts)) return request.Fail(request.canonical.fault());
  any_value = request.batch.arena.Copy(request.canonical.value());
  return true;
}

IdState ReadOddTraceId(std::string_view bytes, TraceId& id, bool& repaired) {
  id = {};
  if (bytes.find_first_not_of('0') == std::string_view::npos) {
    return bytes.empty() || bytes.size() == 32 ? IdState::kAbsent : IdState::kBroken;
  }
  if (bytes.size() != 32) return IdState::kBroken;
  const Resolved resolved = ResolveTraceIdBytes(bytes);
  if (!resolved.IsValid()) return IdState::kBroken;
  id = resolved.trace_id;
  repaired = true;
  return IdState::kValid;
}

IdState ReadOddSpanId(std::string_view bytes, SpanId& id, bool& repaired) {
  id = {};
  if (bytes.find_first_not_of('0') == std::string_view::npos) {
    return bytes.empty() || bytes.size() == 16 ? IdState::kAbsent : IdState::kBroken;
  }
  if (bytes.size() != 16) return IdState::kBroken;
  const ResolvedSpan resolved = ResolveSpanIdBytes(bytes);
  if (!resolved.span_id.IsValid()) return IdState::kBroken;
  id = resolved.span_id;
  repaired = true;
  return IdState::kValid;
}

std::string IdProblem(std::string_view field, std::string_view bytes, std::size_t wanted) {
  std::string problem(field);
  const char zero = bytes.size() == wanted ? '\0' : '0';
  if ((bytes.size() == wanted || bytes.size() == 2 * wanted) &&
      bytes.find_first_not_of(zero) == std::string_view::npos) {
    return problem += " is all zero";
  }
  problem += " has " + std::to_string(bytes.size()) + " bytes, want " + std::to_string(wanted);
  return problem;
}

bool Envelope::Read(ProtoRequest& request) {
  if (request.body.size() > kMaxMessageBytes) {
    return request.Fail(
        Error{Errc::kTooLarge, "message has " + std::to_string(request.body.size()) +
                                   " bytes, protobuf allows " + std::to_string(kMaxMessageBytes)});
  }
  const BatchSizes before(request.batch);
  scopes_first_ = true;
  const bool read = ReadGroups(request);
  if (scopes_first_) return read;
  // Some scope came after its records: once more, looking for the scopes first.
  before.Restore(request.batch);
  OnRestart();
  return ReadGroups(request);
}

bool Envelope::ReadGroups(ProtoRequest& request) {
  wire::ProtoReader reader(request.body);
  while (reader.Next()) {
    if (reader.field() != 1) {
      reader.Skip();
    } else if (const std::string_view group = reader.Bytes(); reader.ok()) {
      if (!ReadGroup(group, request)) return false;
    }
  }
  return reader.ok() || request.Fail(reader.fault());
}

bool Envelope::ReadGroup(std::string_view message, ProtoRequest& request) {
  Outline outline;
  if (!ReadOutline(message, outline, request)) return false;
  const BatchSizes before(request.batch);
  std::uint32_t resource = kNoIndex;
  if (outline.heads > 0 && !ReadResource(message, resource, request)) return false;
  if (outline.items == 0) before.Restore(request.batch);  // Checked, and not needed.
  return ForEach(message, 2, [&](std::string_view group) {
    return scopes_first_ ? StreamScopeGroup(group, resource, request)
                         : ReadScopeGroup(group, resource, request);
  });
}

// Reads records as they come: looking ahead for the scope would touch every record's memory twice.
bool Envelope::StreamScopeGroup(std::string_view message, std::uint32_t resource,
                                ProtoRequest& request) {
  std::uint32_t scope = kNoIndex;
  std::string_view scope_message;
  bool scope_sent = false;
  bool scope_read = false;
  wire::ProtoReader reader(message);
  while (reader.Next()) {
    if (reader.field() == 1) {
      if (scope_sent || scope_read) return scopes_first_ = false;
      scope_message = reader.Bytes();
      scope_sent = true;
    } else if (reader.field() == 2) {
      const std::string_view record = reader.Bytes();
      if (!reader.ok()) break;
      if (!scope_read) {
        scope_read = true;
        if (scope_sent && !ReadScope({&scope_message, 1}, scope, request)) return false;
        OnScope(message.size() / std::max(record.size(), kSmallestUsualRecord) + 1);
      }
      if (!OnRecord(record, resource, scope)) return false;
    } else {
      reader.Skip();
    }
  }
  if (!reader.ok()) return request.Fail(reader.fault());
  if (scope_sent && !scope_read) {  // No records: checked, and not needed.
    const BatchSizes before(request.batch);
    if (!ReadScope({&scope_message, 1}, scope, request)) return false;
    before.Restore(request.batch);
  }
  return true;
}

bool Envelope::ReadScopeGroup(std::string_view message, std::uint32_t resource,
                              ProtoRequest& request) {
  Outline outline;
  if (!ReadOutline(message, outline, request)) return false;
  const BatchSizes before(request.batch);
  std::uint32_t scope = kNoIndex;
  if (outline.heads > 0) {
    std::vector<std::string_view> parts;
    ForEach(message, 1, [&](std::string_view part) {
      parts.push_back(part);
      return true;
    });
    if (!ReadScope(parts, scope, request)) return false;
  }
  if (outline.items == 0) before.Restore(request.batch);  // Checked, and not needed.
  OnScope(outline.items);
  return ForEach(message, 2,
                 [&](std::string_view record) { return OnRecord(record, resource, scope); });
}

}  // namespace throughline::otlp
