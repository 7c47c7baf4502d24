// Answers compared with files under tests/golden/api.
//
// With THROUGHLINE_UPDATE_GOLDEN=1 in the environment the files are written instead: look at the
// difference before you commit it.
#pragma once

#include <string>
#include <string_view>

namespace throughline::api {

// One member or item a line, indented. Every byte of the answer that is not white space stays.
std::string Indented(std::string_view json);

// Fails the running test where `text` is not what tests/golden/api/NAME holds.
void ExpectGolden(std::string_view name, const std::string& text);

}  // namespace throughline::api
