#include "logs/loki_labels.h"

#include <cstdint>

#include "correlate/digits.h"
#include "wire/json_cursor.h"

namespace throughline::logs {

bool LokiLabels::Fail(std::string_view problem) {
  problem_ = problem;
  at_ = At::kEnd;
  return false;
}

void LokiLabels::SkipSpace() {
  const std::size_t first = rest_.find_first_not_of(" \t\r\n");
  rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
}

bool LokiLabels::Take(char c) {
  if (!rest_.starts_with(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

bool LokiLabels::Begin() {
  SkipSpace();
  at_ = At::kPairs;
  if (rest_.empty()) at_ = At::kEnd;
  if (rest_.empty() || Take('{')) return true;
  return Fail("want {");
}

bool LokiLabels::Next() {
  if (at_ == At::kBegin && !Begin()) return false;
  if (at_ == At::kEnd) return false;
  SkipSpace();
  if (Take('}')) {
    SkipSpace();
    at_ = At::kEnd;
    return rest_.empty() ? false : Fail("text after the closing }");
  }
  if (!ReadName()) return false;
  SkipSpace();
  if (!Take('=')) return Fail("want = after a name");
  SkipSpace();
  if (rest_.empty() || (rest_[0] != '"' && rest_[0] != '\'' && rest_[0] != '`')) {
    return Fail("want a quoted value");
  }
  if (!ReadQuoted(value_scratch_, value_)) return false;
  SkipSpace();
  return Take(',') || rest_.starts_with('}') || Fail("want , or } after a value");
}

bool LokiLabels::ReadName() {
  if (rest_.starts_with('"')) {
    if (!ReadQuoted(name_scratch_, name_)) return false;
  } else {
    name_ = rest_.substr(0, rest_.find_first_of("=!~,{}\"'` \t\r\n"));
    rest_.remove_prefix(name_.size());
  }
  return !name_.empty() || Fail("want a name");
}

bool LokiLabels::ReadQuoted(std::string& scratch, std::string_view& text) {
  const char quote = rest_.front();
  rest_.remove_prefix(1);
  const char stops[] = {quote, '\\'};
  const std::string_view stop(stops, quote == '`' ? 1 : 2);
  bool escaped = false;
  for (;;) {
    const std::size_t at = rest_.find_first_of(stop);
    if (at == std::string_view::npos) return Fail("a quoted text does not end");
    const std::string_view plain = rest_.substr(0, at);
    const bool ends = rest_[at] == quote;
    rest_.remove_prefix(at + 1);
    if (ends && !escaped) {
      text = plain;
      return true;
    }
    if (!escaped) scratch.clear();
    escaped = true;
    scratch += plain;
    if (ends) {
      text = scratch;
      return true;
    }
    if (!ReadEscape(scratch)) return false;
  }
}

// The backslash is read.
bool LokiLabels::ReadEscape(std::string& out) {
  constexpr std::string_view kNames = "abfnrtv\\'\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";
  if (rest_.empty()) return Fail("a quoted text does not end");
  const char c = rest_.front();
  if (const std::size_t at = kNames.find(c); at != std::string_view::npos) {
    out += kMeanings[at];
    rest_.remove_prefix(1);
    return true;
  }
  std::uint32_t code = 0;
  if (c >= '0' && c <= '7') {
    if (!ReadCode(3, 8, code) || code > 0xff) return Fail("unknown escape");
    out += static_cast<char>(code);
    return true;
  }
  rest_.remove_prefix(1);
  if (c == 'x') {
    if (!ReadCode(2, 16, code)) return Fail("unknown escape");
    out += static_cast<char>(code);
    return true;
  }
  const std::size_t count = c == 'u' ? 4 : c == 'U' ? 8 : 0;
  const bool good = count > 0 && ReadCode(count, 16, code) && code <= 0x10ffff &&
                    (code < 0xd800 || code >= 0xe000);
  if (!good) return Fail("unknown escape");
  wire::AppendUtf8(code, out);
  return true;
}

bool LokiLabels::ReadCode(std::size_t count, unsigned base, std::uint32_t& code) {
  if (rest_.size() < count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = digits::HexValue(rest_[i]);
    if (digit < 0 || static_cast<unsigned>(digit) >= base) return false;
    code = code * base + static_cast<std::uint32_t>(digit);
  }
  rest_.remove_prefix(count);
  return true;
}

}  // namespace throughline::logs
