// Ids as OTLP/JSON spells them: hexadecimal, any case; absent where empty or all zero.
#pragma once

#include <cstddef>
#include <string_view>

#include "correlate/ids.h"

namespace throughline::otlp {

inline constexpr std::size_t kTraceIdDigits = 32;
inline constexpr std::size_t kSpanIdDigits = 16;

inline bool IsAbsentId(std::string_view text, std::size_t digits) {
  return text.empty() ||
         (text.size() == digits && text.find_first_not_of('0') == std::string_view::npos);
}

}  // namespace throughline::otlp
