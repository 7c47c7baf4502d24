// PromQL in tokens.
//
// Views the text, which must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::api::query {

struct PromQlToken {
  enum class Kind { kEnd, kName, kNumber, kDuration, kString, kSymbol };
  Kind kind = Kind::kEnd;
  std::size_t at = 0;             // Offset of the first byte.
  std::string_view text;          // As it stands; of a symbol: "(", "=~", "<=", ...
  double number = 0;              // Of a number; of a duration in seconds.
  std::uint64_t duration_ns = 0;  // Of a duration.
  std::string value;              // Of a string, unquoted.

  bool Is(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
  // A name, in any case.
  bool IsWord(std::string_view lower_case) const;
};

class PromQlLexer {
 public:
  explicit PromQlLexer(std::string_view text) : text_(text) {}

  Result<PromQlToken> Next();
  // "1:5: parse error: " and the message.
  Error Wrong(std::size_t at, std::string_view message) const;

 private:
  Result<PromQlToken> Number();
  bool TakeDuration(PromQlToken& token);

  const std::string_view text_;
  std::size_t at_ = 0;
  bool in_brackets_ = false;  // Where ':' parts a range from a step.
};

}  // namespace throughline::api::query
