#include "correlate/trace_id.h"

#include <bit>
#include <cstring>

namespace throughline {
namespace {

std::uint64_t LoadBigEndian(const char* bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap64(value);
}

void AppendHex64(std::uint64_t value, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  char digits[16];
  for (int i = 15; i >= 0; --i) {
    digits[i] = kDigits[value & 15U];
    value >>= 4U;
  }
  out.append(digits, sizeof digits);
}

}  // namespace

TraceId TraceIdFromBytes(const char* bytes) {
  return {.high = LoadBigEndian(bytes), .low = LoadBigEndian(bytes + 8)};
}

SpanId SpanIdFromBytes(const char* bytes) { return {.value = LoadBigEndian(bytes)}; }

void AppendHex(TraceId id, std::string& out) {
  AppendHex64(id.high, out);
  AppendHex64(id.low, out);
}

void AppendHex(SpanId id, std::string& out) { AppendHex64(id.value, out); }

std::string ToHex(TraceId id) {
  std::string out;
  AppendHex(id, out);
  return out;
}

std::string ToHex(SpanId id) {
  std::string out;
  AppendHex(id, out);
  return out;
}

}  // namespace throughline
