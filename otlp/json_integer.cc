#include "otlp/json_integer.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace throughline::otlp {
namespace {

using State = DecimalInteger::State;

// A number of more digits before its point than this is over 64 bits, or zero.
constexpr std::int64_t kMaxDigits = 20;
// Exponents beyond are all the same: no text has enough digits to make up for them.
constexpr std::int64_t kMaxExponent = std::int64_t{1} << 40U;

// The parts of a number in JSON's form.
struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

std::string_view TakeDigits(std::string_view& rest) {
  const auto* const end =
      std::find_if(rest.begin(), rest.end(), [](char c) { return c < '0' || c > '9'; });
  const auto size = static_cast<std::size_t>(end - rest.begin());
  const std::string_view digits = rest.substr(0, size);
  rest.remove_prefix(size);
  return digits;
}

bool Take(char c, std::string_view& rest) {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

bool TakeExponent(std::string_view& rest, std::int64_t& exponent) {
  const bool negative = Take('-', rest);
  if (!negative) Take('+', rest);
  const std::string_view digits = TakeDigits(rest);
  if (digits.empty()) return false;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  if (parsed.ec != std::errc() || exponent > kMaxExponent) exponent = kMaxExponent;
  if (negative) exponent = -exponent;
  return true;
}

bool Split(std::string_view rest, Parts& parts) {
  parts.negative = Take('-', rest);
  parts.whole = TakeDigits(rest);
  if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole.front() == '0')) return false;
  if (Take('.', rest)) {
    parts.fraction = TakeDigits(rest);
    if (parts.fraction.empty()) return false;
  }
  if ((Take('e', rest) || Take('E', rest)) && !TakeExponent(rest, parts.exponent)) return false;
  return rest.empty();
}

}  // namespace

DecimalInteger ParseInteger(std::string_view text) {
  Parts parts;
  if (!Split(text, parts)) return {.state = State::kNotANumber};
  const std::size_t size = parts.whole.size() + parts.fraction.size();
  const auto digit = [&parts](std::size_t i) {
    return i < parts.whole.size() ? parts.whole[i] : parts.fraction[i - parts.whole.size()];
  };
  std::size_t begin = 0;
  while (begin < size && digit(begin) == '0') ++begin;
  std::size_t end = size;
  while (end > begin && digit(end - 1) == '0') --end;
  if (begin == end) return {};
  // Where the decimal point stands, counted from the first digit of all.
  const std::int64_t point = static_cast<std::int64_t>(parts.whole.size()) + parts.exponent;
  if (static_cast<std::int64_t>(end) > point) return {.state = State::kNotIntegral};
  if (point - static_cast<std::int64_t>(begin) > kMaxDigits) return {.state = State::kTooLarge};

  DecimalInteger integer{.negative = parts.negative};
  for (auto i = begin; static_cast<std::int64_t>(i) < point; ++i) {
    const auto value = i < end ? static_cast<std::uint64_t>(digit(i) - '0') : 0;
    if (__builtin_mul_overflow(integer.magnitude, std::uint64_t{10}, &integer.magnitude) ||
        __builtin_add_overflow(integer.magnitude, value, &integer.magnitude)) {
      return {.state = State::kTooLarge};
    }
  }
  return integer;
}

}  // namespace throughline::otlp
