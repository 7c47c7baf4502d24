#include "gateway/tenants.h"

#include <algorithm>
#include <utility>

namespace throughline::gateway {
namespace {

constexpr double kNsPerSecond = 1e9;
// What no tenant can be called (correlate/scope.h).
constexpr std::string_view kOthers = "{over limits.tenants}";

Error Over(std::uint64_t per_second, const std::string& limit) {
  return Error{Errc::kOverloaded, "the tenant sends more than " + std::to_string(per_second) +
                                      " a second (" + limit + ")"};
}

bool IsLimited(const Tenants::Limits& limits) {
  return limits.records_per_second > 0 || limits.bytes_per_second > 0 ||
         std::any_of(limits.own.begin(), limits.own.end(), [](const auto& named) {
           const TenantRates& rates = named.second;
           return rates.records_per_second.value_or(0) > 0 ||
                  rates.bytes_per_second.value_or(0) > 0;
         });
}

}  // namespace

Tenants::Tenants(Limits limits) : limits_(std::move(limits)), limited_(IsLimited(limits_)) {
  SetRates({}, others_);
}

void Tenants::Bucket::SetRate(std::uint64_t of_all, std::optional<std::uint64_t> of_tenant) {
  per_second = of_tenant.value_or(of_all);
  own = of_tenant.has_value();
}

void Tenants::Bucket::Fill(std::uint64_t now_unix_ns) {
  const auto most = static_cast<double>(per_second);
  if (at_unix_ns == 0) {
    left = most;
  } else if (now_unix_ns > at_unix_ns) {
    left =
        std::min(most, left + most * static_cast<double>(now_unix_ns - at_unix_ns) / kNsPerSecond);
  }
  at_unix_ns = std::max(at_unix_ns, now_unix_ns);
}

void Tenants::SetRates(const TenantRates& own, Tenant& tenant) const {
  tenant.records.SetRate(limits_.records_per_second, own.records_per_second);
  tenant.bytes.SetRate(limits_.bytes_per_second, own.bytes_per_second);
}

Tenants::Tenant& Tenants::Of(std::string_view tenant) {
  const auto found = tenants_.find(tenant);
  if (found != tenants_.end()) return *found->second;
  if (tenants_.size() >= limits_.tenants) return others_;
  const auto own = limits_.own.find(tenant);
  auto made = std::make_unique<Tenant>();
  SetRates(own == limits_.own.end() ? TenantRates() : own->second, *made);
  return *tenants_.emplace(std::string(tenant), std::move(made)).first->second;
}

Result<void> Tenants::Admit(std::string_view tenant, std::uint64_t now_unix_ns) {
  if (!limited_) return {};
  const std::lock_guard<std::mutex> lock(mutex_);
  Tenant& of = Of(tenant);
  of.records.Fill(now_unix_ns);
  of.bytes.Fill(now_unix_ns);
  if (!of.records.in_debt() && !of.bytes.in_debt()) return {};
  of.counts.refused_requests.fetch_add(1, std::memory_order_relaxed);
  const Bucket& over = of.records.in_debt() ? of.records : of.bytes;
  const std::string prefix = over.own ? "tenants." + std::string(tenant) + "." : "limits.tenant_";
  return Over(over.per_second,
              prefix + (&over == &of.records ? "records_per_second" : "bytes_per_second"));
}

TenantCounts& Tenants::Charge(std::string_view tenant, const Charged& charged,
                              std::uint64_t now_unix_ns) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Tenant& of = Of(tenant);
  if (limited_) {
    of.records.Fill(now_unix_ns);
    of.bytes.Fill(now_unix_ns);
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
