// What PromQL and LogQL pass by between two tokens.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace throughline::api::query {

inline constexpr std::string_view kBlank = " \t\r\n";

// The first place from `at` on that is neither blank nor in a comment, which a # begins and the
// line ends.
inline std::size_t AfterBlank(std::string_view text, std::size_t at) {
  for (;;) {
    at = std::min(text.find_first_not_of(kBlank, at), text.size());
    if (at == text.size() || text[at] != '#') return at;
    at = std::min(text.find('\n', at), text.size());
  }
}

}  // namespace throughline::api::query
