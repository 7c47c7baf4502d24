#include "store/sqlite/sqlite_store.h"

#include <algorithm>
#include <mutex>
#include <tuple>

#include "store/sqlite/search.h"
#include "store/summary.h"

namespace throughline::store {

SqliteStore::SqliteStore(Options options, sqlite::Tail tail)
    : options_(std::move(options)),
      tail_(std::move(tail)),
      hash_seed_(tail_.hash_seed()),
      memtable_(options_.hot_bytes, hash_seed_),
      watches_(options_.watches) {
  for (const std::string& name : tail_.tenants()) {
    tenant_names_.push_back(name);
    tenants_.emplace(name, static_cast<std::uint32_t>(tenant_names_.size()));
  }
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(Options options) {
  TL_TRY_ASSIGN(auto tail, sqlite::Tail::Open({.directory = options.directory,
                                               .full_durability = options.full_durability,
                                               .vfs = options.vfs,
                                               .files = options.files}));
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options), std::move(tail)));
  const auto put_back = [&](const sqlite::TailRow& row) {
    return store->memtable_.Replay(row.tenant, row.arrival_unix_ns, row.records, row.dictionary);
  };
  TL_TRY(store->tail_.Replay(put_back));
  return store;
}

std::uint32_t SqliteStore::TenantNumber(const std::string& name) const {
  const std::shared_lock lock(tenants_mutex_);
  const auto found = tenants_.find(name);
  return found == tenants_.end() ? 0 : found->second;
}

Result<std::uint32_t> SqliteStore::TenantNumberOrNew(const std::string& name) {
  if (const std::uint32_t known = TenantNumber(name); known != 0) return known;
  if (tenant_names_.size() >= options_.tenants) {
    return Error{Errc::kOverloaded, "limits.tenants " + std::to_string(options_.tenants) +
                                        " are in use; tenant " + name + " is not among them"};
  }
  TL_TRY_ASSIGN(const std::uint32_t number, tail_.AddTenant(name));
  tenant_names_.push_back(name);
  const std::unique_lock lock(tenants_mutex_);
  tenants_.emplace(name, number);
  return number;
}

Result<std::vector<Appended>> SqliteStore::StageAndCommit(std::span<const Appending> appendings) {
  std::vector<sqlite::TailRow> rows;
  std::vector<Appended> results;
  rows.reserve(appendings.size());
  results.reserve(appendings.size());
  for (const Appending& appending : appendings) {
    TL_TRY_ASSIGN(const std::uint32_t tenant, TenantNumberOrNew(appending.tenant));
    TL_TRY_ASSIGN(const auto staged,
                  memtable_.Stage(tenant, appending.arrival_unix_ns, *appending.batch));
    results.push_back(staged.counts);
    // A request whose records were all here already leaves nothing to write.
    if (staged.records.empty() && staged.dictionary.empty()) continue;
    rows.push_back({.format = staged.format,
                    .tenant = tenant,
                    .arrival_unix_ns = appending.arrival_unix_ns,
                    .records = staged.records,
                    .dictionary = staged.dictionary});
  }
  if (!rows.empty()) TL_TRY(tail_.Append(rows));
  return results;
}

Result<std::vector<Appended>> SqliteStore::Append(std::span<const Appending> appendings) {
  auto results = StageAndCommit(appendings);
  if (!results) {
    memtable_.DropStaged();
    return results;
  }
  memtable_.Publish(
      [this] { return !watches_.empty(); },
      [this](std::uint32_t tenant, TraceId id) { watches_.Notify(tenant_names_[tenant - 1], id); });
  return results;
}

Result<TraceRecords> SqliteStore::FindTrace(const Scope& scope, TraceId id,
                                            const FindOptions& options) const {
  return sqlite::FindTrace({memtable_.Read(), TenantNumber(scope.tenant), scope}, id, options);
}

Result<std::vector<TraceSummary>> SqliteStore::Summarize(const Scope& scope, TraceId id) const {
  return sqlite::Summarize({memtable_.Read(), TenantNumber(scope.tenant), scope}, id);
}

Result<Page<TraceSummary>> SqliteStore::FindTraces(const Scope& scope,
                                                   const TraceQuery& query) const {
  return sqlite::FindTraces({memtable_.Read(), TenantNumber(scope.tenant), scope}, query);
}

Result<RecordPage> SqliteStore::FindLogs(const Scope& scope, const LogQuery& query) const {
  return sqlite::FindLogs({memtable_.Read(), TenantNumber(scope.tenant), scope}, query);
}

Result<RecordPage> SqliteStore::FindExemplars(const Scope& scope,
                                              const ExemplarQuery& query) const {
  return sqlite::FindExemplars({memtable_.Read(), TenantNumber(scope.tenant), scope}, query);
}

Result<RecordPage> SqliteStore::FindGauges(const Scope& scope, const GaugeQuery& query) const {
  return sqlite::FindGauges({memtable_.Read(), TenantNumber(scope.tenant), scope}, query);
}

Result<std::vector<ServiceInfo>> SqliteStore::Services(const Scope& scope) const {
  std::unordered_map<std::uint32_t, ServiceInfo> by_id;
  const auto snapshot = memtable_.Read();
  memtable_.EachCounter(TenantNumber(scope.tenant), [&](const sqlite::Counter& counter) {
    if (counter.service == sqlite::kNotInterned) return;
    ServiceInfo& info = by_id[counter.service];
    const std::uint64_t count = counter.count.load(std::memory_order_relaxed);
    if (counter.kind == sqlite::Counter::kLines) {
      info.log_count += count;
    } else if (counter.kind == sqlite::Counter::kExemplars) {
      info.exemplar_count += count;
    } else {
      info.span_count += count;
      info.error_count += counter.errors.load(std::memory_order_relaxed);
    }
  });
  std::vector<ServiceInfo> services;
  services.reserve(by_id.size());
  for (auto& [id, info] : by_id) {
    info.service = snapshot.dictionary().At(id);
    services.push_back(std::move(info));
  }
  std::sort(services.begin(), services.end(),
            [](const ServiceInfo& a, const ServiceInfo& b) { return a.service < b.service; });
  return services;
}

Result<std::vector<OperationInfo>> SqliteStore::Operations(const Scope& scope,
                                                           std::string_view service) const {
  std::vector<OperationInfo> operations;
  const auto snapshot = memtable_.Read();
  memtable_.EachCounter(TenantNumber(scope.tenant), [&](const sqlite::Counter& counter) {
    if (counter.kind == sqlite::Counter::kLines || counter.kind == sqlite::Counter::kExemplars ||
        counter.service == sqlite::kNotInterned ||
        snapshot.dictionary().At(counter.service) != service) {
      return;
    }
    OperationInfo info{.operation = {},
                       .kind = counter.kind,
                       .span_count = counter.count.load(std::memory_order_relaxed),
                       .error_count = counter.errors.load(std::memory_order_relaxed)};
    if (counter.name != sqlite::kNotInterned)
      info.operation = snapshot.dictionary().At(counter.name);
    operations.push_back(std::move(info));
  });
  std::sort(operations.begin(), operations.end(),
            [](const OperationInfo& a, const OperationInfo& b) {
              return std::tie(a.operation, a.kind) < std::tie(b.operation, b.kind);
            });
  return operations;
}

Result<std::unique_ptr<Store::WatchHandle>> SqliteStore::Watch(const Scope& scope, TraceId id,
                                                               std::function<void()> callback) {
  return watches_.Add(scope.tenant, id, std::move(callback));
}

StoreUsage SqliteStore::Usage() const {
  StoreUsage usage = memtable_.Usage();
  usage.disk_bytes = tail_.disk_bytes();
  usage.watches = watches_.size();
  const std::shared_lock lock(tenants_mutex_);
  usage.tenants = tenants_.size();
  return usage;
}

}  // namespace throughline::store
