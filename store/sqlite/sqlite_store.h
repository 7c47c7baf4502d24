// The durable store: a memtable in front of a tail file in WAL mode.
//
// Append conses each batch into the memtable, appends one tail row a request, commits all of them
// in one transaction, and only then lets readers see them. Open replays the tail. Lookups never
// touch SQLite: what is hot is in memory. Sealing (a later step) will move finished traces to
// segments behind the same port; until then `hot_bytes` bounds what can be kept.
#pragma once

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "correlate/store.h"
#include "store/sqlite/files.h"
#include "store/sqlite/memtable.h"
#include "store/sqlite/tail.h"
#include "store/watch_list.h"

namespace throughline::store {

class SqliteStore final : public Store {
 public:
  struct Options {
    std::string directory;
    std::uint64_t hot_bytes = 1ULL << 30U;  // Of memory; at most 4 GiB.
    bool full_durability = false;           // Commits survive power loss, not only kill -9.
    std::size_t tenants = 1000;
    std::size_t watches = 1000;
    // Equal records within this long are one. All that is hot is remembered, which is longer.
    std::uint64_t dedup_horizon_ns = 900'000'000'000;
    std::string vfs = {};            // A registered VFS of SQLite's; empty: its own choice.
    sqlite::Files* files = nullptr;  // Outlives the store; null: SystemFiles().
  };

  static Result<std::unique_ptr<SqliteStore>> Open(Options options);

  Result<std::vector<Appended>> Append(std::span<const Appending> appendings) override;
  Result<TraceRecords> FindTrace(const Scope& scope, TraceId id,
                                 const FindOptions& options) const override;
  Result<std::vector<TraceSummary>> Summarize(const Scope& scope, TraceId id) const override;
  Result<Page<TraceSummary>> FindTraces(const Scope& scope, const TraceQuery& query) const override;
  Result<RecordPage> FindLogs(const Scope& scope, const LogQuery& query) const override;
  Result<RecordPage> FindExemplars(const Scope& scope, const ExemplarQuery& query) const override;
  Result<RecordPage> FindGauges(const Scope& scope, const GaugeQuery& query) const override;
  Result<std::vector<ServiceInfo>> Services(const Scope& scope) const override;
  Result<std::vector<OperationInfo>> Operations(const Scope& scope,
                                                std::string_view service) const override;
  Result<std::unique_ptr<WatchHandle>> Watch(const Scope& scope, TraceId id,
                                             std::function<void()> callback) override;
  StoreUsage Usage() const override;
  std::uint64_t hash_seed() const override { return hash_seed_; }

 private:
  SqliteStore(Options options, sqlite::Tail tail);

  // The number of a tenant; 0: nothing of it is stored.
  std::uint32_t TenantNumber(const std::string& name) const;
  Result<std::uint32_t> TenantNumberOrNew(const std::string& name);
  Result<std::vector<Appended>> StageAndCommit(std::span<const Appending> appendings);

  const Options options_;
  sqlite::Tail tail_;  // The appending thread's, after Open.
  const std::uint64_t hash_seed_;
  sqlite::Memtable memtable_;
  WatchList watches_;

  mutable std::shared_mutex tenants_mutex_;
  std::unordered_map<std::string, std::uint32_t> tenants_;  // Guarded by tenants_mutex_.
  std::vector<std::string> tenant_names_;  // The appending thread's; by number - 1.
};

}  // namespace throughline::store
