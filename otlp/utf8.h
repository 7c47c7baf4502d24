// Whether text is UTF-8; fast where it is ASCII.
// Source: RFC 3629 (no surrogates, no overlong forms, nothing above U+10FFFF).
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace throughline::otlp {

// Inlined always: it is asked of every attribute of every record.
[[gnu::always_inline]] inline bool IsAscii(const char* data, std::size_t size) {
#if defined(__SSE2__)
  if (size >= 16) {
    const auto load = [data](std::size_t at) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at));
    };
    __m128i any = load(size - 16);  // The rest, with some bytes twice.
    for (std::size_t at = 0; at + 16 < size; at += 16) any = _mm_or_si128(any, load(at));
    return _mm_movemask_epi8(any) == 0;
  }
#endif
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  std::uint64_t any = 0;
  const auto word = [data](std::size_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, data + at, sizeof value);
    return value;
  };
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) any |= word(at);
    any |= word(size - 8);
  } else {
    for (std::size_t i = 0; i < size; ++i) any |= static_cast<unsigned char>(data[i]);
  }
  return (any & kHighBits) == 0;
}

// The answer for text that is not all ASCII.
bool IsLongUtf8(std::string_view text);

inline bool IsUtf8(std::string_view text) {
  return __builtin_expect(IsAscii(text.data(), text.size()), 1) || IsLongUtf8(text);
}

// `text` with U+FFFD for each byte that is no part of a character.
std::string ReplaceInvalidUtf8(std::string_view text);

}  // namespace throughline::otlp
