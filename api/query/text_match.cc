#include "api/query/text_match.h"

#include <re2/re2.h>

#include <utility>

namespace throughline::api::query {
namespace {

constexpr std::int64_t kRegexMemoryBytes = 1 << 20;  // Compiled.

}  // namespace

Result<std::shared_ptr<const re2::RE2>> CompileRegex(const std::string& text) {
  if (text.size() > kMaxRegexBytes) {
    return InvalidArgument("regular expression has " + std::to_string(text.size()) +
                           " bytes, at most " + std::to_string(kMaxRegexBytes) + " are allowed");
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kRegexMemoryBytes);
  options.set_dot_nl(true);
  auto regex = std::make_shared<const re2::RE2>(text, options);
  if (!regex->ok()) return InvalidArgument("error parsing regexp: " + regex->error());
  return std::shared_ptr<const re2::RE2>(std::move(regex));
}

Result<TextMatch> TextMatch::Compile(Matcher::Op op, std::string value, Of of) {
  TextMatch match;
  match.of_ = of;
  match.negative_ = op == Matcher::Op::kNotEqual || op == Matcher::Op::kNotRegex;
  const bool is_regex = op == Matcher::Op::kRegex || op == Matcher::Op::kNotRegex;
  if (is_regex && (value == ".*" || value == ".+")) {
    match.any_ = value == ".*" ? Any::kText : Any::kTextThatIsThere;
  } else if (is_regex) {
    TL_TRY_ASSIGN(match.regex_, CompileRegex(value));
  }
  match.value_ = std::move(value);
  return match;
}

bool TextMatch::Accepts(std::string_view text) const {
  if (any_ != Any::kNo) return any_ == Any::kText || !text.empty();
  if (regex_ != nullptr) {
    const re2::StringPiece piece(text.data(), text.size());
    return of_ == Of::kWhole ? re2::RE2::FullMatch(piece, *regex_)
                             : re2::RE2::PartialMatch(piece, *regex_);
  }
  return of_ == Of::kWhole ? text == value_ : text.find(value_) != std::string_view::npos;
}

}  // namespace throughline::api::query
