#include "api/query/selector.h"

#include <optional>
#include <utility>

#include "api/query/literal.h"

namespace throughline::api::query {
namespace {

constexpr std::string_view kNameLabel = "__name__";

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

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
  bool AtQuote() const { return at_ < text_.size() && IsQuote(text_[at_]); }
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
    auto value = ReadLiteral(text_, at_);
    if (!value) return Wrong(value.error().message);
    return value;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  Selector selector_;
};

}  // namespace

Result<Selector> ParseSelector(std::string_view text) { return Parser(text).Parse(); }

}  // namespace throughline::api::query
