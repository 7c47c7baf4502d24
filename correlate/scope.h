// Who asks, and until when: the first argument of every call of the store port.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline {

inline constexpr std::string_view kDefaultTenant = "default";

struct Scope {
  std::string tenant{kDefaultTenant};
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  // Set by whoever gave up waiting for the answer; null: nobody can.
  std::shared_ptr<const std::atomic<bool>> cancel;

  bool Expired() const {
    return (cancel != nullptr && cancel->load(std::memory_order_relaxed)) ||
           std::chrono::steady_clock::now() >= deadline;
  }
};

// The tenant of an X-Scope-OrgID header: absent or empty is "default"; otherwise 1-150 of
// [A-Za-z0-9!_.*'()-], else kInvalidArgument.
Result<std::string> TenantFromHeader(std::string_view value);

}  // namespace throughline
