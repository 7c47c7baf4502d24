// JSON read strictly and in place: value by value, without a tree, and knowing where each stands.
//
// For records that are many and small (a line each), and for answers that must keep every byte of
// the question. What is read is checked against the grammar, what is skipped too; numbers stay
// text. The bytes need no padding. UTF-8 is the caller's to check.
//
//   JsonCursor json(bytes);
//   for (json.BeginObject(); json.NextKey(key);) {
//     if (json.Peek() == JsonCursor::Type::kString) text = json.String(); else json.Skip();
//   }
//   if (!json.AtEnd()) ... json.error(), json.offset()
//
// A failure sticks: loops end, values come back empty, and ok() is false.
// Source: RFC 8259. One liberty: a lone surrogate escape is U+FFFD.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace throughline::wire {

// The bytes between the quotes, as they stand in the document.
struct JsonString {
  std::string_view raw;
  bool escaped = false;

  // The text: `raw` itself, or unescaped into `scratch`.
  std::string_view Text(std::string& scratch) const;
};

class JsonCursor {
 public:
  enum class Type { kNone, kObject, kArray, kString, kNumber, kTrue, kFalse, kNull };

  // Objects and arrays in one another.
  static constexpr std::size_t kMaxDepth = 512;

  explicit JsonCursor(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // The type of the value that stands next; kNone: none does.
  Type Peek() {
    if (!ok()) return Type::kNone;
    if (at_ < end_ && static_cast<unsigned char>(*at_) <= ' ') SkipSpace();
    return at_ == end_ ? Type::kNone : TypeOf(*at_);
  }

  // False: not an object (an array). Then NextKey (NextItem) until false; after each true the
  // value must be read or skipped.
  bool BeginObject() { return Begin('{', "want an object"); }
  bool NextKey(JsonString& key) {
    // As machines write it: no space, and no escape in the key.
    if (ok() && !first_ && end_ - at_ >= 2 && at_[0] == ',' && at_[1] == '"') {
      const char* const begin = at_ + 2;
      const char* const stop = FindStop(begin, end_);
      if (end_ - stop >= 2 && stop[0] == '"' && stop[1] == ':') {
        key = {.raw = {begin, static_cast<std::size_t>(stop - begin)}, .escaped = false};
        at_ = stop + 2;
        return true;
      }
    }
    return NextOddKey(key);
  }
  bool BeginArray() { return Begin('[', "want an array"); }
  bool NextItem();

  JsonString String() {
    if (ok() && at_ < end_ && *at_ == '"') {
      const char* const begin = at_ + 1;
      const char* const stop = FindStop(begin, end_);
      if (stop < end_ && *stop == '"') {
        at_ = stop + 1;
        return {.raw = {begin, static_cast<std::size_t>(stop - begin)}, .escaped = false};
      }
    }
    return OddString();
  }
  std::string_view Number();
  // true, false or null.
  bool Literal(std::string_view name);
  // Any value; gives its bytes.
  std::string_view Skip();

  // True when nothing but white space follows and nothing has failed.
  bool AtEnd();
  bool ok() const { return error_ == nullptr; }
  // Why it failed, and where. The offset of the next byte while nothing has.
  const char* error() const { return error_ == nullptr ? "" : error_; }
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  // Of the value that begins so.
  static Type TypeOf(char first) {
    switch (first) {
      case '"': return Type::kString;
      case '{': return Type::kObject;
      case '[': return Type::kArray;
      case 't': return Type::kTrue;
      case 'f': return Type::kFalse;
      case 'n': return Type::kNull;
      default: return (first >= '0' && first <= '9') || first == '-' ? Type::kNumber : Type::kNone;
    }
  }
  // The first of quote, backslash and control characters, 16 or eight bytes at a time.
  static const char* FindStop(const char* at, const char* end) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1f);
    for (; end - at >= 16; at += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
      const __m128i stops = _mm_or_si128(
          controls, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)));
      const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stops));
      if (mask != 0) return at + std::countr_zero(mask);
    }
#endif
    if constexpr (std::endian::native == std::endian::little) {
      constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
      constexpr std::uint64_t kHighs = 0x8080808080808080ULL;
      while (end - at >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        const std::uint64_t quotes = word ^ (kOnes * '"');
        const std::uint64_t slashes = word ^ (kOnes * '\\');
        const std::uint64_t stops = (((quotes - kOnes) & ~quotes) | ((slashes - kOnes) & ~slashes) |
                                     ((word - kOnes * 0x20U) & ~word)) &
                                    kHighs;
        if (stops != 0) return at + std::countr_zero(stops) / 8;
        at += 8;
      }
    }
    while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
    return at;
  }
  bool NextOddKey(JsonString& key);
  JsonString OddString();
  bool Fail(const char* error);
  void SkipSpace();
  bool Begin(char bracket, const char* error);
  bool End();
  bool Comma();
  bool Escape();

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* error_ = nullptr;
  std::size_t depth_ = 0;
  bool first_ = true;  // Nothing stands before, in the innermost object or array.
};

// Appends a character, which is no surrogate and at most U+10FFFF.
void AppendUtf8(std::uint32_t code, std::string& out);

// Appends the text of a string's raw bytes that a JsonCursor has read.
void AppendUnescaped(std::string_view raw, std::string& out);

}  // namespace throughline::wire
