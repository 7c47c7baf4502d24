#include "exemplars/buckets.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace throughline::exemplars {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// base^(index + 1) and base^index of the bucket that holds `value`, which is positive and finite.
struct Bounds {
  double lower = 0;
  double upper = 0;
};

// Buckets of whole powers of two: the exponent is exact, so no logarithm is taken.
Bounds WidePowers(unsigned shift, double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // value = fraction * 2^exponent.
  if (fraction == 0.5) --exponent;                       // A power of two ends its bucket.
  // value is in (2^(exponent - 1), 2^exponent]: the bucket index is (exponent - 1) >> shift.
  const int index = (exponent - 1) >> shift;
  const auto power = [shift](int i) {
    const std::int64_t at = std::int64_t{i} * (std::int64_t{1} << shift);
    return std::ldexp(1.0, static_cast<int>(std::clamp<std::int64_t>(at, -2000, 2000)));
  };
  return {.lower = power(index), .upper = power(index + 1)};
}

// Buckets that divide the powers of two.
Bounds FinePowers(int scale, double value) {
  const auto power = [scale](double i) { return std::exp2(std::ldexp(i, -scale)); };
  double index = std::ceil(std::ldexp(std::log2(value), scale)) - 1;
  // The logarithm rounds: put a value that stands on a bound into the bucket that ends there.
  if (power(index) >= value) index -= 1;
  if (power(index + 1) < value) index += 1;
  return {.lower = power(index), .upper = power(index + 1)};
}

}  // namespace

std::optional<double> ExplicitBound(std::span<const double> bounds, std::size_t bucket_count,
                                    double value) {
  if (bucket_count != bounds.size() + 1 || std::isnan(value)) return std::nullopt;
  for (std::size_t i = 1; i < bounds.size(); ++i) {
    if (!(bounds[i - 1] < bounds[i])) return std::nullopt;
  }
  if (bounds.size() == 1 && std::isnan(bounds[0])) return std::nullopt;
  const auto at = std::lower_bound(bounds.begin(), bounds.end(), value);
  return at == bounds.end() ? kInfinity : *at;
}

std::optional<double> ExponentialBound(std::int32_t scale, double zero_threshold, double value) {
  if (!std::isfinite(value)) return std::nullopt;
  const double threshold = zero_threshold > 0 ? zero_threshold : 0;
  const double distance = std::abs(value);
  if (distance <= threshold) return threshold;
  // Beyond these scales every bucket holds one double, or one bucket holds them all.
  constexpr std::int32_t kFinest = 40;
  constexpr std::int32_t kWidest = -12;
  scale = std::clamp(scale, kWidest, kFinest);
  const Bounds bounds =
      scale > 0 ? FinePowers(scale, distance) : WidePowers(static_cast<unsigned>(-scale), distance);
  return value > 0 ? bounds.upper : 0.0 - bounds.lower;
}

}  // namespace throughline::exemplars
