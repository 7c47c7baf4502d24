// What single tenants may send, where that is not what all may.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace throughline::gateway {

// nullopt: as every tenant; 0: no limit.
struct TenantRates {
  std::optional<std::uint64_t> records_per_second;
  std::optional<std::uint64_t> bytes_per_second;
};

using RatesOfTenants = std::map<std::string, TenantRates, std::less<>>;  // By name.

}  // namespace throughline::gateway
