// The words that export writes for enumerations of the model, in every form that has words.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "correlate/batch.h"

namespace throughline::store::transfer {

inline constexpr std::array<std::string_view, 6> kFoundByNames = {"none",  "field", "key",
                                                                  "shape", "regex", "known"};
inline constexpr std::array<std::string_view, 6> kMetricTypeNames = {
    "unknown", "gauge", "sum", "histogram", "exponentialHistogram", "summary"};

template <std::size_t kCount>
std::string_view NameIn(const std::array<std::string_view, kCount>& names, auto enumerator) {
  const auto index = static_cast<std::size_t>(enumerator);
  return index < kCount ? names[index] : std::string_view();
}

// nullopt: no such word.
template <typename Enum, std::size_t kCount>
std::optional<Enum> NamedIn(const std::array<std::string_view, kCount>& names,
                            std::string_view name) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace throughline::store::transfer
