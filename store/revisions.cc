#include "store/revisions.h"

#include <algorithm>

namespace throughline::store {
namespace {

constexpr std::uint64_t kMinuteNs = 60'000'000'000;

}  // namespace

// Records of a request mostly stand in one minute: once for each run of them is enough.
void Revisions::Touch(std::uint64_t unix_ns, std::uint64_t& last_minute) {
  const std::uint64_t minute = unix_ns / kMinuteNs;
  if (minute == last_minute) return;
  last_minute = minute;
  added_[minute % kSlots].fetch_add(1, std::memory_order_release);
}

void Revisions::Added(std::span<const Appending> appendings) {
  for (const Appending& appending : appendings) {
    const std::uint64_t arrival = appending.arrival_unix_ns;
    std::uint64_t last_minute = UINT64_MAX;
    for (const Span& span : appending.batch->spans) {
      Touch(EffectiveTimeOf(span.start_unix_ns, 0, arrival).unix_ns, last_minute);
    }
    for (const LogLine& line : appending.batch->logs) {
      Touch(EffectiveTimeOf(line.time_unix_ns, line.observed_unix_ns, arrival).unix_ns,
            last_minute);
    }
    for (const Exemplar& exemplar : appending.batch->exemplars) {
      Touch(EffectiveTimeOf(exemplar.time_unix_ns, 0, arrival).unix_ns, last_minute);
    }
  }
}

// All counters only grow, so equal sums are equal counters.
std::uint64_t Revisions::Of(const TimeRange& range) const {
  std::uint64_t sum = dropped_.load(std::memory_order_acquire);
  const std::uint64_t first = range.start_unix_ns / kMinuteNs;
  const std::uint64_t minutes =
      std::min<std::uint64_t>(range.end_unix_ns / kMinuteNs - first + 1, kSlots);
  for (std::uint64_t i = 0; i < minutes; ++i) {
    sum += added_[(first + i) % kSlots].load(std::memory_order_acquire);
  }
  return sum;
}

}  // namespace throughline::store
