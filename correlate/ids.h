// The one resolver: every spelling of a trace id that anybody writes, to 128 bits.
//
// Intake, extraction from lines and every lookup use it, at three levels of strictness. Pure; never
// allocates for inputs it refuses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/trace_id.h"

namespace throughline {

enum class Strictness {
  kLookup,  // A person asks: the whole table.
  kField,   // A typed id field of a record.
  kText,    // Beside a key in a line of text.
};

enum class Spelling : std::uint8_t {
  kNone,
  kHex32,        // 32 hex digits, any case (also with 0x).
  kHexStripped,  // 17-31 hex digits: leading zeros were stripped.
  kHex64,        // 1-16 hex digits: a 64-bit id.
  kDecimal,      // Datadog, up to 20 digits.
  kUuid,
  kTraceparent,       // W3C.
  kTraceparentShort,  // A traceparent with a short trace id, as tutorials print it.
  kB3,                // b3 single header.
  kUberTraceId,       // Jaeger.
  kXRay,              // AWS: Root=1-...;Parent=...;Sampled=..., or 1-8-24 (@segment).
  kGcp,               // projects/P/traces/ID, X-Cloud-Trace-Context.
  kDoubleHex,         // 64 hex digits whose text is hex. Repaired.
  kBase64,            // 16 bytes in base64 where JSON should say hex. Repaired.
  kAsciiHexBytes,     // A 32-byte protobuf id that is ASCII hex. Repaired.
  kEscapedBytes,      // \xc4\x13... Repaired.
  kSleuth,            // [app,trace,span].
  kRequestId,         // .NET's |trace.span.
  kOpaque,            // SkyWalking and others: an alias, 128 bits of hash.
  kBytes,             // 16 bytes of a protobuf field.
};

// "hex32", "hex64", "decimal", "traceparent", ...
std::string_view SpellingName(Spelling spelling);

// What the key beside a value says of it.
enum class KeyKind : std::uint8_t {
  kNone,     // No key (a lookup).
  kTraceId,  // trace_id and its relatives.
  kDatadog,  // dd.trace_id: decimal allowed.
  kTraceparent,
  kB3,
  kUberTraceId,
  kXRay,
  kGcp,
  kRequestId,
  kOpaque,  // sw8, SkyWalking's TID.
};

struct Resolved {
  TraceId trace_id;  // Invalid: no id, and `reason` says why.
  SpanId span_id;
  Sampled sampled = Sampled::kUnknown;
  Spelling spelling = Spelling::kNone;
  bool repaired = false;
  std::string_view reason;  // Static text: "all zero", "31 hex digits, want 16 or 32", ...

  bool IsValid() const { return trace_id.IsValid(); }
};

// What fields say that have no id: "", "-", "null", "none", ... Several libraries write it so, and
// it is nobody's mistake.
bool SaysNoId(std::string_view text);

// Resolves `text`, which is the whole value (no delimiters around it).
Resolved Resolve(std::string_view text, Strictness strictness, KeyKind key);

// As a person's lookup: every reading of `text` that makes sense, the likeliest first. More than
// one only for 10-20 digits (hex and Datadog decimal). Empty: malformed.
std::vector<Resolved> ResolveAll(std::string_view text);

// A protobuf trace id field: 16 bytes, or 32 ASCII hex characters (repaired). Other sizes and all
// zero are invalid with a reason.
Resolved ResolveTraceIdBytes(std::string_view bytes);
// A JSON trace id field in OTLP/JSON: 32 hex; repaired: base64 of 16 bytes, double hex.
Resolved ResolveTraceIdText(std::string_view text);

// Span ids. Invalid results carry a reason. 8 bytes; 16 ASCII hex characters are repaired.
struct ResolvedSpan {
  SpanId span_id;
  bool repaired = false;
  std::string_view reason;  // Empty when valid.
};
ResolvedSpan ResolveSpanIdBytes(std::string_view bytes);
ResolvedSpan ResolveSpanIdText(std::string_view text);  // 16 hex; repaired: base64 of 8 bytes.

// A span id beside a key in text or in a JSON field: 16 hex; shorter hex where the sender strips
// zeros; decimal where `decimal` says so (Datadog, GCP). Invalid if not.
SpanId ResolveSpanIdLoose(std::string_view text, bool decimal);

}  // namespace throughline
