// The envelope that all OTLP signals share, in protobuf: attributes, resource, scope, ids.
//
// Everything that comes out is canonical (correlate/attribute.h), whatever order and encoding the
// sender chose; where the sender's bytes are canonical already, they are viewed, not copied.
// Source: opentelemetry-proto v1.x common/v1/common.proto, resource/v1/resource.proto.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "otlp/canonical.h"
#include "otlp/utf8.h"
#include "wire/protobuf.h"

namespace throughline::otlp {

// Protobuf's own limit on a message; sizes inside fit 32 bits.
inline constexpr std::size_t kMaxMessageBytes = 0x7fffffff;

// One request on its way into a batch: what every function below reads and appends to.
//
// Functions that return false have set `fault` or `error`; ErrorOf() then says why the whole
// request is refused. Where they set `problem` instead, the request is good and only the record
// being read is not: the caller rejects it with that reason.
struct ProtoRequest {
  ProtoRequest(std::string_view request_body, const DecodeOptions& decode_options, Batch& into)
      : body(request_body), options(decode_options), batch(into) {}

  // Before the attributes of a record: they are bounded together from here.
  void BeginRecord() {
    attributes_end = batch.attributes.size() + options.attributes_per_record;
    problem.clear();
  }
  // False, for `return`.
  bool Fail(const wire::ProtoFault& cause) {
    if (!fault) fault = cause;
    return false;
  }
  bool Fail(Error cause) {
    if (error.message.empty()) error = std::move(cause);
    return false;
  }
  Error ErrorOf() const;

  std::string_view body;
  const DecodeOptions& options;
  Batch& batch;
  Canonical canonical;
  std::size_t attributes_end = 0;
  std::string problem;  // Why the record at hand is to be rejected; empty: it is not.
  wire::ProtoFault fault;
  Error error;
};

// Adds one KeyValue message to batch.attributes, checked (structure, depth, UTF-8) and hashed.
// Over the limits of a record it sets `problem` and adds nothing.
bool ReadKeyValue(std::string_view message, ProtoRequest& request);

// Checks an AnyValue, sent in one or several parts, and gives its canonical bytes: in place or in
// the batch's arena.
bool ReadAnyValue(std::span<const std::string_view> parts, std::string_view& any_value,
                  ProtoRequest& request);

// Reads the current field of `reader`: text, which must be UTF-8.
[[gnu::always_inline]] inline std::string_view ReadText(wire::ProtoReader& reader) {
  const std::string_view text = reader.Bytes();
  if (__builtin_expect(!IsUtf8(text), 0)) reader.Fail("text is not UTF-8");
  return text;
}

enum class IdState { kValid, kAbsent, kBroken };  // Absent: empty or all zero.

// The ids of the wire: 16 (8) bytes. Twice as many hexadecimal characters are repaired, and
// `repaired` is set. Inline: this is done several times for each record.
IdState ReadOddTraceId(std::string_view bytes, TraceId& id, bool& repaired);
IdState ReadOddSpanId(std::string_view bytes, SpanId& id, bool& repaired);
inline IdState ReadTraceId(std::string_view bytes, TraceId& id, bool& repaired) {
  if (__builtin_expect(bytes.size() == 16, 1)) {
    id = TraceIdFromBytes(bytes.data());
    return id.IsValid() ? IdState::kValid : IdState::kAbsent;
  }
  return ReadOddTraceId(bytes, id, repaired);
}
inline IdState ReadSpanId(std::string_view bytes, SpanId& id, bool& repaired) {
  if (__builtin_expect(bytes.size() == 8, 1)) {
    id = SpanIdFromBytes(bytes.data());
    return id.IsValid() ? IdState::kValid : IdState::kAbsent;
  }
  return ReadOddSpanId(bytes, id, repaired);
}

// Why an id of these bytes was not kValid: "trace_id has 15 bytes, want 16", "trace_id is all
// zero".
std::string IdProblem(std::string_view field, std::string_view bytes, std::size_t wanted);

// Walks ResourceSpans, ResourceMetrics or ResourceLogs, which have one layout:
//   request { 1: resource_x* }   resource_x { 1: Resource, 2: scope_x* }   scope_x { 1: Scope, 2:
//   record* }
// Fields come in any order, and a resource or scope in several parts is merged. One without records
// is checked and left out.
class Envelope {
 public:
  virtual ~Envelope() = default;
  // Reads the whole request. False: see ProtoRequest.
  bool Read(ProtoRequest& request);

 protected:
  // About `count` records of one scope follow.
  virtual void OnScope(std::size_t count) = 0;
  // One record; `resource` and `scope` are indices in the batch, or kNoIndex.
  virtual bool OnRecord(std::string_view message, std::uint32_t resource, std::uint32_t scope) = 0;
  // The request is read from its beginning again, with the batch as it was: counts begin anew.
  virtual void OnRestart() = 0;

 private:
  bool ReadGroups(ProtoRequest& request);
  bool ReadGroup(std::string_view message, ProtoRequest& request);
  bool StreamScopeGroup(std::string_view message, std::uint32_t resource, ProtoRequest& request);
  bool ReadScopeGroup(std::string_view message, std::uint32_t resource, ProtoRequest& request);

  bool scopes_first_ = true;  // Every scope came before its records, in one part.
};

// Makes room for `count` more without giving up doubling.
template <typename T>
void ReserveMore(std::vector<T>& records, std::size_t count) {
  const std::size_t wanted = records.size() + count;
  if (wanted > records.capacity()) {
    records.reserve(wanted > 2 * records.capacity() ? wanted : 2 * records.capacity());
  }
}

}  // namespace throughline::otlp
