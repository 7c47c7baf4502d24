// Puts the SqliteStore through the suite, in a directory of its own.
#include <stdlib.h>  // mkdtemp

#include <filesystem>

#include "correlate/check.h"
#include "store/sqlite/sqlite_store.h"
#include "tests/store/conformance.h"

namespace throughline::store {
namespace {

std::string NewDirectory() {
  std::string path = testing::TempDir() + "throughline-store-XXXXXX";
  TL_CHECK(::mkdtemp(path.data()) != nullptr);
  return path;
}

// A SqliteStore that seals whatever it is given, every few appends: lookups find most records in
// segments, and traces in several of them.
class SealingStore final : public Store {
 public:
  explicit SealingStore(std::unique_ptr<SqliteStore> store) : store_(std::move(store)) {}

  Result<std::vector<Appended>> Append(std::span<const Appending> appendings) override {
    auto appended = store_->Append(appendings);
    // In each of the states that there are: all hot, one part waiting, sealed.
    switch (++appends_ % 4) {
      case 1: break;
      case 2: TL_CHECK(store_->Rotate().has_value()); break;
      default: TL_CHECK(store_->Rotate().has_value()); TL_CHECK(store_->Maintain(0).has_value());
    }
    return appended;
  }
  Result<TraceRecords> FindTrace(const Scope& scope, TraceId id,
                                 const FindOptions& options) const override {
    return store_->FindTrace(scope, id, options);
  }
  Result<std::vector<TraceSummary>> Summarize(const Scope& scope, TraceId id) const override {
    return store_->Summarize(scope, id);
  }
  Result<Page<TraceSummary>> FindTraces(const Scope& scope,
                                        const TraceQuery& query) const override {
    return store_->FindTraces(scope, query);
  }
  Result<RecordPage> FindLogs(const Scope& scope, const LogQuery& query) const override {
    return store_->FindLogs(scope, query);
  }
  Result<RecordPage> FindExemplars(const Scope& scope, const ExemplarQuery& query) const override {
    return store_->FindExemplars(scope, query);
  }
  Result<RecordPage> FindGauges(const Scope& scope, const GaugeQuery& query) const override {
    return store_->FindGauges(scope, query);
  }
  Result<Visited> Visit(const Scope& scope, const VisitQuery& query,
                        const std::function<bool(const Batch&)>& visit) const override {
    return store_->Visit(scope, query, visit);
  }
  std::uint64_t Revision(const TimeRange& range) const override { return store_->Revision(range); }
  Result<std::vector<ServiceInfo>> Services(const Scope& scope) const override {
    return store_->Services(scope);
  }
  Result<std::vector<OperationInfo>> Operations(const Scope& scope,
                                                std::string_view service) const override {
    return store_->Operations(scope, service);
  }
  Result<std::unique_ptr<WatchHandle>> Watch(const Scope& scope, TraceId id,
                                             std::function<void()> callback) override {
    return store_->Watch(scope, id, std::move(callback));
  }
  Result<void> Maintain(std::uint64_t now) override { return store_->Maintain(now); }
  StoreUsage Usage() const override { return store_->Usage(); }
  std::uint64_t hash_seed() const override { return store_->hash_seed(); }

 private:
  const std::unique_ptr<SqliteStore> store_;
  std::uint64_t appends_ = 0;
};

class SqliteUnderTest final : public StoreUnderTest {
 public:
  SqliteUnderTest(const StoreLimits& limits, bool seals)
      : seals_(seals),
        options_{.directory = NewDirectory(),
                 .hot_bytes = limits.memory_bytes,
                 .tenants = limits.tenants,
                 .watches = limits.watches} {
    Open();
  }
  ~SqliteUnderTest() override {
    store_.reset();
    std::filesystem::remove_all(options_.directory);
  }
  Store& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    Open();
  }

 private:
  void Open() {
    auto opened = SqliteStore::Open(options_);
    TL_CHECK(opened.has_value());
    if (seals_) {
      store_ = std::make_unique<SealingStore>(std::move(*opened));
    } else {
      store_ = std::move(*opened);
    }
  }

  const bool seals_;
  SqliteStore::Options options_;
  std::unique_ptr<Store> store_;
};

Backend SqliteBackend() {
  return {
      .name = "Sqlite", .durable = true, .bounded = true, .open = [](const StoreLimits& limits) {
        return std::make_unique<SqliteUnderTest>(limits, false);
      }};
}

Backend SealedBackend() {
  return {.name = "Sealed",
          .durable = true,
          .bounded = false,
          .counts_traces_once = false,
          .open = [](const StoreLimits& limits) {
            return std::make_unique<SqliteUnderTest>(limits, true);
          }};
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance, testing::Values(SqliteBackend()), BackendName);
INSTANTIATE_TEST_SUITE_P(Sealed, StoreConformance, testing::Values(SealedBackend()), BackendName);
INSTANTIATE_TEST_SUITE_P(Sealed, StoreComparison, testing::Values(SealedBackend()), BackendName);
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreComparison, testing::Values(SqliteBackend()), BackendName);

}  // namespace throughline::store
