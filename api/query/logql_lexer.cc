#include "api/query/logql_lexer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/query/blank.h"
#include "api/query/literal.h"
#include "api/query/place.h"

namespace throughline::api::query {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c) || c == '.' || c == ':'; }

// The longest first.
constexpr std::string_view kSymbols[] = {"==", "!=", "<=", ">=", "=~", "!~", "|=", "|~", "|>", "!>",
                                         "--", "|",  "+",  "-",  "*",  "/",  "%",  "^",  "<",  ">",
                                         "=",  "(",  ")",  "{",  "}",  "[",  "]",  ",",  "@"};

using Unit = std::pair<std::string_view, double>;
// In seconds; the longer of two that begin alike first.
constexpr Unit kTimes[] = {{"ns", 1e-9},  {"us", 1e-6},   {"\xc2\xb5s", 1e-6}, {"ms", 1e-3},
                           {"s", 1},      {"m", 60},      {"h", 3600},         {"d", 86400},
                           {"w", 604800}, {"y", 31536000}};
constexpr Unit kSizes[] = {{"b", 1},     {"kib", 1024.0},
                           {"kb", 1e3},  {"mib", 1048576.0},
                           {"mb", 1e6},  {"gib", 1073741824.0},
                           {"gb", 1e9},  {"tib", 1099511627776.0},
                           {"tb", 1e12}, {"pib", 1125899906842624.0},
                           {"pb", 1e15}};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

// Takes a number off the front; false: there is none.
bool TakeNumber(std::string_view& text, double& number) {
  if (text.empty() || !(IsDigit(text.front()) || text.front() == '.' || text.front() == '-')) {
    return false;
  }
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return true;
}

}  // namespace

bool ReadSeconds(std::string_view text, double& seconds) {
  if (text.empty()) return false;
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  double total = 0;
  do {
    double number = 0;
    if (text.starts_with('-') || !TakeNumber(text, number)) return false;
    const auto* unit = std::find_if(std::begin(kTimes), std::end(kTimes),
                                    [&](const Unit& u) { return text.starts_with(u.first); });
    if (unit == std::end(kTimes)) return false;
    total += number * unit->second;
    text.remove_prefix(unit->first.size());
  } while (!text.empty());
  seconds = negative ? -total : total;
  return true;
}

bool ReadBytes(std::string_view text, double& bytes) {
  if (!TakeNumber(text, bytes) || bytes < 0) return false;
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (text.empty()) return true;
  const std::string word = Lower(text);
  const auto* unit = std::find_if(std::begin(kSizes), std::end(kSizes),
                                  [&](const Unit& u) { return word == u.first; });
  if (unit == std::end(kSizes)) return false;
  bytes *= unit->second;
  return true;
}

bool LogQlToken::IsWordOfAnyCase(std::string_view lower_case_word) const {
  return kind == Kind::kName && Lower(text) == lower_case_word;
}

std::string LogQlToken::Name() const {
  switch (kind) {
    case Kind::kEnd: return "$end";
    case Kind::kName: return "IDENTIFIER";
    case Kind::kNumber: return "NUMBER";
    case Kind::kDuration: return "DURATION";
    case Kind::kBytes: return "BYTES";
    case Kind::kString: return "STRING";
    case Kind::kSymbol: return std::string(text);
  }
  return {};
}

Error LogQlLexer::Wrong(std::size_t at, std::string_view message) const {
  const Place place = PlaceOf(text_, at);
  return InvalidArgument("parse error at line " + std::to_string(place.line) + ", col " +
                         std::to_string(place.column) + ": " + std::string(message));
}

Result<LogQlToken> LogQlLexer::String() {
  LogQlToken token;
  token.kind = LogQlToken::Kind::kString;
  token.at = at_;
  auto value = ReadLiteral(text_, at_);
  if (value) {
    token.value = *std::move(value);
  } else {
    // A revision of Grafana forgets the quote behind an id at the end.
    const std::string_view id = text_.substr(token.at + 1);
    const bool is_id =
        (id.size() == 16 || id.size() == 32) && std::all_of(id.begin(), id.end(), [](char c) {
          return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        });
    if (!is_id) return Wrong(token.at, "syntax error: " + value.error().message);
    token.value = id;
  }
  token.text = text_.substr(token.at, at_ - token.at);
  return token;
}

Result<LogQlToken> LogQlLexer::Number() {
  using Kind = LogQlToken::Kind;
  LogQlToken token;
  token.at = at_;
  std::size_t end = at_;
  while (end < text_.size()) {
    const char c = text_[end];
    const bool exponent =
        (c == '+' || c == '-') && (text_[end - 1] == 'e' || text_[end - 1] == 'E');
    if (!IsNamePart(c) && static_cast<unsigned char>(c) < 0x80 && !exponent) break;
    ++end;
  }
  token.text = text_.substr(at_, end - at_);
  std::string_view rest = token.text;
  double plain = 0;
  if (ReadSeconds(token.text, token.number)) {
    token.kind = Kind::kDuration;
  } else if (TakeNumber(rest, plain) && rest.empty()) {
    token.kind = Kind::kNumber;
    token.number = plain;
  } else if (ReadBytes(token.text, token.number)) {
    token.kind = Kind::kBytes;
  } else {
    return Wrong(at_,
                 "syntax error: bad number, duration or size \"" + std::string(token.text) + "\"");
  }
  at_ = end;
  return token;
}

Result<LogQlToken> LogQlLexer::Next() {
  using Kind = LogQlToken::Kind;
  at_ = AfterBlank(text_, at_);
  LogQlToken token;
  token.at = at_;
  if (at_ == text_.size()) return token;
  const char c = text_[at_];
  if (c == '"' || c == '`') return String();
  if (IsDigit(c) || (c == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]))) {
    return Number();
  }
  if (IsNameStart(c)) {
    while (at_ < text_.size() && IsNamePart(text_[at_])) ++at_;
    token.kind = Kind::kName;
  } else {
    const auto* symbol =
        std::find_if(std::begin(kSymbols), std::end(kSymbols),
                     [&](std::string_view s) { return text_.substr(at_, s.size()) == s; });
    if (symbol == std::end(kSymbols)) {
      return Wrong(at_, "syntax error: unexpected character '" + std::string(1, c) + "'");
    }
    token.kind = Kind::kSymbol;
    at_ += symbol->size();
  }
  token.text = text_.substr(token.at, at_ - token.at);
  return token;
}

}  // namespace throughline::api::query
