// A tag as older searches name it, key and text, as a condition of TraceQL.
#pragma once

#include <string>
#include <string_view>

namespace throughline::api::query {

// `.key = "value"`; where the value reads as a number or a truth value, that or the text, in
// parentheses: those searches know no types.
std::string TagCondition(std::string_view key, std::string_view value);

}  // namespace throughline::api::query
