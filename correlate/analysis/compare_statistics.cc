#include "correlate/analysis/compare_statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace throughline {
namespace {

double TwoSided(double z) { return std::erfc(std::abs(z) / std::sqrt(2.0)); }

// Probabilities of the counts from `first` on.
struct Counts {
  double first = 0;
  std::vector<double> p = {1};
  bool starts_at_least = true;  // Nothing below `first` is possible, else only unlikely.
  bool ends_at_most = true;
};

constexpr double kNegligible = 1e-20;  // Beside the likeliest count.

// How many of `drawn` cases have it, of `all` of which `has` have: the hypergeometric distribution,
// from its likeliest count outwards.
Counts Hypergeometric(double all, double has, double drawn) {
  const double least = std::max(0.0, drawn + has - all);
  const double most = std::min(drawn, has);
  const double mode = std::clamp(std::floor((drawn + 1) * (has + 1) / (all + 2)), least, most);
  const auto up = [&](double k) {  // p(k + 1) / p(k).
    return (drawn - k) * (has - k) / ((k + 1) * (all - drawn - has + k + 1));
  };
  std::vector<double> below;  // From the mode down.
  double k = mode;
  for (double p = 1; k > least && p > kNegligible; --k) below.push_back(p /= up(k - 1));
  Counts counts;
  counts.first = k;
  counts.starts_at_least = k <= least;
  counts.p.assign(below.rbegin(), below.rend());
  counts.p.push_back(1);
  k = mode;
  for (double p = 1; k < most && p > kNegligible; ++k) counts.p.push_back(p *= up(k));
  counts.ends_at_most = k >= most;
  const double sum = std::accumulate(counts.p.begin(), counts.p.end(), 0.0);
  for (double& p : counts.p) p /= sum;
  return counts;
}

// Of the sum of two counts.
Counts Sum(const Counts& a, const Counts& b) {
  Counts sum;
  sum.first = a.first + b.first;
  sum.p.assign(a.p.size() + b.p.size() - 1, 0);
  for (std::size_t i = 0; i < a.p.size(); ++i) {
    for (std::size_t j = 0; j < b.p.size(); ++j) sum.p[i + j] += a.p[i] * b.p[j];
  }
  sum.starts_at_least = a.starts_at_least && b.starts_at_least;
  sum.ends_at_most = a.ends_at_most && b.ends_at_most;
  return sum;
}

}  // namespace

void RankTest::Add(std::span<const double> baseline, std::span<const double> candidate) {
  if (baseline.empty() || candidate.empty()) return;
  const auto n0 = static_cast<double>(baseline.size());
  const auto n1 = static_cast<double>(candidate.size());
  const double n = n0 + n1;
  double rank_sum = 0;  // Of the candidate's.
  double ties = 0;
  double before = 0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < baseline.size() || j < candidate.size()) {
    const double value = i == baseline.size()    ? candidate[j]
                         : j == candidate.size() ? baseline[i]
                                                 : std::min(baseline[i], candidate[j]);
    double equal = 0;
    double of_candidate = 0;
    for (; i < baseline.size() && baseline[i] <= value; ++i) ++equal;
    for (; j < candidate.size() && candidate[j] <= value; ++j) ++equal, ++of_candidate;
    rank_sum += of_candidate * (before + (equal + 1) / 2);
    ties += equal * equal * equal - equal;
    before += equal;
  }
  const double weight = 1 / (n + 1);
  excess_ += weight * (rank_sum - n1 * (n + 1) / 2);
  most_ += weight * n0 * n1 / 2;
  const double untied = n > 1 ? 1 - ties / (n * n * n - n) : 0;
  variance_ += weight * weight * n0 * n1 * (n + 1) / 12 * untied;
}

TestResult RankTest::Result() const {
  if (variance_ <= 0) return {};
  const double deviation = std::sqrt(variance_);
  return {.p = TwoSided(excess_ / deviation),
          .least_p = TwoSided(most_ / deviation),
          .more = excess_ > 0};
}

void ShareTest::Add(Count baseline, Count candidate) {
  const auto n0 = static_cast<double>(baseline.of);
  const auto n1 = static_cast<double>(candidate.of);
  const double n = n0 + n1;
  const double has = static_cast<double>(baseline.has) + static_cast<double>(candidate.has);
  if (n0 == 0 || n1 == 0 || has == 0 || has == n) return;  // It could not be otherwise.
  tables_.push_back({n0, n1, has});
  found_ += static_cast<double>(candidate.has);
  expected_ += has * n1 / n;
  variance_ += has * (n - has) * n0 * n1 / (n * n * (n - 1));
}

TestResult ShareTest::Result() const {
  TestResult result;
  if (tables_.empty()) return result;
  result.more = found_ > expected_;
  if (variance_ >= kExactVariance) {
    const double off = std::max(0.0, std::abs(found_ - expected_) - 0.5);
    result.p = TwoSided(off / std::sqrt(variance_));
    result.least_p = 0;
    return result;
  }
  Counts counts;
  for (const Table& table : tables_) {
    counts =
        Sum(counts, Hypergeometric(table.baseline + table.candidate, table.has, table.candidate));
  }
  double less = 0;  // As few, or fewer; and as many, or more.
  double more = 0;
  for (std::size_t i = 0; i < counts.p.size(); ++i) {
    const double count = counts.first + static_cast<double>(i);
    if (count <= found_) less += counts.p[i];
    if (count >= found_) more += counts.p[i];
  }
  result.p = std::min(1.0, 2 * std::min(less, more));
  const double fewest = counts.starts_at_least ? counts.p.front() : 0;
  const double most = counts.ends_at_most ? counts.p.back() : 0;
  result.least_p = std::min(1.0, 2 * std::min(fewest, most));
  return result;
}

std::uint64_t CorrectionOf(std::span<const TestResult> tests, double level) {
  std::vector<double> least;
  for (const TestResult& test : tests) least.push_back(test.least_p);
  std::sort(least.begin(), least.end());
  // The smallest k for which no more than k tests can reach level / k.
  std::uint64_t k = 1;
  while (true) {
    const auto can = std::upper_bound(least.begin(), least.end(), level / static_cast<double>(k)) -
                     least.begin();
    if (static_cast<std::uint64_t>(can) <= k) return k;
    ++k;
  }
}

double ZOf(double p) {
  double low = 0;
  double high = 40;
  constexpr int kHalvings = 60;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (TwoSided(middle) > p ? low : high) = middle;
  }
  return low;
}

}  // namespace throughline
