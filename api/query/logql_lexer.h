// LogQL in tokens.
//
// Views the text, which must outlive it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::api::query {

struct LogQlToken {
  // Numbers with a unit: of time (number in seconds), of size (in bytes).
  enum class Kind { kEnd, kName, kNumber, kDuration, kBytes, kString, kSymbol };
  Kind kind = Kind::kEnd;
  std::size_t at = 0;     // Offset of the first byte.
  std::string_view text;  // As it stands.
  double number = 0;
  std::string value;  // Of a string, unquoted.

  bool Is(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
  bool IsWord(std::string_view word) const { return kind == Kind::kName && text == word; }
  // "and" and "or" are of any case: Grafana writes both.
  bool IsWordOfAnyCase(std::string_view lower_case_word) const;
  // As Loki's errors call it: IDENTIFIER, STRING, $end, ...
  std::string Name() const;
};

class LogQlLexer {
 public:
  explicit LogQlLexer(std::string_view text) : text_(text) {}

  Result<LogQlToken> Next();
  // "parse error at line 1, col 12: " and the message.
  Error Wrong(std::size_t at, std::string_view message) const;

 private:
  Result<LogQlToken> String();
  Result<LogQlToken> Number();

  const std::string_view text_;
  std::size_t at_ = 0;
};

// A number with or without a unit, as the texts of labels have it: "1.5s", "1h2m", "10MB", "12".
// Seconds or bytes. False: it is none.
bool ReadSeconds(std::string_view text, double& seconds);
bool ReadBytes(std::string_view text, double& bytes);

}  // namespace throughline::api::query
