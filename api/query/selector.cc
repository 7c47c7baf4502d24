#include "api/query/selector.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace throughline::api::query {
namespace {

constexpr std::string_view kNameLabel = "__name__";

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(std::uint32_t point, std::string& out) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xc0U | (point >> 6U));
    byte(0x80U | (point & 0x3fU));
  } else if (point < 0x10000) {
    byte(0xe0U | (point >> 12U));
    byte(0x80U | ((point >> 6U) & 0x3fU));
    byte(0x80U | (point & 0x3fU));
  } else {
    byte(0xf0U | (point >> 18U));
    byte(0x80U | ((point >> 12U) & 0x3fU));
    byte(0x80U | ((point >> 6U) & 0x3fU));
    byte(0x80U | (point & 0x3fU));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Selector> Parse() {
    SkipSpace();
    // OTLP names have dots, which PromQL's own grammar has not; nothing else starts so.
    if (at_ < text_.size() && (IsNameStart(text_[at_]) || text_[at_] == ':')) {
      selector_.metric = TakeName(":.");
    }
    SkipSpace();
    if (Take('{')) {
      TL_TRY(Braces());
      SkipSpace();
    } else if (selector_.metric.empty()) {
      return Wrong("want a metric name or {");
    }
    if (at_ < text_.size()) return Wrong("want nothing after the selector");
    return std::move(selector_);
  }

 private:
  Error Wrong(std::string_view want) const {
    return InvalidArgument("selector, byte " + std::to_string(at_) + ": " + std::string(want));
  }
  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }
  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool AtQuote() const {
    return at_ < text_.size() && std::string_view("\"'`").find(text_[at_]) != text_.npos;
  }
  std::string TakeName(std::string_view also) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (IsNameStart(text_[at_]) || IsDigit(text_[at_]) ||
                                  also.find(text_[at_]) != std::string_view::npos)) {
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<void> Braces() {
    while (true) {
      SkipSpace();
      if (Take('}')) return {};
      TL_TRY(OneMatcher());
      SkipSpace();
      if (Take(',')) continue;
      if (Take('}')) return {};
      return Wrong("want , or }");
    }
  }

  Result<void> OneMatcher() {
    std::string key;
    const bool quoted = AtQuote();
    if (quoted) {
      TL_TRY_ASSIGN(key, Quoted());
    } else if (at_ < text_.size() && IsNameStart(text_[at_])) {
      key = TakeName(".");
    }
    if (key.empty()) return Wrong("want a label name");
    SkipSpace();
    if (quoted && at_ < text_.size() && (text_[at_] == ',' || text_[at_] == '}')) {
      return SetMetric(std::move(key));  // {"a metric", ...}
    }
    const auto op = TakeOperator();
    if (!op) return Wrong("want =, !=, =~ or !~");
    SkipSpace();
    if (!AtQuote()) return Wrong("want a quoted value");
    TL_TRY_ASSIGN(std::string value, Quoted());
    if (key == kNameLabel && *op == Matcher::Op::kEqual) return SetMetric(std::move(value));
    if (selector_.matchers.size() == kMaxMatchers) {
      return Wrong("more than " + std::to_string(kMaxMatchers) + " matchers");
    }
    selector_.matchers.push_back({.key = std::move(key), .op = *op, .value = std::move(value)});
    return {};
  }

  Result<void> SetMetric(std::string name) {
    if (!selector_.metric.empty()) return Wrong("want one metric name");
    selector_.metric = std::move(name);
    return {};
  }

  std::optional<Matcher::Op> TakeOperator() {
    if (Take('=')) return Take('~') ? Matcher::Op::kRegex : Matcher::Op::kEqual;
    if (!Take('!')) return std::nullopt;
    if (Take('~')) return Matcher::Op::kNotRegex;
    if (Take('=')) return Matcher::Op::kNotEqual;
    return std::nullopt;
  }

  Result<std::string> Quoted() {
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == quote) return value;
      if (c == '\\' && quote != '`') {
        TL_TRY(Escape(value));
      } else {
        value += c;
      }
    }
    return Wrong("want the closing quote");
  }

  Result<void> Escape(std::string& value) {
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    constexpr std::string_view kLetters = "abfnrtv\\\"'";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"'";
    if (const std::size_t i = kLetters.find(c); c != '\0' && i != kLetters.npos) {
      value += kMeanings[i];
      return {};
    }
    if (c == 'x') return Code(2, 16, true, value);
    if (c == 'u') return Code(4, 16, false, value);
    if (c == 'U') return Code(8, 16, false, value);
    if (c >= '0' && c <= '7') {
      --at_;
      return Code(3, 8, true, value);
    }
    return Wrong("unknown escape");
  }

  // `count` digits: a byte, or a code point.
  Result<void> Code(std::size_t count, std::uint32_t base, bool is_byte, std::string& value) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = at_ < text_.size() ? text_[at_++] : '\0';
      std::uint32_t digit = 99;
      if (IsDigit(c)) digit = static_cast<std::uint32_t>(c - '0');
      if (c >= 'a' && c <= 'f') digit = static_cast<std::uint32_t>(c - 'a') + 10;
      if (c >= 'A' && c <= 'F') digit = static_cast<std::uint32_t>(c - 'A') + 10;
      if (digit >= base) return Wrong("want " + std::to_string(count) + " digits in an escape");
      number = number * base + digit;
    }
    const bool surrogate = number >= 0xd800 && number < 0xe000;
    if (number > (is_byte ? 0xffU : 0x10ffffU) || (!is_byte && surrogate)) {
      return Wrong("escape out of range");
    }
    if (is_byte) {
      value += static_cast<char>(number);
    } else {
      AppendUtf8(number, value);
    }
    return {};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  Selector selector_;
};

}  // namespace

Result<Selector> ParseSelector(std::string_view text) { return Parser(text).Parse(); }

}  // namespace throughline::api::query
