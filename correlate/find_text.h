// What stands around an id in a line: the name before it, the signs between, where the value ends.
//
// A cursor over one line for find.cc. Every reader is bounded by a constant but ValueEnd, which
// remembers the last run it measured: over a whole scan the work is linear.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "correlate/digits.h"
#include "correlate/find_key.h"
#include "correlate/trace_id.h"

namespace throughline {

namespace value_bytes {

inline constexpr std::uint8_t kValue = 1;
inline constexpr std::uint8_t kHeader = 2;

inline constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alnum) classes[c] = kValue | kHeader;
  }
  // Joiners: an id beside one of these is part of a longer token.
  for (const char c : std::string_view("_-.:/%@+=*~")) {
    classes[static_cast<unsigned char>(c)] = kValue | kHeader;
  }
  for (const char c : std::string_view(";|?")) classes[static_cast<unsigned char>(c)] = kHeader;
  return classes;
}();

inline bool IsIn(std::uint8_t wanted, char c) {
  return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

}  // namespace value_bytes

class LineText {
 public:
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  static constexpr std::size_t kMaxSeparatorBytes = 64;  // Between a name and its value.

  // Which bytes belong to a value. A value ends before a quote, a bracket, a comma, white space.
  enum class Run : std::uint8_t { kValue, kHeader };  // kHeader: also ; | ? and "; ".

  // A value: line.substr(begin, end - begin).
  struct Value {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool quoted = false;

    std::size_t size() const { return end - begin; }
  };

  explicit LineText(std::string_view line) : line_(line) {}

  std::string_view line() const { return line_; }
  char At(std::size_t at) const { return at < line_.size() ? line_[at] : '\0'; }
  std::string_view Slice(const Value& value) const {
    return line_.substr(value.begin, value.size());
  }
  // True if the text at `at` is `lower`, in any case.
  bool IsWord(std::size_t at, std::string_view lower) const {
    if (line_.size() < lower.size() || at > line_.size() - lower.size()) return false;
    for (std::size_t i = 0; i < lower.size(); ++i) {
      if (digits::Lower(line_[at + i]) != lower[i]) return false;
    }
    return true;
  }
  // The same for letters only, which are compared without a loop.
  template <std::size_t kSize>
  bool IsName(std::size_t at, const char (&lower)[kSize]) const {
    if (line_.size() < kSize - 1 || at > line_.size() - (kSize - 1)) return false;
    return IsFolded(line_.data() + at, lower, std::make_index_sequence<kSize - 1>());
  }
  // True if `at` begins no longer token: a shape may begin here.
  bool IsDelimitedBefore(std::size_t at) const;

  // Where the name begins whose last part begins at `at`: over "dd." and "x-b3-", not over the
  // colour (\x1b[33m) or the escaped line break (\n) before it.
  std::size_t NameBegin(std::size_t at) const {
    return at == 0 || !keys::IsKeyByte(line_[at - 1]) ? at : LongNameBegin(at);
  }
  // True if the name that would end before `end` does end there.
  bool IsNameEnd(std::size_t end) const;

  // Finds where the value begins after a name. False if what follows is none. Reads quotes of any
  // kind (", ', \", \u0022), =, :, =>, brackets, colours, white space.
  bool FindValue(std::size_t name_begin, std::size_t name_end, Value& value) const {
    if (FindPlainValue(name_end, value)) return true;
    Value any;
    const bool is_found = FindAnyValue(name_begin, name_end, any);
    value = any;
    return is_found;
  }
  // Finds where a value ends. False if it is empty, or cut off at the end of the line.
  bool MeasureValue(Run run, Value& value) {
    value.end = ValueEnd(value.begin, run);
    return value.end > value.begin && !IsCut(value);
  }
  bool ValueAfter(std::size_t name_begin, std::size_t name_end, Run run, Value& value) {
    return FindValue(name_begin, name_end, value) && MeasureValue(run, value);
  }
  // True if the value is exactly 32 or 16 hex digits: MeasureValue and Resolve in one, for most.
  bool ReadHex32(Value& value, TraceId& id) const {
    value.end = value.begin + 32;
    return value.end <= line_.size() && digits::ParseHex16(line_.data() + value.begin, id.high) &&
           digits::ParseHex16(line_.data() + value.begin + 16, id.low) && IsValueEnd(value.end) &&
           !IsCut(value);
  }
  bool ReadHex16(Value& value, SpanId& id) const {
    value.end = value.begin + 16;
    std::uint64_t number = 0;
    if (value.end > line_.size() || !digits::ParseHex16(line_.data() + value.begin, number) ||
        !IsValueEnd(value.end) || IsCut(value)) {
      return false;
    }
    id.value = number;
    return true;
  }
  // True if a value could end before `end`.
  bool IsValueEnd(std::size_t end) const {
    return end >= line_.size() || !value_bytes::IsIn(value_bytes::kValue, line_[end]);
  }
  // Where the run of value bytes at `begin` ends, less a full stop or colon at its end.
  std::size_t ValueEnd(std::size_t begin, Run run);

  // After the name "trace" or "span" at `at`: where the "id" of {"trace":{"id":...}} ends.
  std::size_t NestedIdEnd(std::size_t at) const;
  // True if the member that begins at `at` stands in an object named dd: {"dd":{...}}.
  bool IsInDatadogObject(std::size_t at) const;

 private:
  template <std::size_t... kIndexes>
  static bool IsFolded(const char* text, const char* lower, std::index_sequence<kIndexes...>) {
    return (((text[kIndexes] | 0x20) ^ lower[kIndexes]) | ...) == 0;
  }
  // Begins a value and nothing else: not the b of b'...'.
  static bool IsPlain(char c) { return digits::IsAlnum(c) && c != 'b'; }
  // What nearly all lines have: name=value, name: value, "name":"value".
  bool FindPlainValue(std::size_t name_end, Value& value) const {
    constexpr std::size_t kMaxBytes = 4;
    if (line_.size() < name_end + kMaxBytes) return false;
    const char* const at = line_.data() + name_end;
    value.quoted = at[0] == '"';
    if (value.quoted) {
      value.begin = name_end + 3;
      return at[1] == ':' && at[2] == '"' && IsPlain(at[3]);
    }
    if (at[0] != '=' && at[0] != ':') return false;
    const std::size_t begin = at[1] == ' ' ? 2 : 1;
    value.begin = name_end + begin;
    return IsPlain(at[begin]);
  }
  bool FindAnyValue(std::size_t name_begin, std::size_t name_end, Value& value) const;
  std::size_t LongNameBegin(std::size_t at) const;
  // Cut off by the end of the line, or by whoever shortened it.
  bool IsCut(const Value& value) const {
    constexpr std::string_view kEllipsis = "\xe2\x80\xa6";
    if (value.end == line_.size()) return value.quoted;
    return line_[value.end] == kEllipsis[0] &&
           line_.substr(value.end, kEllipsis.size()) == kEllipsis;
  }
  std::size_t ColourLength(std::size_t at) const;
  std::size_t QuoteLength(std::size_t at) const;
  std::size_t SkipSpaces(std::size_t at) const;

  std::string_view line_;
  std::size_t run_begin_[2] = {1, 1};  // The run measured last, of either kind; empty at first.
  std::size_t run_end_[2] = {0, 0};
};

}  // namespace throughline
