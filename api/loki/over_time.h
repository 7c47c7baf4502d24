// What the numbers of a window come to: sum_over_time, quantile_over_time and their relatives.
//
// Pure. As Prometheus' functions of the same names.
// Source: prometheus.io/docs/prometheus/latest/querying/functions, "<aggregation>_over_time()".
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace throughline::api::loki {

struct Sample {
  std::uint64_t unix_ns = 0;
  double value = 0;
  auto operator<=>(const Sample&) const = default;
};

// `window` is sorted and not empty, `seconds` long. `function` is one that LogQL has for numbers;
// rate is their sum a second. `quantile`: of quantile_over_time.
double OverTime(std::string_view function, double quantile, std::span<const Sample> window,
                double seconds);

// Between the two nearest of `values`, which are sorted and not empty; -Inf below 0, +Inf over 1.
double Quantile(const std::vector<double>& values, double quantile);

struct Spread {
  double variance = 0;  // Of the whole, not of a sample of it.
  double deviation() const;
};
Spread SpreadOf(std::span<const double> values);

}  // namespace throughline::api::loki
