// Where in a query something stands, as people count.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace throughline::api::query {

// Both from 1; columns are bytes.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};

inline Place PlaceOf(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  return {lines + 1, before.size() - (before.rfind('\n') + 1) + 1};  // npos + 1 is 0.
}

}  // namespace throughline::api::query
