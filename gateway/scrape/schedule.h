// When each target is scraped. Pure: time is an argument.
//
// A target is due whenever the time is its phase modulo its interval, and the phase is a hash of
// the target: targets spread evenly over the interval, keep their times when others come and go,
// and gateways with other seeds scrape at other times. What was missed is not made up for.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/scrape/target.h"

namespace throughline::gateway::scrape {

using TargetPointer = std::shared_ptr<const Target>;

class Schedule {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Schedule(std::uint64_t seed) : seed_(seed) {}

  // The targets from now on, each once. Those that are there already (by key) keep their time.
  void SetTargets(const std::vector<Target>& targets, Time now);

  // Those due at `now`; each is then due again at its next time after `now`.
  std::vector<TargetPointer> TakeDue(Time now);

  // When the next one is due; Time::max(): never.
  Time NextDue() const { return due_.empty() ? Time::max() : due_.begin()->first; }

  std::vector<TargetPointer> targets() const;

 private:
  // The target's first time after `now`.
  Time NextTime(const Target& target, Time now) const;

  const std::uint64_t seed_;
  std::multimap<Time, TargetPointer> due_;
};

}  // namespace throughline::gateway::scrape
