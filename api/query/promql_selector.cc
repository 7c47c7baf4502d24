#include "api/query/promql_selector.h"

#include <utility>

#include "api/query/text_match.h"

namespace throughline::api::query {

Error PromQlSelectorParser::Unexpected(std::string_view where) const {
  if (token_.kind == PromQlToken::Kind::kEnd) return Wrong("unexpected end of input");
  return Wrong("unexpected \"" + std::string(token_.text) + "\" " + std::string(where));
}

Result<void> PromQlSelectorParser::Advance() {
  TL_TRY_ASSIGN(token_, ahead_ ? Result<PromQlToken>(std::move(*ahead_)) : lexer_.Next());
  ahead_.reset();
  return {};
}

Result<const PromQlToken*> PromQlSelectorParser::Ahead() {
  if (!ahead_) {
    TL_TRY_ASSIGN(ahead_, lexer_.Next());
  }
  return &*ahead_;
}

Result<bool> PromQlSelectorParser::Take(std::string_view symbol) {
  if (!token_.Is(symbol)) return false;
  TL_TRY(Advance());
  return true;
}

Result<void> PromQlSelectorParser::Want(std::string_view symbol, std::string_view where) {
  if (!token_.Is(symbol)) return Unexpected(std::string(where) + ", want " + std::string(symbol));
  return Advance();
}

Result<std::vector<std::string>> PromQlSelectorParser::LabelList() {
  std::vector<std::string> labels;
  TL_TRY(Want("(", "before labels"));
  while (!token_.Is(")")) {
    if (token_.kind == PromQlToken::Kind::kName) {
      labels.emplace_back(token_.text);
    } else if (token_.kind == PromQlToken::Kind::kString) {
      labels.push_back(token_.value);
    } else {
      return Unexpected("in grouping, want a label");
    }
    TL_TRY(Advance());
    TL_TRY_ASSIGN(const bool more, Take(","));
    if (!more && !token_.Is(")")) return Unexpected("in grouping, want , or )");
  }
  TL_TRY(Advance());
  return labels;
}

Result<PromQl> PromQlSelectorParser::SelectorOf(std::string metric) {
  const std::size_t at = token_.at;
  if (++selectors_ > kMaxPromQlSelectors) {
    return Wrong("more than " + std::to_string(kMaxPromQlSelectors) + " selectors");
  }
  PromQl out;
  out.kind = PromQl::Kind::kSelector;
  out.selector.metric = std::move(metric);
  TL_TRY_ASSIGN(const bool has_braces, Take("{"));
  if (has_braces) {
    while (!token_.Is("}")) {
      TL_TRY(OneMatcher(out.selector));
      TL_TRY_ASSIGN(const bool more, Take(","));
      if (!more && !token_.Is("}")) return Unexpected("in label matching, want , or }");
    }
    TL_TRY(Advance());
  }
  if (out.selector.metric.empty() && !excludes_empty_) {
    return lexer_.Wrong(at, "vector selector must contain at least one non-empty matcher");
  }
  excludes_empty_ = false;
  return out;
}

Result<void> PromQlSelectorParser::OneMatcher(Selector& selector) {
  const bool quoted = token_.kind == PromQlToken::Kind::kString;
  if (!quoted && token_.kind != PromQlToken::Kind::kName) {
    return Unexpected("in label matching, want a label name");
  }
  const std::size_t at = token_.at;
  std::string key = quoted ? std::move(token_.value) : std::string(token_.text);
  TL_TRY(Advance());
  if (quoted && (token_.Is(",") || token_.Is("}"))) return SetMetric(at, std::move(key), selector);
  Matcher::Op op = Matcher::Op::kEqual;
  if (token_.Is("!=")) {
    op = Matcher::Op::kNotEqual;
  } else if (token_.Is("=~")) {
    op = Matcher::Op::kRegex;
  } else if (token_.Is("!~")) {
    op = Matcher::Op::kNotRegex;
  } else if (!token_.Is("=")) {
    return Unexpected("in label matching, want =, !=, =~ or !~");
  }
  TL_TRY(Advance());
  if (token_.kind != PromQlToken::Kind::kString)
    return Unexpected("in label matching, want a string");
  const auto match = TextMatch::Compile(op, token_.value);
  if (!match) return Wrong(match.error().message);
  excludes_empty_ = excludes_empty_ || !match->Matches({});
  std::string value = std::move(token_.value);
  TL_TRY(Advance());
  if (key == "__name__" && op == Matcher::Op::kEqual && !value.empty()) {
    return SetMetric(at, std::move(value), selector);
  }
  if (selector.matchers.size() == kMaxMatchers) {
    return lexer_.Wrong(at, "more than " + std::to_string(kMaxMatchers) + " matchers");
  }
  selector.matchers.push_back({.key = std::move(key), .op = op, .value = std::move(value)});
  return {};
}

Result<void> PromQlSelectorParser::SetMetric(std::size_t at, std::string name,
                                             Selector& selector) const {
  if (!selector.metric.empty()) {
    return lexer_.Wrong(
        at, "metric name must not be set twice: \"" + selector.metric + "\" or \"" + name + "\"");
  }
  selector.metric = std::move(name);
  return {};
}

}  // namespace throughline::api::query
