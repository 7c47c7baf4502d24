// A store whose commits a test holds and releases: what a slow disk does, without a clock.
//
// Append waits until the test lets it go on; then it stores in a MemoryStore, or fails where the
// test said so. Everything else goes to the MemoryStore at once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"

namespace throughline::store {

class HeldStore final : public Store {
 public:
  HeldStore() : inner_(MemoryStore::Options{}) {}

  // --- The test's.

  // Waits until an Append is held.
  void AwaitHeld() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_; });
  }
  // Lets the Append that is held, or comes next, go on.
  void ReleaseOne() {
    const std::lock_guard lock(mutex_);
    ++allowed_;
    changed_.notify_all();
  }
  // Holds nothing any more.
  void ReleaseAll() {
    const std::lock_guard lock(mutex_);
    allowed_ = UINT64_MAX;
    changed_.notify_all();
  }
  // Every Append with a batch of this tenant fails.
  void Fail(std::string tenant, Error error) {
    const std::lock_guard lock(mutex_);
    failing_tenant_ = std::move(tenant);
    error_ = std::move(error);
  }
  // Batches in each Append so far.
  std::vector<std::size_t> append_sizes() const {
    const std::lock_guard lock(mutex_);
    return append_sizes_;
  }

  // --- Store.

  Result<std::vector<Appended>> Append(std::span<const Appending> appendings) override {
    std::unique_lock lock(mutex_);
    append_sizes_.push_back(appendings.size());
    held_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return allowed_ > 0; });
    if (allowed_ != UINT64_MAX) --allowed_;
    held_ = false;
    for (const Appending& appending : appendings) {
      if (failing_tenant_ == appending.tenant) return error_;
    }
    return inner_.Append(appendings);
  }
  Result<TraceRecords> FindTrace(const Scope& scope, TraceId id,
                                 const FindOptions& options) const override {
    return inner_.FindTrace(scope, id, options);
  }
  Result<std::vector<TraceSummary>> Summarize(const Scope& scope, TraceId id) const override {
    return inner_.Summarize(scope, id);
  }
  Result<Page<TraceSummary>> FindTraces(const Scope& scope,
                                        const TraceQuery& query) const override {
    return inner_.FindTraces(scope, query);
  }
  Result<RecordPage> FindLogs(const Scope& scope, const LogQuery& query) const override {
    return inner_.FindLogs(scope, query);
  }
  Result<RecordPage> FindExemplars(const Scope& scope, const ExemplarQuery& query) const override {
    return inner_.FindExemplars(scope, query);
  }
  Result<RecordPage> FindGauges(const Scope& scope, const GaugeQuery& query) const override {
    return inner_.FindGauges(scope, query);
  }
  Result<Visited> Visit(const Scope& scope, const VisitQuery& query,
                        const std::function<bool(const Batch&)>& visit) const override {
    return inner_.Visit(scope, query, visit);
  }
  std::uint64_t Revision(const TimeRange& range) const override { return inner_.Revision(range); }
  Result<std::vector<ServiceInfo>> Services(const Scope& scope) const override {
    return inner_.Services(scope);
  }
  Result<std::vector<OperationInfo>> Operations(const Scope& scope,
                                                std::string_view service) const override {
    return inner_.Operations(scope, service);
  }
  Result<std::unique_ptr<WatchHandle>> Watch(const Scope& scope, TraceId id,
                                             std::function<void()> callback) override {
    return inner_.Watch(scope, id, std::move(callback));
  }
  Result<void> Maintain(std::uint64_t now) override { return inner_.Maintain(now); }
  StoreUsage Usage() const override { return inner_.Usage(); }
  std::uint64_t hash_seed() const override { return inner_.hash_seed(); }

 private:
  MemoryStore inner_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;  // Guarded by mutex_, as all below.
  std::uint64_t allowed_ = 0;
  std::vector<std::size_t> append_sizes_;
  std::optional<std::string> failing_tenant_;
  Error error_;
};

}  // namespace throughline::store
