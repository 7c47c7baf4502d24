// How surprising a share is, given what it was before.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace throughline {

struct Deviation {
  double z = 0;      // Standard deviations from what the baseline lets expect.
  double share = 0;  // By how much the share changed, of -1 to 1.
};

// Compares how many of n1 have something with k0 of n0 before, stratum by stratum, so that another
// mix of requests is no change. Strata that the baseline has not seen say nothing. The shares of
// the baseline are smoothed by half a case, and their own uncertainty counts.
class StratifiedTest {
 public:
  void Add(double n0, double k0, double n1, double k1) {
    if (n0 <= 0 || n1 <= 0) return;
    AddSmoothed(n0, (k0 + 0.5) / (n0 + 1), n1, k1, 1);
  }
  // Takes back what was added.
  void Remove(double n0, double k0, double n1, double k1) {
    if (n0 <= 0 || n1 <= 0) return;
    AddSmoothed(n0, (k0 + 0.5) / (n0 + 1), n1, k1, -1);
  }
  // A thing that was never counted: an even chance.
  void AddUnseen(double n1, double k1) { AddSmoothed(0, 0.5, n1, k1, 1); }

  Deviation Result() const {
    if (total_ <= 0) return {};
    const double excess = found_ - expected_;
    return {excess / std::sqrt(std::max(variance_, 0.0) + 1e-9), excess / total_};
  }

 private:
  void AddSmoothed(double n0, double p, double n1, double k1, double sign) {
    expected_ += sign * n1 * p;
    variance_ += sign * n1 * p * (1 - p) * (1 + n1 / (n0 + 1));
    found_ += sign * k1;
    total_ += sign * n1;
  }
  double expected_ = 0, variance_ = 0, found_ = 0, total_ = 0;
};

// Grows from 0 to 1 with |z|. Not a probability: thousands of things are tested at once.
inline double Confidence(double z) { return 1 - std::exp(-z * z / 18); }

// Between neighbours, linearly. `sorted` is not empty.
template <typename Number>
double Quantile(std::span<const Number> sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = at - static_cast<double>(below);
  return static_cast<double>(sorted[below]) * (1 - part) +
         static_cast<double>(sorted[above]) * part;
}

// `values` is not empty, and is sorted.
inline double Median(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return Quantile<double>(values, 0.5);
}

}  // namespace throughline
