#include "gateway/tenants.h"

#include <algorithm>

namespace throughline::gateway {
namespace {

constexpr double kNsPerSecond = 1e9;
// What no tenant can be called (correlate/scope.h).
constexpr std::string_view kOthers = "{over limits.tenants}";

Error Over(std::string_view limit, std::uint64_t per_second) {
  return Error{Errc::kOverloaded, "the tenant sends more than " + std::to_string(per_second) +
                                      " a second (" + std::string(limit) + ")"};
}

}  // namespace

void Tenants::Bucket::Fill(std::uint64_t per_second, std::uint64_t now_unix_ns) {
  const auto most = static_cast<double>(per_second);
  if (at_unix_ns == 0) {
    left = most;
  } else if (now_unix_ns > at_unix_ns) {
    left =
        std::min(most, left + most * static_cast<double>(now_unix_ns - at_unix_ns) / kNsPerSecond);
  }
  at_unix_ns = std::max(at_unix_ns, now_unix_ns);
}

Tenants::Tenant& Tenants::Of(std::string_view tenant) {
  const auto found = tenants_.find(tenant);
  if (found != tenants_.end()) return *found->second;
  if (tenants_.size() >= limits_.tenants) return others_;
  return *tenants_.emplace(std::string(tenant), std::make_unique<Tenant>()).first->second;
}

Result<void> Tenants::Admit(std::string_view tenant, std::uint64_t now_unix_ns) {
  if (!limited()) return {};
  const std::lock_guard<std::mutex> lock(mutex_);
  Tenant& of = Of(tenant);
  of.records.Fill(limits_.records_per_second, now_unix_ns);
  of.bytes.Fill(limits_.bytes_per_second, now_unix_ns);
  const bool records = limits_.records_per_second > 0 && of.records.left < 0;
  const bool bytes = limits_.bytes_per_second > 0 && of.bytes.left < 0;
  if (!records && !bytes) return {};
  of.counts.refused_requests.fetch_add(1, std::memory_order_relaxed);
  return records ? Over("limits.tenant_records_per_second", limits_.records_per_second)
                 : Over("limits.tenant_bytes_per_second", limits_.bytes_per_second);
}

TenantCounts& Tenants::Charge(std::string_view tenant, const Charged& charged,
                              std::uint64_t now_unix_ns) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Tenant& of = Of(tenant);
  if (limited()) {
    of.records.Fill(limits_.records_per_second, now_unix_ns);
    of.bytes.Fill(limits_.bytes_per_second, now_unix_ns);
    of.records.left -= static_cast<double>(charged.records);
    of.bytes.left -= static_cast<double>(charged.bytes);
  }
  return of.counts;
}

void Tenants::ForEach(
    const std::function<void(const std::string& tenant, const TenantCounts& counts)>& each) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [name, tenant] : tenants_) each(name, tenant->counts);
  if (others_.counts.received.load(std::memory_order_relaxed) > 0) {
    each(std::string(kOthers), others_.counts);
  }
}

}  // namespace throughline::gateway
