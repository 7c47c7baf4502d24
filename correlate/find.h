// Finds trace ids in a line of text.
//
// A value counts only beside a key (trace_id, traceId, dd.trace_id, x-b3-traceid, ...: case and
// separators free, in any of key=value, key: value, "key":"value", \"key\":\"value\", [key=value],
// key value, with ANSI colours in between) or in a shape that is unmistakable (traceparent, X-Ray
// root, GCP path, Sleuth's [app,trace,span], Spring Boot 3's [trace-span]). A bare 32-hex string, a
// UUID or a hash is no trace id.
//
// Speed: at most 0.1 us for a line of 228 bytes. A line without an id costs one pass of a SIMD
// scan for the few places where a key or a shape may begin (find_scan.h); a portable scan gives the
// same answers. At most kMaxFound ids are found, and the work is linear in the size of the line.
#pragma once

#include <cstddef>
#include <string_view>

#include "correlate/ids.h"

namespace throughline {

struct Found {
  Resolved id;
  FoundBy found_by = FoundBy::kNone;  // kKey or kShape.
  std::string_view key;               // As written in the line; empty for shapes.
  std::size_t offset = 0;             // Of the value in the line.
  std::size_t length = 0;
};

inline constexpr std::size_t kMaxFound = 8;

// The ids of one line, in the order of precedence: by position, keys and full shapes alike; in a
// line that is a JSON object its fields before the ids in its texts. Span ids written beside
// (span_id=..., span-id: ...) are put into the id they belong to.
struct FoundIds {
  Found ids[kMaxFound];
  std::size_t count = 0;
  Sampled sampled = Sampled::kUnknown;  // Only trace_sampled=false or sampled=0 of a header shape.
};

// `line` is one line or one multi-line record. Any bytes.
void FindIds(std::string_view line, FoundIds& out);

// The same by the portable scan; for tests and for machines without the SIMD instructions.
void FindIdsPortable(std::string_view line, FoundIds& out);

// What a field name of a structured record (JSON, labels, attributes) says of its value. Case and
// separators free. `parent` is the name of the object it stands in ("span" of {"span":{"trace_id":
// ...}}, "dd", "trace" of {"trace":{"id":...}}); empty at the top level.
//
// kGcp (a field named trace), kRequestId (Request-Id) and kOpaque (TID) are names that often hold
// something else: a value that Resolve refuses, or a number, is then no broken id, but none.
KeyKind TraceKeyKind(std::string_view key, std::string_view parent);
// True for the names of span ids (span_id, spanId, dd.span_id, span.id, ...), never parents'.
bool IsSpanIdKey(std::string_view key, std::string_view parent);

}  // namespace throughline
