// Hexadecimal and decimal digits to numbers, eight bytes at a time where it matters.
//
// Shared by the resolver (ids.h) and the finder (find.h). Pure; every function checks its digits.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace throughline::digits {

inline bool IsDecimal(char c) { return c >= '0' && c <= '9'; }
inline bool IsLetter(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'z';
}
inline bool IsAlnum(char c) { return IsDecimal(c) || IsLetter(c); }
inline char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// The digit's value, or -1.
inline int HexValue(char c) {
  if (IsDecimal(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
inline bool IsHex(char c) { return HexValue(c) >= 0; }

// Reads exactly eight hex digits. False, with `value` untouched, if one is something else.
inline bool ParseHex8(const char* text, std::uint32_t& value) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighBits = 0x80 * kOnes;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text, sizeof bytes);
  // Each sum sets the high bit of its byte when the byte reaches the bound; nothing carries over
  // because all are below 0x80.
  const std::uint64_t low = bytes & ~kHighBits;
  const std::uint64_t folded = low | (0x20 * kOnes);
  const std::uint64_t decimal = (low + (0x80 - '0') * kOnes) & ~(low + (0x80 - '9' - 1) * kOnes);
  const std::uint64_t letter =
      (folded + (0x80 - 'a') * kOnes) & ~(folded + (0x80 - 'f' - 1) * kOnes) & kHighBits;
  if (((decimal | letter) & ~bytes & kHighBits) != kHighBits) return false;
  std::uint64_t nibbles = (low & (0x0f * kOnes)) + 9 * (letter >> 7U);
  nibbles = ((nibbles << 4U) | (nibbles >> 8U)) & 0x00ff00ff00ff00ffULL;
  nibbles = (nibbles | (nibbles >> 8U)) & 0x0000ffff0000ffffULL;
  value = __builtin_bswap32(static_cast<std::uint32_t>(nibbles | (nibbles >> 16U)));
  return true;
}

// Reads exactly 16 hex digits.
inline bool ParseHex16(const char* text, std::uint64_t& value) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
  const auto is_between = [](__m128i all, char first, char last) {
    return _mm_and_si128(_mm_cmpgt_epi8(all, _mm_set1_epi8(static_cast<char>(first - 1))),
                         _mm_cmplt_epi8(all, _mm_set1_epi8(static_cast<char>(last + 1))));
  };
  const __m128i letter = is_between(folded, 'a', 'f');
  const __m128i digit = _mm_or_si128(is_between(bytes, '0', '9'), letter);
  if (_mm_movemask_epi8(digit) != 0xffff) return false;
  const __m128i nibbles = _mm_add_epi8(_mm_and_si128(bytes, _mm_set1_epi8(0x0f)),
                                       _mm_and_si128(letter, _mm_set1_epi8(9)));
  const __m128i pairs = _mm_or_si128(_mm_slli_epi16(nibbles, 4), _mm_srli_epi16(nibbles, 8));
  const __m128i packed = _mm_packus_epi16(_mm_and_si128(pairs, _mm_set1_epi16(0xff)), pairs);
  value = __builtin_bswap64(static_cast<std::uint64_t>(_mm_cvtsi128_si64(packed)));
  return true;
#else
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  if (!ParseHex8(text, high) || !ParseHex8(text + 8, low)) return false;
  value = (std::uint64_t{high} << 32U) | low;
  return true;
#endif
}

// Reads 1 to 16 hex digits, the whole of `text`.
inline bool ParseHex(std::string_view text, std::uint64_t& value) {
  if (text.size() == 16) return ParseHex16(text.data(), value);
  if (text.empty() || text.size() > 16) return false;
  std::uint64_t sum = 0;
  for (const char c : text) {
    const int digit = HexValue(c);
    if (digit < 0) return false;
    sum = (sum << 4U) | static_cast<std::uint64_t>(digit);
  }
  value = sum;
  return true;
}

// Reads 1 to 20 decimal digits, the whole of `text`. False also where 64 bits do not hold them.
inline bool ParseDecimal(std::string_view text, std::uint64_t& value) {
  if (text.empty() || text.size() > 20) return false;
  std::uint64_t sum = 0;
  for (const char c : text) {
    if (!IsDecimal(c)) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (sum > (UINT64_MAX - digit) / 10) return false;
    sum = sum * 10 + digit;
  }
  value = sum;
  return true;
}

inline bool AllHex(std::string_view text) {
  for (const char c : text) {
    if (!IsHex(c)) return false;
  }
  return !text.empty();
}

inline bool AllDecimal(std::string_view text) {
  for (const char c : text) {
    if (!IsDecimal(c)) return false;
  }
  return !text.empty();
}

// `lower` is in lower case.
inline bool EqualFold(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (Lower(text[i]) != lower[i]) return false;
  }
  return true;
}

}  // namespace throughline::digits
