// The parsers behind ids.h, one for each spelling that is more than bare digits.
//
// Each takes a whole value, without delimiters around it, and is pure. A result without a trace id
// says why; a result with one may still say in `reason` that its span id was dropped.
#pragma once

#include <string_view>

#include "correlate/ids.h"

namespace throughline::spellings {

// How much a parser forgives: a person's lookup may be sloppy, a line may not.
enum class Rigour { kStrict, kLenient };

// W3C Trace Context, "traceparent Header Field Values", and the short form of tutorials.
Resolved ParseTraceparent(std::string_view text, Rigour rigour);
// B3 propagation, "Single Header": {trace}-{span}[-{state}[-{parent}]].
Resolved ParseB3(std::string_view text);
// Jaeger client libraries, "Propagation Format": {trace}:{span}:{parent}:{flags}, also with %3A.
Resolved ParseUberTraceId(std::string_view text);
// AWS X-Ray, "Tracing header": Root=1-8-24;Parent=16;Sampled=1, or 1-8-24[@16].
Resolved ParseXRay(std::string_view text);
// Google Cloud: projects/P/traces/ID, and X-Cloud-Trace-Context's ID/SPAN;o=1.
Resolved ParseGcp(std::string_view text);
// Spring Cloud Sleuth's [app,trace,span] and [app,trace,span,true], Spring Boot 3's [trace-span].
Resolved ParseSleuth(std::string_view text);
// .NET's hierarchical Request-Id |trace.span.
Resolved ParseRequestId(std::string_view text);
// SkyWalking's sw8 header and segment-style ids (a.b.c). Strict: nothing else; lenient: any text.
Resolved ParseOpaque(std::string_view text, Rigour rigour);
// 8-4-4-4-12.
Resolved ParseUuid(std::string_view text);
// 64 hex digits whose text is hex.
Resolved ParseDoubleHex(std::string_view text);
// 16 bytes in base64, either alphabet, padded or not.
Resolved ParseBase64(std::string_view text);
// 16 bytes as program text: \xc4\x13..., \304\023..., printable bytes as they are.
Resolved ParseEscapedBytes(std::string_view text);

// How many bytes `text` begins with that read as `count` escaped bytes; 0 if it does not.
std::size_t EscapedBytesLength(std::string_view text, std::size_t count);
// Decodes base64 into exactly `size` bytes.
bool DecodeBase64(std::string_view text, char* out, std::size_t size);

// An invalid result.
inline Resolved Refused(std::string_view reason) {
  Resolved resolved;
  resolved.reason = reason;
  return resolved;
}

}  // namespace throughline::spellings
