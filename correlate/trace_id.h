// Trace and span ids, and when two of them mean the same trace.
//
// Source: W3C Trace Context, "trace-id" and "parent-id"; the join key is the project's own
// (docs/concepts.md): the low 64 bits, because 64-bit and 128-bit systems spell one trace in two
// widths.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace throughline {

// 128 bits, most significant first: the first byte of the wire form is the top byte of `high`.
// A high half of zero means "unknown"; there is no other flag. All zero is "no id".
struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool IsValid() const { return (high | low) != 0; }
  bool high_known() const { return high != 0; }
  auto operator<=>(const TraceId&) const = default;
};

// 64 bits, most significant first. Zero is "no id".
struct SpanId {
  std::uint64_t value = 0;

  bool IsValid() const { return value != 0; }
  auto operator<=>(const SpanId&) const = default;
};

// True when two records of one tenant link: the low halves are equal and the high halves are equal
// or one is unknown. A zero low half joins on all 16 bytes.
inline bool SameTrace(TraceId a, TraceId b) {
  if (a.low != b.low) return false;
  if (a.low == 0) return a.high == b.high;
  return a.high == b.high || a.high == 0 || b.high == 0;
}

// Reads 16 or 8 bytes as they stand on the wire. The caller guarantees the size.
TraceId TraceIdFromBytes(const char* bytes);
SpanId SpanIdFromBytes(const char* bytes);

// Always 32, or 16, lower-case hex digits.
void AppendHex(TraceId id, std::string& out);
void AppendHex(SpanId id, std::string& out);
std::string ToHex(TraceId id);
std::string ToHex(SpanId id);

}  // namespace throughline
