#include "wire/json_fault.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace throughline::wire {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Of a number that no double holds: is it too near to zero, rather than too far?
bool IsTiny(std::string_view number) {
  const std::size_t exponent_at = number.find_first_of("eE");
  const std::string_view digits = number.substr(0, exponent_at);
  const std::size_t significant = digits.find_first_of("123456789");
  if (significant == std::string_view::npos) return true;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  // About the power of ten of the first digit that is not zero: beyond a double's range its sign
  // is all that matters.
  const std::int64_t shift =
      static_cast<std::int64_t>(point) - static_cast<std::int64_t>(significant);
  if (exponent_at == std::string_view::npos) return shift < 0;
  std::string_view exponent = number.substr(exponent_at + 1);
  const bool negative = exponent.front() == '-';
  if (negative || exponent.front() == '+') exponent.remove_prefix(1);
  std::int32_t power = 0;
  const auto parsed = std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
  if (parsed.ec != std::errc()) return negative;  // More than any count of digits makes up for.
  return shift + (negative ? -std::int64_t{power} : std::int64_t{power}) < 0;
}

class Scanner {
 public:
  Scanner(std::string_view text, std::size_t max_depth, std::vector<JsonDouble>& doubles)
      : text_(text), max_depth_(max_depth), doubles_(doubles) {}

  std::optional<JsonFault> Run() {
    if (text_.size() > UINT32_MAX) return JsonFault{.offset = 0, .reason = "more than 4 GiB"};
    if (Text()) return std::nullopt;
    return JsonFault{.offset = at_, .reason = reason_};
  }

 private:
  // Each reads one piece at at_; false: reason_ is set and at_ stands at the fault.
  bool Text();
  bool Open(char bracket);
  bool AfterValue();
  bool Key();
  bool Scalar();
  bool Word(std::string_view word);
  bool String();
  bool Escape();
  bool Surrogate(unsigned first);
  bool FourHex(unsigned& code);
  bool Utf8();
  bool Number();
  bool Digits();
  bool CheckRange(std::size_t begin, bool integer);

  bool Fail(std::string_view reason) {
    reason_ = reason;
    return false;
  }
  bool Fail(std::size_t at, std::string_view reason) {
    at_ = at;
    return Fail(reason);
  }
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (!AtEnd() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r')) ++at_;
  }

  std::string_view text_;
  std::size_t max_depth_;
  std::vector<JsonDouble>& doubles_;
  std::size_t at_ = 0;
  std::string_view reason_;
  std::vector<char> open_;  // The brackets that are open; max_depth_ bounds it.
};

bool Scanner::Text() {
  SkipSpace();
  if (AtEnd()) return Fail("empty text");
  for (;;) {
    SkipSpace();
    const char c = Peek();
    if (c == '{' || c == '[') {
      if (!Open(c)) return false;
      SkipSpace();
      if (Peek() != (c == '{' ? '}' : ']')) {
        if (c == '{' && !Key()) return false;
        continue;  // To its first value.
      }
      ++at_;
      open_.pop_back();
    } else if (!Scalar()) {
      return false;
    }
    if (!AfterValue()) return false;
    if (open_.empty()) return AtEnd() || Fail("more text after the value");
  }
}

bool Scanner::Open(char bracket) {
  if (open_.size() == max_depth_) return Fail("nested too deeply");
  open_.push_back(bracket);
  ++at_;
  return true;
}

// Closes what ends here; afterwards at_ stands at the next value, or nothing is open.
bool Scanner::AfterValue() {
  for (;;) {
    SkipSpace();
    if (open_.empty()) return true;
    const bool object = open_.back() == '{';
    if (Take(',')) {
      if (!object) return true;
      SkipSpace();
      return Key();
    }
    if (!Take(object ? '}' : ']')) {
      if (AtEnd()) return Fail("the text ends early");
      return Fail(object ? "want a comma or a closing brace" : "want a comma or a closing bracket");
    }
    open_.pop_back();
  }
}

bool Scanner::Key() {
  if (AtEnd()) return Fail("the text ends early");
  if (Peek() != '"') return Fail("want a key in double quotes");
  if (!String()) return false;
  SkipSpace();
  if (Take(':')) return true;
  return Fail(AtEnd() ? "the text ends early" : "want a colon");
}

bool Scanner::Scalar() {
  if (AtEnd()) return Fail("the text ends early");
  switch (Peek()) {
    case '"': return String();
    case 't': return Word("true");
    case 'f': return Word("false");
    case 'n': return Word("null");
    default: return IsDigit(Peek()) || Peek() == '-' ? Number() : Fail("want a value");
  }
}

bool Scanner::Word(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) return Fail("want a value");
  at_ += word.size();
  return true;
}

bool Scanner::String() {
  ++at_;
  while (!AtEnd()) {
    const auto byte = static_cast<unsigned char>(Peek());
    if (byte == '"') {
      ++at_;
      return true;
    }
    if (byte < 0x20) return Fail("control character in a string");
    if (byte == '\\') {
      if (!Escape()) return false;
    } else if (byte < 0x80) {
      ++at_;
    } else if (!Utf8()) {
      return false;
    }
  }
  return Fail("a string has no end");
}

bool Scanner::Escape() {
  const std::size_t begin = at_++;
  switch (Peek()) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': ++at_; return true;
    case 'u': break;
    default: return Fail(begin, AtEnd() ? "a string has no end" : "unknown escape");
  }
  unsigned code = 0;
  if (!FourHex(code)) return Fail(begin, "an escape has no four hex digits");
  if (code < 0xd800 || code > 0xdfff) return true;
  return Surrogate(code) || Fail(begin, "half a surrogate pair");
}

// The second half of a pair, after its first.
bool Scanner::Surrogate(unsigned first) {
  unsigned second = 0;
  if (first > 0xdbff || !Take('\\') || Peek() != 'u' || !FourHex(second)) return false;
  return second >= 0xdc00 && second <= 0xdfff;
}

bool Scanner::FourHex(unsigned& code) {
  ++at_;  // The u.
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = HexDigit(Peek());
    if (digit < 0) return false;
    code = code * 16 + static_cast<unsigned>(digit);
  }
  return true;
}

bool Scanner::Utf8() {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at_ + i < text_.size() ? static_cast<unsigned char>(text_[at_ + i]) : 0U;
  };
  const unsigned first = byte(0);
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  // What the second byte may be keeps out overlong forms, surrogates and more than U+10FFFF.
  const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  bool good = first >= 0xc2 && first <= 0xf4 && byte(1) >= low && byte(1) <= high;
  for (std::size_t i = 2; i < size; ++i) good = good && (byte(i) & 0xc0U) == 0x80U;
  if (!good) return Fail("invalid UTF-8");
  at_ += size;
  return true;
}

bool Scanner::Digits() {
  if (!IsDigit(Peek())) return false;
  while (IsDigit(Peek())) ++at_;
  return true;
}

bool Scanner::Number() {
  const std::size_t begin = at_;
  bool integer = true;
  Take('-');
  const bool zero = Peek() == '0';
  if (!Digits()) return Fail(begin, "malformed number");
  if (zero && at_ - begin > (text_[begin] == '-' ? 2U : 1U)) {
    return Fail(begin, "a number begins with zero");
  }
  if (Take('.')) {
    integer = false;
    if (!Digits()) return Fail(begin, "malformed number");
  }
  if (Peek() == 'e' || Peek() == 'E') {
    integer = false;
    ++at_;
    if (!Take('-')) Take('+');
    if (!Digits()) return Fail(begin, "malformed number");
  }
  return CheckRange(begin, integer);
}

bool Scanner::CheckRange(std::size_t begin, bool integer) {
  const char* const first = text_.data() + begin;
  const char* const last = text_.data() + at_;
  if (integer) {
    std::uint64_t positive = 0;
    std::int64_t negative = 0;
    const auto parsed = *first == '-' ? std::from_chars(first, last, negative)
                                      : std::from_chars(first, last, positive);
    if (parsed.ec == std::errc()) return true;
  }
  doubles_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)});
  double value = 0;
  if (std::from_chars(first, last, value).ec == std::errc()) return true;
  const std::string_view number(first, static_cast<std::size_t>(last - first));
  return IsTiny(number) || Fail(begin, "number out of range");
}

}  // namespace

std::optional<JsonFault> FindJsonFault(std::string_view text, std::size_t max_depth,
                                       std::vector<JsonDouble>& doubles) {
  return Scanner(text, max_depth, doubles).Run();
}

}  // namespace throughline::wire
