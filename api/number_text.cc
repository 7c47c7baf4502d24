#include "api/number_text.h"

#include <charconv>
#include <cmath>
#include <iterator>

namespace throughline::api {

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
  char digits[64];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(std::begin(digits), end.ptr);
  // Go's exponents have no zero in front.
  if (const std::size_t zero = text.find("e-0"); zero != std::string::npos) text.erase(zero + 2, 1);
  return text;
}

void WriteTimestamp(wire::JsonWriter& json, std::uint64_t unix_ns) {
  const std::uint64_t ms = unix_ns / 1'000'000;
  std::string text = std::to_string(ms / 1000);
  if (ms % 1000 != 0) {
    const std::string digits = std::to_string(ms % 1000);
    text += '.';
    text.append(3 - digits.size(), '0').append(digits);
  }
  json.Raw(text);
}

}  // namespace throughline::api
