#include "api/query/promql_lexer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/query/blank.h"
#include "api/query/literal.h"
#include "api/query/place.h"

namespace throughline::api::query {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c) || c == '.'; }

// The longest first.
constexpr std::string_view kSymbols[] = {"==", "!=", "<=", ">=", "=~", "!~", "+", "-",
                                         "*",  "/",  "%",  "^",  "<",  ">",  "=", "(",
                                         ")",  "{",  "}",  "[",  "]",  ",",  ":", "@"};

constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
    {"w", 7 * 86'400'000'000'000},
    {"y", 365 * 86'400'000'000'000},
};
constexpr std::uint64_t kLongestNs = 100 * kUnits[6].second;

}  // namespace

bool PromQlToken::IsWord(std::string_view lower_case) const {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return kind == Kind::kName &&
         std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(), same);
}

Error PromQlLexer::Wrong(std::size_t at, std::string_view message) const {
  const Place place = PlaceOf(text_, at);
  return InvalidArgument(std::to_string(place.line) + ":" + std::to_string(place.column) +
                         ": parse error: " + std::string(message));
}

Result<PromQlToken> PromQlLexer::Next() {
  using Kind = PromQlToken::Kind;
  at_ = AfterBlank(text_, at_);
  PromQlToken token;
  token.at = at_;
  if (at_ == text_.size()) return token;
  const char c = text_[at_];
  if (IsQuote(c)) {
    token.kind = Kind::kString;
    auto value = ReadLiteral(text_, at_);
    if (!value) return Wrong(at_, value.error().message);
    token.value = *std::move(value);
  } else if (IsNameStart(c) && !(c == ':' && in_brackets_)) {
    while (at_ < text_.size() && IsNamePart(text_[at_])) ++at_;
    token.kind = Kind::kName;
  } else if (IsDigit(c) || (c == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]))) {
    return Number();
  } else {
    const auto symbol =
        std::find_if(std::begin(kSymbols), std::end(kSymbols),
                     [&](std::string_view s) { return text_.substr(at_, s.size()) == s; });
    if (symbol == std::end(kSymbols)) {
      return Wrong(at_, "unexpected character: '" + std::string(1, c) + "'");
    }
    token.kind = Kind::kSymbol;
    at_ += symbol->size();
    if (c == '[' || c == ']') in_brackets_ = c == '[';
  }
  token.text = text_.substr(token.at, at_ - token.at);
  return token;
}

// "1h30m": units fall. Leaves at_ where it was if there is none.
bool PromQlLexer::TakeDuration(PromQlToken& token) {
  const std::size_t begin = at_;
  std::uint64_t total = 0;
  std::size_t last_unit = std::size(kUnits);
  while (at_ < text_.size() && IsDigit(text_[at_])) {
    std::uint64_t count = 0;
    const char* const end = text_.data() + text_.size();
    const auto read = std::from_chars(text_.data() + at_, end, count);
    const std::string_view rest(read.ptr, static_cast<std::size_t>(end - read.ptr));
    std::size_t unit = 0;
    while (unit < std::size(kUnits) && !rest.starts_with(kUnits[unit].first)) ++unit;
    if (read.ec != std::errc() || unit >= last_unit || count > kLongestNs / kUnits[unit].second) {
      at_ = begin;
      return false;
    }
    last_unit = unit;
    total += count * kUnits[unit].second;
    at_ = static_cast<std::size_t>(read.ptr - text_.data()) + kUnits[unit].first.size();
  }
  if (at_ == begin || (at_ < text_.size() && IsNamePart(text_[at_]) && text_[at_] != ':')) {
    at_ = begin;
    return false;
  }
  token.kind = PromQlToken::Kind::kDuration;
  token.duration_ns = total;
  token.number = static_cast<double>(total) / 1e9;
  return true;
}

Result<PromQlToken> PromQlLexer::Number() {
  PromQlToken token;
  token.at = at_;
  if (!TakeDuration(token)) {
    token.kind = PromQlToken::Kind::kNumber;
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    const bool is_hex = text_.substr(at_, 2) == "0x" || text_.substr(at_, 2) == "0X";
    const auto read = is_hex ? std::from_chars(begin + 2, end, token.number, std::chars_format::hex)
                             : std::from_chars(begin, end, token.number);
    at_ = static_cast<std::size_t>(read.ptr - text_.data());
    if (read.ec != std::errc() || (at_ < text_.size() && IsNamePart(text_[at_]))) {
      while (at_ < text_.size() && IsNamePart(text_[at_])) ++at_;
      return Wrong(token.at, "bad number or duration syntax: \"" +
                                 std::string(text_.substr(token.at, at_ - token.at)) + "\"");
    }
  }
  token.text = text_.substr(token.at, at_ - token.at);
  return token;
}

}  // namespace throughline::api::query
