// How durations are distributed, in little memory: buckets of which each ends 5 % above the one
// before, so a quantile is off by 2.5 % at most. Histograms can be merged.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

namespace throughline {

class DurationHistogram {
 public:
  static constexpr double kGrowth = 1.05;

  void Add(std::uint64_t ns) {
    ++buckets_[BucketOf(ns)];
    ++count_;
    least_ns_ = std::min(least_ns_, ns);
    most_ns_ = std::max(most_ns_, ns);
  }
  void Merge(const DurationHistogram& other) {
    for (const auto& [bucket, count] : other.buckets_) buckets_[bucket] += count;
    count_ += other.count_;
    least_ns_ = std::min(least_ns_, other.least_ns_);
    most_ns_ = std::max(most_ns_, other.most_ns_);
  }
  std::uint64_t count() const { return count_; }

  // 0 where there is nothing. The value below which a share of `q` lies, counting as
  // ceil(q * count()).
  std::uint64_t Quantile(double q) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
    std::uint64_t before = 0;
    for (const auto& [bucket, count] : buckets_) {
      before += count;
      if (before < wanted) continue;
      const double middle = std::pow(kGrowth, static_cast<double>(bucket) - 0.5);
      if (middle >= static_cast<double>(most_ns_)) return most_ns_;
      return std::max(static_cast<std::uint64_t>(middle), least_ns_);
    }
    return 0;
  }

 private:
  // At most 910: 64 bits of ns.
  static std::uint16_t BucketOf(std::uint64_t ns) {
    if (ns <= 1) return 0;
    return static_cast<std::uint16_t>(
        std::ceil(std::log(static_cast<double>(ns)) / std::log(kGrowth)));
  }

  std::map<std::uint16_t, std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t least_ns_ = UINT64_MAX;
  std::uint64_t most_ns_ = 0;
};

}  // namespace throughline
