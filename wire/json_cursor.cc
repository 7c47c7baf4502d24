#include "wire/json_cursor.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <bitset>
#include <cstring>

namespace throughline::wire {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// -1: no hex digit.
int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The first of quote, backslash and control characters, 16 or eight bytes at a time.
const char* FindStringStop(const char* at, const char* end) {
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

std::uint32_t ReadHex4(const char* at) {
  std::uint32_t code = 0;
  for (int i = 0; i < 4; ++i) code = code * 16 + static_cast<std::uint32_t>(HexDigit(at[i]));
  return code;
}

// Appends the code unit escaped at `at` ("\uXXXX"), with its second half where that follows, and
// returns how many bytes that was.
std::size_t AppendUnicode(std::string_view at, std::string& out) {
  const std::uint32_t high = ReadHex4(at.data() + 2);
  if (high >= 0xd800 && high < 0xdc00 && at.size() >= 12 && at[6] == '\\' && at[7] == 'u') {
    const std::uint32_t low = ReadHex4(at.data() + 8);
    if (low >= 0xdc00 && low < 0xe000) {
      AppendUtf8(0x10000 + ((high - 0xd800) << 10U) + (low - 0xdc00), out);
      return 12;
    }
  }
  AppendUtf8(high >= 0xd800 && high < 0xe000 ? 0xfffdU : high, out);
  return 6;
}

}  // namespace

void AppendUtf8(std::uint32_t code, std::string& out) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | ((code >> shift) & 0x3fU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

void AppendUnescaped(std::string_view raw, std::string& out) {
  while (!raw.empty()) {
    const std::size_t slash = raw.find('\\');
    out.append(raw.substr(0, slash));
    if (slash == std::string_view::npos) return;
    raw.remove_prefix(slash);
    std::size_t used = 2;
    switch (raw[1]) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': used = AppendUnicode(raw, out); break;
      default: out += raw[1];
    }
    raw.remove_prefix(used);
  }
}

std::string_view JsonString::Text(std::string& scratch) const {
  if (!escaped) return raw;
  scratch.clear();
  AppendUnescaped(raw, scratch);
  return scratch;
}

bool JsonCursor::Fail(const char* error) {
  if (error_ == nullptr) error_ = error;
  return false;
}

void JsonCursor::SkipSpace() {
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

JsonCursor::Type JsonCursor::Peek() {
  if (!ok()) return Type::kNone;
  SkipSpace();
  if (at_ == end_) return Type::kNone;
  switch (*at_) {
    case '{': return Type::kObject;
    case '[': return Type::kArray;
    case '"': return Type::kString;
    case 't': return Type::kTrue;
    case 'f': return Type::kFalse;
    case 'n': return Type::kNull;
    default: return IsDigit(*at_) || *at_ == '-' ? Type::kNumber : Type::kNone;
  }
}

bool JsonCursor::Begin(char bracket, const char* error) {
  if (!ok()) return false;
  SkipSpace();
  if (at_ == end_ || *at_ != bracket) return Fail(error);
  if (depth_ == kMaxDepth) return Fail("nested deeper than 512");
  ++at_;
  ++depth_;
  first_ = true;
  return true;
}

bool JsonCursor::End() {
  ++at_;
  --depth_;
  first_ = false;  // Of the one around.
  return false;
}

bool JsonCursor::Comma() {
  if (first_) {
    first_ = false;
    return true;
  }
  if (*at_ != ',') return Fail("want a comma");
  ++at_;
  SkipSpace();
  return true;
}

bool JsonCursor::NextKey(JsonString& key) {
  if (!ok()) return false;
  // As machines write it: no space, and no escape in the key.
  if (!first_ && end_ - at_ >= 2 && at_[0] == ',' && at_[1] == '"') {
    const char* const stop = FindStringStop(at_ + 2, end_);
    if (end_ - stop >= 2 && stop[0] == '"' && stop[1] == ':') {
      key = {.raw = {at_ + 2, static_cast<std::size_t>(stop - at_ - 2)}, .escaped = false};
      at_ = stop + 2;
      return true;
    }
  }
  SkipSpace();
  if (at_ == end_) return Fail("object does not end");
  if (*at_ == '}') return End();
  if (!Comma()) return false;
  if (at_ == end_ || *at_ != '"') return Fail("want a key");
  key = String();
  SkipSpace();
  if (!ok()) return false;
  if (at_ == end_ || *at_ != ':') return Fail("want a colon");
  ++at_;
  return true;
}

bool JsonCursor::NextItem() {
  if (!ok()) return false;
  SkipSpace();
  if (at_ == end_) return Fail("array does not end");
  if (*at_ == ']') return End();
  if (!Comma()) return false;
  // "[1,]": what the caller reads next would fail too, but with a less helpful reason.
  if (at_ < end_ && *at_ == ']') return Fail("want a value");
  return true;
}

bool JsonCursor::Escape() {
  ++at_;
  if (at_ == end_) return Fail("string does not end");
  if (*at_ != 'u') {
    if (std::strchr("\"\\/bfnrt", *at_) == nullptr || *at_ == '\0') return Fail("unknown escape");
    ++at_;
    return true;
  }
  ++at_;
  for (int i = 0; i < 4; ++i, ++at_) {
    if (at_ == end_ || HexDigit(*at_) < 0) return Fail("want four hex digits");
  }
  return true;
}

JsonString JsonCursor::String() {
  if (!ok()) return {};
  SkipSpace();
  if (at_ == end_ || *at_ != '"') {
    Fail("want a string");
    return {};
  }
  const char* const begin = ++at_;
  bool escaped = false;
  for (;;) {
    at_ = FindStringStop(at_, end_);
    if (at_ == end_) {
      Fail("string does not end");
      return {};
    }
    if (*at_ == '"') break;
    if (*at_ != '\\') {
      Fail("control character in a string");
      return {};
    }
    escaped = true;
    if (!Escape()) return {};
  }
  const std::string_view raw(begin, static_cast<std::size_t>(at_ - begin));
  ++at_;
  return {.raw = raw, .escaped = escaped};
}

std::string_view JsonCursor::Number() {
  if (!ok()) return {};
  SkipSpace();
  const char* const begin = at_;
  const auto digits = [&] {
    const char* const first = at_;
    while (at_ < end_ && IsDigit(*at_)) ++at_;
    return at_ != first;
  };
  if (at_ < end_ && *at_ == '-') ++at_;
  const bool zero = at_ < end_ && *at_ == '0';
  const char* const integer = at_;
  bool good = digits() && !(zero && at_ - integer > 1);
  if (good && at_ < end_ && *at_ == '.') {
    ++at_;
    good = digits();
  }
  if (good && at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    good = digits();
  }
  if (!good) {
    Fail("want a number");
    return {};
  }
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

bool JsonCursor::Literal(std::string_view name) {
  if (!ok()) return false;
  SkipSpace();
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  if (!rest.starts_with(name)) return Fail("want true, false or null");
  at_ += name.size();
  return true;
}

std::string_view JsonCursor::Skip() {
  Peek();
  const char* const begin = at_;
  std::bitset<kMaxDepth> objects;  // Whether the level is an object, from this value's on.
  std::size_t level = 0;
  do {
    JsonString key;
    if (level == 0 || (objects[level - 1] ? NextKey(key) : NextItem())) {
      switch (Peek()) {
        case Type::kObject:
          if (BeginObject()) objects[level++] = true;
          break;
        case Type::kArray:
          if (BeginArray()) objects[level++] = false;
          break;
        case Type::kString: String(); break;
        case Type::kNumber: Number(); break;
        case Type::kTrue: Literal("true"); break;
        case Type::kFalse: Literal("false"); break;
        case Type::kNull: Literal("null"); break;
        case Type::kNone: Fail("want a value"); break;
      }
    } else {
      --level;
    }
  } while (level > 0 && ok());
  if (!ok()) return {};
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

bool JsonCursor::AtEnd() {
  if (!ok()) return false;
  SkipSpace();
  return at_ == end_ || Fail("bytes after the document");
}

}  // namespace throughline::wire
