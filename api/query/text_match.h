// One condition on a text: equality, or a regular expression of RE2's.
//
// Pure once compiled, and cheap to copy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/query.h"
#include "correlate/result.h"

namespace re2 {
class RE2;
}

namespace throughline::api::query {

inline constexpr std::size_t kMaxRegexBytes = 4096;  // Of one expression's text.

// A regular expression within the bounds that all of them have here. '.' is any character.
// kInvalidArgument: it is none, it is too long, or it takes too much memory.
Result<std::shared_ptr<const re2::RE2>> CompileRegex(const std::string& text);

class TextMatch {
 public:
  enum class Of { kWhole, kPart };  // Of the text: what must be equal, or must match.

  static Result<TextMatch> Compile(Matcher::Op op, std::string value, Of of = Of::kWhole);

  // With the negation of `op`.
  bool Matches(std::string_view text) const { return Accepts(text) != negative_; }

 private:
  bool Accepts(std::string_view text) const;

  std::string value_;
  Of of_ = Of::kWhole;
  bool negative_ = false;
  // `.*` and `.+`, which Grafana writes for any label: they need no automaton.
  enum class Any : std::uint8_t { kNo, kText, kTextThatIsThere } any_ = Any::kNo;
  std::shared_ptr<const re2::RE2> regex_;  // Null: plain text.
};

}  // namespace throughline::api::query
