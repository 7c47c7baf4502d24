// What each tenant may send and has sent.
//
// A tenant has a rate of records and one of bytes (limits.tenant_records_per_second and
// limits.tenant_bytes_per_second, or its own in `tenants`), each a bucket that fills with a
// second's worth at most. What a request really holds is known only when it is decoded, so it is
// charged afterwards: a bucket may go into debt, and the tenant is refused until it is paid off. A
// tenant over its rate thus costs the others nothing but the reading of a header, and no honest
// request is refused for its size.
//
// At most `tenants` are told apart; the store refuses the records of more (limits.tenants), and
// their refusals are counted under one name.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "correlate/result.h"
#include "gateway/tenant_rates.h"

namespace throughline::gateway {

// As IntakeCounts: received = stored + deduplicated + rejected + unlinked + failed.
struct TenantCounts {
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> stored{0};
  std::atomic<std::uint64_t> deduplicated{0};
  std::atomic<std::uint64_t> rejected{0};
  std::atomic<std::uint64_t> unlinked{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> refused_requests{0};  // Over its rate: nothing of them was read.
};

class Tenants {
 public:
  struct Limits {
    std::uint64_t tenants = 1000;
    std::uint64_t records_per_second = 0;  // 0: no limit.
    std::uint64_t bytes_per_second = 0;    // Of inflated bodies; 0: no limit.
    RatesOfTenants own = {};               // Of these tenants, instead.
  };
  struct Charged {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
  };

  explicit Tenants(Limits limits);
  Tenants(const Tenants&) = delete;
  Tenants& operator=(const Tenants&) = delete;

  // Any thread, all of them. Times are the gateway's clock.

  // kOverloaded while the tenant is in debt; the message names the limit.
  Result<void> Admit(std::string_view tenant, std::uint64_t now_unix_ns);
  // Gives the counters to go on with; they live as long as this.
  TenantCounts& Charge(std::string_view tenant, const Charged& charged, std::uint64_t now_unix_ns);

  // Calls `each` with every tenant and its counters, by name.
  void ForEach(
      const std::function<void(const std::string& tenant, const TenantCounts& counts)>& each) const;

 private:
  // One rate and what is left of it: may be negative.
  struct Bucket {
    std::uint64_t per_second = 0;  // 0: no limit.
    bool own = false;              // Said for this tenant alone.
    double left = 0;
    std::uint64_t at_unix_ns = 0;  // 0: not yet filled.

    void SetRate(std::uint64_t of_all, std::optional<std::uint64_t> of_tenant);
    void Fill(std::uint64_t now_unix_ns);
    bool in_debt() const { return per_second > 0 && left < 0; }
  };
  struct Tenant {
    TenantCounts counts;
    Bucket records;
    Bucket bytes;
  };

  void SetRates(const TenantRates& own, Tenant& tenant) const;
  Tenant& Of(std::string_view tenant);

  const Limits limits_;
  const bool limited_;  // Any tenant.
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Tenant>, std::less<>> tenants_;  // Guarded by mutex_.
  Tenant others_;  // Those over limits.tenants.
};

}  // namespace throughline::gateway
