// The reference store: simple containers, one lock, linear searches. Obviously right, and what the
// other stores are compared with. Keeps nothing when the process ends.
//
// Every record is copied into a Batch of its tenant, so that appended batches are let go of.
// Readers share the lock; an Append holds it while it copies.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/store.h"
#include "store/revisions.h"
#include "store/watch_list.h"

namespace throughline::store {

class MemoryStore final : public Store {
 public:
  struct Options {
    std::size_t tenants = 1000;
    std::size_t watches = 1000;
    // Of the batches whose records are kept, by Batch::size_bytes.
    std::uint64_t memory_limit_bytes = 1ULL << 30U;
    std::uint64_t hash_seed = 0x7468726f7567686cULL;  // Any number.
  };

  explicit MemoryStore(const Options& options);
  ~MemoryStore() override;

  Result<std::vector<Appended>> Append(std::span<const Appending> appendings) override;
  Result<TraceRecords> FindTrace(const Scope& scope, TraceId id,
                                 const FindOptions& options) const override;
  Result<std::vector<TraceSummary>> Summarize(const Scope& scope, TraceId id) const override;
  Result<Page<TraceSummary>> FindTraces(const Scope& scope, const TraceQuery& query) const override;
  Result<RecordPage> FindLogs(const Scope& scope, const LogQuery& query) const override;
  Result<RecordPage> FindExemplars(const Scope& scope, const ExemplarQuery& query) const override;
  Result<RecordPage> FindGauges(const Scope& scope, const GaugeQuery& query) const override;
  Result<Visited> Visit(const Scope& scope, const VisitQuery& query,
                        const std::function<bool(const Batch&)>& visit) const override;
  std::uint64_t Revision(const TimeRange& range) const override { return revisions_.Of(range); }
  Result<std::vector<ServiceInfo>> Services(const Scope& scope) const override;
  Result<std::vector<OperationInfo>> Operations(const Scope& scope,
                                                std::string_view service) const override;
  Result<std::unique_ptr<WatchHandle>> Watch(const Scope& scope, TraceId id,
                                             std::function<void()> callback) override;
  Result<void> Maintain(std::uint64_t) override { return {}; }
  StoreUsage Usage() const override;
  std::uint64_t hash_seed() const override { return options_.hash_seed; }

 private:
  class Tenant;  // In the .cc.

  // Null: nothing of it is stored. The caller holds mutex_, as for the next.
  const Tenant* Find(std::string_view tenant) const;
  Result<void> CheckRoom(std::span<const Appending> appendings) const;

  const Options options_;
  WatchList watches_;
  Revisions revisions_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<Tenant>, std::less<>> tenants_;  // Guarded by mutex_.
  std::uint64_t memory_bytes_ = 0;                                       // Guarded by mutex_.
};

}  // namespace throughline::store
