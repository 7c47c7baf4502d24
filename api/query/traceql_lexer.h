// TraceQL as a list of tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/query/traceql.h"
#include "correlate/result.h"

namespace throughline::api::query::traceql {

struct Token {
  enum class Kind : std::uint8_t {
    kEnd,
    kSymbol,    // `text`: "{", "&&", "!>>", ...
    kWord,      // `text`: "status", "span:duration", "count_over_time", ...
    kField,     // An attribute with its scope.
    kConstant,  // A number, a duration or a string.
  } kind = Kind::kEnd;
  std::size_t begin = 0;  // In bytes.
  std::size_t end = 0;
  std::string_view text;  // As it stands.
  Field field;
  Constant constant;
};

// The last token is kEnd. kInvalidArgument, with the place.
Result<std::vector<Token>> Tokenize(std::string_view text);

// "parse error at line 1, col 5: want ...". Columns count code points, from 1.
Error ParseErrorAt(std::string_view text, std::size_t byte, std::string_view what);

}  // namespace throughline::api::query::traceql
