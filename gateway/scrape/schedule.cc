#include "gateway/scrape/schedule.h"

#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "correlate/hash.h"

namespace throughline::gateway::scrape {

Schedule::Time Schedule::NextTime(const Target& target, Time now) const {
  const std::int64_t interval = target.interval.count();
  const auto phase = static_cast<std::int64_t>(HashBytes(target.key, seed_) %
                                               static_cast<std::uint64_t>(interval));
  const std::int64_t since =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  // The remainder has the sign of its dividend: before the first phase it is below zero.
  std::int64_t past = (since - phase) % interval;
  if (past < 0) past += interval;
  return now + std::chrono::nanoseconds(interval - past);
}

void Schedule::SetTargets(const std::vector<Target>& targets, Time now) {
  std::unordered_map<std::string, std::pair<Time, TargetPointer>> known;
  for (auto& [time, target] : due_) known.emplace(target->key, std::pair(time, target));
  due_.clear();
  std::unordered_set<std::string> taken;
  for (const Target& target : targets) {
    if (!taken.insert(target.key).second) continue;
    if (const auto found = known.find(target.key); found != known.end()) {
      due_.insert(found->second);
    } else {
      due_.emplace(NextTime(target, now), std::make_shared<const Target>(target));
    }
  }
}

std::vector<TargetPointer> Schedule::TakeDue(Time now) {
  std::vector<TargetPointer> taken;
  while (!due_.empty() && due_.begin()->first <= now) {
    taken.push_back(due_.begin()->second);
    due_.erase(due_.begin());
  }
  for (const TargetPointer& target : taken) due_.emplace(NextTime(*target, now), target);
  return taken;
}

std::vector<TargetPointer> Schedule::targets() const {
  std::vector<TargetPointer> all;
  for (const auto& [time, target] : due_) all.push_back(target);
  return all;
}

}  // namespace throughline::gateway::scrape
