// The storage port, and the contract that every store keeps (tests/store/conformance.h holds each
// to it).
//
// Threads: Append and Age, from one thread at a time (store::Writer's). Every other call from any thread,
// at any time, never waiting for an Append. A reader sees whole appends: all that was acknowledged
// before it began, nothing of one that failed.
//
// Tenants never meet: no call sees, counts or deduplicates against records of another tenant.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/query.h"
#include "correlate/result.h"
#include "correlate/scope.h"

namespace throughline {

// One request's records on their way in.
struct Appending {
  std::string tenant;
  std::shared_ptr<const Batch> batch;
  std::uint64_t arrival_unix_ns = 0;
};

// received = stored + deduplicated, each by kind.
struct Appended {
  std::uint64_t spans = 0;
  std::uint64_t logs = 0;
  std::uint64_t exemplars = 0;
  std::uint64_t gauges = 0;
  std::uint64_t deduplicated_spans = 0;
  std::uint64_t deduplicated_logs = 0;
  std::uint64_t deduplicated_exemplars = 0;
  std::uint64_t deduplicated_gauges = 0;  // Those thinned out too: see GaugePoint.
};

struct FindOptions {
  TimeRange hint;  // Orders the search; never excludes.
  bool spans = true;
  bool logs = true;
  bool exemplars = true;
  std::size_t record_limit = 100'000;  // More: complete is false, "limit".
};

// For gauges and bounds. All of what is stored now.
struct StoreUsage {
  std::uint64_t spans = 0;
  std::uint64_t logs = 0;
  std::uint64_t exemplars = 0;
  std::uint64_t gauges = 0;
  std::uint64_t traces = 0;  // A store of several parts counts a trace in each that holds it.
  std::uint64_t tenants = 0;
  std::uint64_t parts = 0;  // Files, or whatever a store cuts its records into.
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_limit_bytes = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t watches = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // Stores all of `appendings`, or, on an error, nothing of them. On success every record is
  // durable as configured, and visible to every later call. A record whose identity is stored
  // already (within the horizon) is counted deduplicated and not stored again. Result i belongs to
  // appending i. kUnavailable: full, or the disk refused; nothing changed, and it may be tried
  // again. kOverloaded: over the limit of tenants.
  virtual Result<std::vector<Appended>> Append(std::span<const Appending> appendings) = 0;

  // Time passes though nothing comes: what waits for more records is to wait no longer, once it is
  // old. From the thread that appends. Changes no answer. On an error the next call tries again.
  virtual Result<void> Age(std::uint64_t /*now_unix_ns*/) { return {}; }

  // All that links to `id` (see SameTrace). The cost does not grow with what else is stored.
  virtual Result<TraceRecords> FindTrace(const Scope& scope, TraceId id,
                                         const FindOptions& options) const = 0;
  // The traces that `id` names, each in one line; empty: nothing carries the id. The same cost
  // rule.
  virtual Result<std::vector<TraceSummary>> Summarize(const Scope& scope, TraceId id) const = 0;

  // Searches. At the limit or the deadline of `scope` they answer with what they have and say so.
  virtual Result<Page<TraceSummary>> FindTraces(const Scope& scope,
                                                const TraceQuery& query) const = 0;
  virtual Result<RecordPage> FindLogs(const Scope& scope, const LogQuery& query) const = 0;
  virtual Result<RecordPage> FindExemplars(const Scope& scope,
                                           const ExemplarQuery& query) const = 0;
  // The cost is that of the points in the range, of whatever metric. kInvalidArgument: no pattern.
  virtual Result<RecordPage> FindGauges(const Scope& scope, const GaugeQuery& query) const = 0;
  // Calls `visit` with batches that together hold every span, line and exemplar of the range, in no
  // order, until it says false. They may hold others beside, and what a retry stored in two parts
  // twice; spans may come without their identity. Their views are good for the call. The cost is
  // that of the range; nothing waits for the visitor but this lookup.
  virtual Result<Visited> Visit(const Scope& scope, const VisitQuery& query,
                                const std::function<bool(const Batch&)>& visit) const = 0;
  // A number that is another one once Visit gives anything else for this range, of any tenant: what
  // is worked out from a Visit holds as long as the number that was asked for before it. It may
  // change though nothing did; it holds for this process.
  virtual std::uint64_t Revision(const TimeRange& range) const = 0;
  // Sorted by name.
  virtual Result<std::vector<ServiceInfo>> Services(const Scope& scope) const = 0;
  virtual Result<std::vector<OperationInfo>> Operations(const Scope& scope,
                                                        std::string_view service) const = 0;

  // Calls `callback` on the appending thread after each append that stored a record linking to
  // `id`, until the handle dies; the handle's destructor waits for a call under way. The callback
  // must be quick and must not call the store. kOverloaded: `limits.watches` are in use.
  class WatchHandle {
   public:
    virtual ~WatchHandle() = default;
  };
  virtual Result<std::unique_ptr<WatchHandle>> Watch(const Scope& scope, TraceId id,
                                                     std::function<void()> callback) = 0;

  // What is due in the background (moving, dropping what is too old). `now` is the clock that
  // arrivals are of. Changes no answer but by what retention drops. One thread at a time, beside
  // all other calls. On an error nothing is lost, and the next call tries again.
  virtual Result<void> Maintain(std::uint64_t now_unix_ns) = 0;

  virtual StoreUsage Usage() const = 0;
  // The seed of all hashes of this store's records; decoders get it from here.
  virtual std::uint64_t hash_seed() const = 0;
};

}  // namespace throughline
