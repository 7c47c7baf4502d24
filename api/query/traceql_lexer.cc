#include "api/query/traceql_lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace throughline::api::query::traceql {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsWord(char c) { return IsWordStart(c) || IsDigit(c) || c == ':'; }

// What ends the bare part of an attribute's name; everything else belongs to it, '-' and '/' too.
bool EndsName(char c) {
  return kSpaces.find(c) != kSpaces.npos ||
         std::string_view("{}()=~!<>&|^,\"`").find(c) != std::string_view::npos;
}

struct Prefix {
  std::string_view text;
  FieldScope scope;
  bool of_parent;
};
// Longer ones before those they begin with.
constexpr std::array<Prefix, 9> kPrefixes = {
    {{"parent.span.", FieldScope::kSpan, true},
     {"parent.resource.", FieldScope::kResource, true},
     {"parent.", FieldScope::kAny, true},
     {"span.", FieldScope::kSpan, false},
     {"resource.", FieldScope::kResource, false},
     {"event.", FieldScope::kEvent, false},
     {"link.", FieldScope::kLink, false},
     {"instrumentation.", FieldScope::kInstrumentation, false},
     {".", FieldScope::kAny, false}}};

// Longer ones before those they begin with.
constexpr std::array<std::string_view, 36> kSymbols = {
    "!>>", "!<<", "&>>", "&<<", "&&", "||", "!=", "!~", "!>", "!<", "&>", "&<",
    "&~",  "=~",  ">=",  "<=",  ">>", "<<", "{",  "}",  "(",  ")",  ",",  "|",
    "=",   "<",   ">",   "~",   "!",  "+",  "-",  "*",  "/",  "%",  "^",  ";"};

struct Unit {
  std::string_view text;
  std::int64_t ns;
};
// Longer ones before those they begin with.
constexpr std::array<Unit, 10> kUnits = {{{"ns", 1},
                                          {"us", 1'000},
                                          {"µs", 1'000},  // U+00B5
                                          {"μs", 1'000},  // U+03BC
                                          {"ms", 1'000'000},
                                          {"s", 1'000'000'000},
                                          {"m", 60'000'000'000},
                                          {"h", 3'600'000'000'000},
                                          {"d", 86'400'000'000'000},
                                          {"w", 604'800'000'000'000}}};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> Run() {
    if (text_.size() > kMaxQueryBytes) {
      return InvalidArgument("the query has " + std::to_string(text_.size()) + " bytes, want " +
                             std::to_string(kMaxQueryBytes) + " at most");
    }
    std::vector<Token> tokens;
    while (true) {
      TL_TRY(SkipSpace());
      Token token;
      token.begin = at_;
      TL_TRY(Next(token));
      token.end = at_;
      token.text = text_.substr(token.begin, at_ - token.begin);
      tokens.push_back(std::move(token));
      if (tokens.back().kind == Token::Kind::kEnd) return tokens;
    }
  }

 private:
  Error Wrong(std::size_t byte, std::string_view what) const {
    return ParseErrorAt(text_, byte, what);
  }
  std::string_view Rest() const { return text_.substr(at_); }
  bool StartsWith(std::string_view prefix) const {
    return Rest().substr(0, prefix.size()) == prefix;
  }

  Result<void> SkipSpace() {
    while (at_ < text_.size()) {
      if (kSpaces.find(text_[at_]) != kSpaces.npos) {
        ++at_;
      } else if (StartsWith("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (StartsWith("/*")) {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == text_.npos) return Wrong(at_, "comment is not closed");
        at_ = end + 2;
      } else {
        break;
      }
    }
    return {};
  }

  Result<void> Next(Token& token) {
    if (at_ == text_.size()) return {};
    const char c = text_[at_];
    if (IsDigit(c) || (c == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]))) {
      return Number(token);
    }
    if (c == '"' || c == '`' || c == '\'') {
      token.kind = Token::Kind::kConstant;
      token.constant.type = Type::kString;
      TL_TRY_ASSIGN(token.constant.text, Quoted());
      return {};
    }
    const auto prefix = std::find_if(kPrefixes.begin(), kPrefixes.end(),
                                     [this](const Prefix& p) { return StartsWith(p.text); });
    if (prefix != kPrefixes.end()) return AttributeName(*prefix, token);
    if (IsWordStart(c)) {
      token.kind = Token::Kind::kWord;
      while (at_ < text_.size() && IsWord(text_[at_])) ++at_;
      return {};
    }
    for (const std::string_view symbol : kSymbols) {
      if (!StartsWith(symbol)) continue;
      token.kind = Token::Kind::kSymbol;
      at_ += symbol.size();
      return {};
    }
    return Wrong(at_, "character that begins nothing here");
  }

  Result<void> AttributeName(const Prefix& prefix, Token& token) {
    const std::size_t begin = at_;
    token.kind = Token::Kind::kField;
    token.field.scope = prefix.scope;
    token.field.of_parent = prefix.of_parent;
    at_ += prefix.text.size();
    while (at_ < text_.size()) {
      if (text_[at_] == '"') {
        TL_TRY_ASSIGN(const std::string part, Quoted());
        token.field.key += part;
      } else if (!EndsName(text_[at_])) {
        token.field.key += text_[at_++];
      } else {
        break;
      }
    }
    if (token.field.key.empty()) return Wrong(begin, "attribute without a name");
    token.field.text = std::string(text_.substr(begin, at_ - begin));
    return {};
  }

  // From the opening quote. Back-ticks have no escapes.
  Result<std::string> Quoted() {
    const std::size_t begin = at_;
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == quote) return value;
      if (c != '\\' || quote == '`') {
        value += c;
        continue;
      }
      const char escaped = at_ < text_.size() ? text_[at_++] : '\0';
      switch (escaped) {
        case 'n': value += '\n'; break;
        case 't': value += '\t'; break;
        case 'r': value += '\r'; break;
        case '\\':
        case '"':
        case '\'': value += escaped; break;
        default: return Wrong(at_ - 2, "unknown escape, want \\n \\t \\r \\\\ or a quote");
      }
    }
    return Wrong(begin, "string is not closed");
  }

  // A number with a unit behind it is a duration, and may go on: 1h30m.
  Result<void> Number(Token& token) {
    const std::size_t begin = at_;
    token.kind = Token::Kind::kConstant;
    std::int64_t total_ns = 0;
    bool is_duration = false;
    while (true) {
      const std::size_t part = at_;
      bool is_float = false;
      while (at_ < text_.size() && (IsDigit(text_[at_]) || text_[at_] == '.')) {
        is_float = is_float || text_[at_] == '.';
        ++at_;
      }
      if (at_ == part) break;
      const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                     [this](const Unit& u) { return IsUnit(u.text); });
      if (unit == kUnits.end()) {
        if (is_duration) return Wrong(part, "number without a unit in a duration");
        return Plain(begin, is_float, token);
      }
      TL_TRY_ASSIGN(const std::int64_t part_ns, Nanoseconds(part, is_float, unit->ns));
      if (__builtin_add_overflow(total_ns, part_ns, &total_ns)) {
        return Wrong(begin, "duration is too long");
      }
      is_duration = true;
      at_ += unit->text.size();
    }
    if (at_ < text_.size() && IsWord(text_[at_])) return Wrong(at_, "unknown unit");
    token.constant.type = Type::kDuration;
    token.constant.integer = total_ns;
    return {};
  }

  // A unit with a letter behind it is none: "5minutes".
  bool IsUnit(std::string_view unit) const {
    if (!StartsWith(unit)) return false;
    const std::size_t end = at_ + unit.size();
    return end == text_.size() || !IsWordStart(text_[end]);
  }

  // What stands from `begin` to here, in a unit.
  Result<std::int64_t> Nanoseconds(std::size_t begin, bool is_float, std::int64_t unit_ns) const {
    if (is_float) {
      TL_TRY_ASSIGN(const double number, Double(begin));
      const double ns = number * static_cast<double>(unit_ns);
      if (ns < 9.2e18) return static_cast<std::int64_t>(std::llround(ns));
      return Wrong(begin, "duration is too long");
    }
    std::int64_t number = 0;
    const auto end = std::from_chars(text_.data() + begin, text_.data() + at_, number);
    if (end.ec != std::errc() || __builtin_mul_overflow(number, unit_ns, &number)) {
      return Wrong(begin, "duration is too long");
    }
    return number;
  }

  Result<double> Double(std::size_t begin) const {
    double number = 0;
    const char* const last = text_.data() + at_;
    const auto end = std::from_chars(text_.data() + begin, last, number);
    if (end.ec != std::errc() || end.ptr != last) return Wrong(begin, "bad number");
    return number;
  }

  Result<void> Plain(std::size_t begin, bool is_float, Token& token) {
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      is_float = true;
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
    }
    if (at_ < text_.size() && IsWord(text_[at_])) return Wrong(at_, "unknown unit");
    if (is_float) {
      token.constant.type = Type::kFloat;
      TL_TRY_ASSIGN(token.constant.number, Double(begin));
      return {};
    }
    token.constant.type = Type::kInt;
    const char* const last = text_.data() + at_;
    const auto end = std::from_chars(text_.data() + begin, last, token.constant.integer);
    if (end.ec != std::errc() || end.ptr != last) return Wrong(begin, "integer is too large");
    return {};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view text) { return Lexer(text).Run(); }

Error ParseErrorAt(std::string_view text, std::size_t byte, std::string_view what) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i < byte && i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      ++line;
      column = 1;
    } else if ((c & 0xc0U) != 0x80U) {  // Bytes that go on a code point are no column.
      ++column;
    }
  }
  return InvalidArgument("parse error at line " + std::to_string(line) + ", col " +
                         std::to_string(column) + ": " + std::string(what));
}

}  // namespace throughline::api::query::traceql
