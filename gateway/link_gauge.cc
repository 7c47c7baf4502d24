#include "gateway/link_gauge.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "api/links/health_read.h"
#include "gateway/log.h"

namespace throughline::gateway {
namespace {

std::uint64_t Nanoseconds(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

}  // namespace

void LinkGauge::Wake(ReadPool& reads, std::vector<std::string> tenants, std::uint64_t now_unix_ns) {
  {
    const std::lock_guard lock(mutex_);
    const std::uint64_t due = walked_unix_ns_ == 0 ? 0 : walked_unix_ns_ + Nanoseconds(kPeriod);
    if (walking_ || now_unix_ns < due || tenants.empty()) return;
    walking_ = true;
    walked_unix_ns_ = now_unix_ns;
  }
  auto work = [this, tenants = std::move(tenants), now_unix_ns] {
    try {
      Walk(tenants, now_unix_ns);
    } catch (const std::exception& error) {
      LogError("the links could not be counted", {{"error", error.what()}});
    }
    const std::lock_guard lock(mutex_);
    walking_ = false;
  };
  if (reads.Submit(std::move(work))) return;
  const std::lock_guard lock(mutex_);  // There is more urgent work: the next period asks again.
  walking_ = false;
}

LinkGaugeState LinkGauge::Get() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void LinkGauge::Walk(const std::vector<std::string>& tenants, std::uint64_t now_unix_ns) {
  const api::links::HealthQuestion question{
      .time = {now_unix_ns - std::min(now_unix_ns, Nanoseconds(kRange)), now_unix_ns},
      .service = {},
      .lookups = kLookups,
      .limits = kLimits};
  Scope scope;
  scope.deadline = std::chrono::steady_clock::now() + kDeadline;
  LinkGaugeState state{.counts = {}, .walked = true, .complete = tenants.size() <= kTenants};
  const std::size_t count = std::min(tenants.size(), kTenants);
  for (std::size_t i = 0; i < count; ++i) {
    scope.tenant = tenants[i];
    const auto health = api::links::ReadLinkHealth(
        scope, question, {.store = store_, .settings = settings_, .now_unix_ns = now_unix_ns});
    if (!health) {
      LogWarn("the links could not be counted", {{"error", health.error().message}});
      state.complete = false;
      continue;
    }
    for (std::size_t cause = 0; cause < kLinkCauses; ++cause) {
      state.counts[cause] += health->counts[cause];
    }
    state.complete = state.complete && health->complete;
  }
  const std::lock_guard lock(mutex_);
  state_ = state;
}

}  // namespace throughline::gateway
