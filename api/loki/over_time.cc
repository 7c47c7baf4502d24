#include "api/loki/over_time.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace throughline::api::loki {

double Quantile(const std::vector<double>& values, double quantile) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (std::isnan(quantile)) return quantile;
  if (quantile < 0) return -kInfinity;
  if (quantile > 1) return kInfinity;
  const double rank = quantile * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double weight = rank - static_cast<double>(below);
  return values[below] * (1 - weight) + values[above] * weight;
}

double Spread::deviation() const { return std::sqrt(variance); }

Spread SpreadOf(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return {.variance = sum / count};
}

double OverTime(std::string_view function, double quantile, std::span<const Sample> window,
                double seconds) {
  if (function == "first_over_time") return window.front().value;
  if (function == "last_over_time") return window.back().value;
  std::vector<double> values;
  values.reserve(window.size());
  for (const Sample& sample : window) values.push_back(sample.value);
  if (function == "min_over_time") return *std::min_element(values.begin(), values.end());
  if (function == "max_over_time") return *std::max_element(values.begin(), values.end());
  if (function == "stdvar_over_time") return SpreadOf(values).variance;
  if (function == "stddev_over_time") return SpreadOf(values).deviation();
  if (function == "quantile_over_time") {
    std::sort(values.begin(), values.end());
    return Quantile(values, quantile);
  }
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  if (function == "avg_over_time") return sum / static_cast<double>(values.size());
  return function == "rate" ? sum / seconds : sum;
}

}  // namespace throughline::api::loki
