// A quoted text as PromQL, LogQL and Go write it: in double or single quotes with Go's escapes, in
// backquotes without.
//
// Source: The Go Programming Language Specification, "String literals"; "Rune literals".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::api::query {

// Reads the literal whose opening quote stands at `at`, and leaves `at` behind it. On an error `at`
// is where the trouble is, and the message says what was wanted.
Result<std::string> ReadLiteral(std::string_view text, std::size_t& at);

inline bool IsQuote(char c) { return c == '"' || c == '\'' || c == '`'; }

}  // namespace throughline::api::query
