// How many links are in which state, for /metrics: a walk over recent links now and then, so that a
// scrape costs nothing.
//
// Wake may be called from any thread, and never waits: the walk runs on a read thread, one at a
// time, at most once a kPeriod, and gives up at its deadline. Counts are of the last walk.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/links/handlers.h"
#include "correlate/analysis/link_health.h"
#include "correlate/store.h"
#include "gateway/read_pool.h"

namespace throughline::gateway {

struct LinkGaugeState {
  LinkCounts counts = {};
  bool walked = false;    // Once at least.
  bool complete = false;  // The last walk saw all of its range.
};

class LinkGauge {
 public:
  static constexpr std::chrono::minutes kRange{15};  // Back from now, by the records' own time.
  static constexpr std::chrono::seconds kPeriod{60};
  static constexpr std::chrono::seconds kDeadline{1};
  static constexpr std::size_t kLookups = 5'000;  // Of ids, by tenant.
  static constexpr std::size_t kTenants = 100;    // The first by name.
  // Some 20 MB while a walk lasts: it is part of what a gateway takes at its peak.
  static constexpr LinkCounter::Limits kLimits{.records = 200'000, .links = 60'000};

  // Both outlive it, and the read threads.
  LinkGauge(const Store& store, const api::links::Settings& settings)
      : store_(store), settings_(settings) {}

  // Has `reads` walk over the links of these tenants, unless a walk is under way, or was just now.
  void Wake(ReadPool& reads, std::vector<std::string> tenants, std::uint64_t now_unix_ns);
  LinkGaugeState Get() const;

 private:
  void Walk(const std::vector<std::string>& tenants, std::uint64_t now_unix_ns);

  const Store& store_;
  const api::links::Settings& settings_;
  mutable std::mutex mutex_;
  LinkGaugeState state_;              // Guarded by mutex_.
  bool walking_ = false;              // Guarded by mutex_.
  std::uint64_t walked_unix_ns_ = 0;  // Guarded by mutex_.
};

}  // namespace throughline::gateway
