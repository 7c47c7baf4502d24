#include "gateway/ingest.h"

#include <utility>

namespace throughline::gateway {
namespace {

void Add(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
  if (by > 0) counter.fetch_add(by, std::memory_order_relaxed);
}

Outcome OutcomeOf(const Appended& appended, std::uint64_t kept_unlinked) {
  return {.stored = appended.spans + appended.logs + appended.exemplars + appended.gauges,
          .deduplicated = appended.deduplicated_spans + appended.deduplicated_logs +
                          appended.deduplicated_exemplars + appended.deduplicated_gauges,
          .kept_unlinked = kept_unlinked};
}

}  // namespace

void Ingest::Take(Intake intake, std::string tenant, const Decoded& decoded,
                  std::shared_ptr<const Batch> batch, Taken taken) {
  IntakeCounts& counts = metrics_.Of(intake);
  const std::size_t received = decoded.received + batch->gauges.size();  // Which `decoded` omits.
  TenantCounts& of_tenant = tenants_.Charge(
      tenant, {.records = received, .bytes = batch->body.size()}, clock_.NowUnixNs());
  Add(counts.received, received);
  Add(counts.rejected, decoded.rejected);
  Add(options_.keep_unlinked ? counts.kept_unlinked : counts.unlinked, decoded.unlinked);
  Add(counts.repaired, decoded.repaired);
  Add(counts.dropped_links, decoded.dropped_links);
  Add(of_tenant.received, received);
  Add(of_tenant.rejected, decoded.rejected);
  if (!options_.keep_unlinked) Add(of_tenant.unlinked, decoded.unlinked);

  const std::uint64_t kept_unlinked = options_.keep_unlinked ? decoded.unlinked : 0;
  const std::size_t records = batch->record_count();
  auto done = [&counts, &of_tenant, kept_unlinked, records,
               taken = std::move(taken)](Result<Appended> result) {
    if (!result) {
      Add(counts.failed, records);
      Add(of_tenant.failed, records);
      return taken(std::move(result).error());
    }
    const Outcome outcome = OutcomeOf(*result, kept_unlinked);
    Add(counts.stored, outcome.stored);
    Add(counts.deduplicated, outcome.deduplicated);
    Add(of_tenant.stored, outcome.stored);
    Add(of_tenant.deduplicated, outcome.deduplicated);
    taken(outcome);
  };
  if (records == 0) return done(Appended{});
  const auto queued =
      writer_.Submit(Appending{std::move(tenant), std::move(batch), clock_.NowUnixNs()}, done);
  if (!queued) done(queued.error());
}

}  // namespace throughline::gateway
