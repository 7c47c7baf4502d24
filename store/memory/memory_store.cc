#include "store/memory/memory_store.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "correlate/record_time.h"
#include "correlate/summary.h"
#include "store/copy.h"
#include "store/cursor.h"
#include "store/match.h"

namespace throughline::store {
namespace {

// Deadlines are looked at once in this many records.
constexpr std::size_t kRecordsPerDeadlineCheck = 1024;

constexpr FindOptions kEverything{
    .hint = {}, .spans = true, .logs = true, .exemplars = true, .record_limit = SIZE_MAX};

// A walk over records that ends at the deadline.
class Walk {
 public:
  explicit Walk(const Scope& scope) : scope_(scope) {}

  // Asked before each record; true: stop here.
  bool IsCut() {
    if (!cut_ && count_++ % kRecordsPerDeadlineCheck == 0) cut_ = scope_.Expired();
    return cut_;
  }
  bool was_cut() const { return cut_; }

 private:
  const Scope& scope_;
  std::size_t count_ = 0;
  bool cut_ = false;
};

template <typename Answer>
void SayIncomplete(std::string reason, Answer& answer) {
  answer.complete = false;
  answer.incomplete_reason = std::move(reason);
}

// Which id all records of a match link to. Asked with a known high half, that one decides, also
// where only records without one are found: they must not lead on to another known half.
TraceId LinkedTo(TraceId asked, TraceId match) { return asked.high_known() ? asked : match; }

std::uint32_t Size(const auto& list) { return static_cast<std::uint32_t>(list.size()); }

}  // namespace

// All of one tenant.
class MemoryStore::Tenant {
 public:
  Appended Keep(const Appending& appending, std::set<TraceId>& linked);

  const Batch& records() const { return records_; }
  std::size_t trace_count() const;
  // The distinct traces that `id` names, sorted: those with a known high half, or, where there are
  // none, the one without.
  std::vector<TraceId> MatchesOf(TraceId id) const;
  // All that links to `id`, up to a limit and the walk's end; false: the limit cut it.
  bool Gather(TraceId id, const FindOptions& options, Walk& walk, Batch& to) const;
  // Of one match: all that links to `linked_to`.
  TraceSummary Summary(TraceId match, TraceId linked_to) const;

 private:
  // Indexes into records_.
  struct Trace {
    std::vector<std::uint32_t> spans;
    std::vector<std::uint32_t> logs;
    std::vector<std::uint32_t> exemplars;
  };

  // Stores the records of one kind: where a Batch keeps them, and where a Trace its indexes.
  template <typename Record>
  void Keep(std::vector<Record> Batch::*kind, std::vector<std::uint32_t> Trace::*indexes,
            const Appending& appending, RecordCopier& copier, std::set<std::uint64_t>& identities,
            std::set<TraceId>& linked, std::uint64_t& stored);
  // They are of no trace.
  void KeepGauges(const Appending& appending, RecordCopier& copier, std::uint64_t& stored);

  Batch records_;
  // What is stored already, by kind: equal numbers of two kinds are not the same record.
  std::set<std::uint64_t> span_identities_;
  std::set<std::uint64_t> log_identities_;
  std::set<std::uint64_t> exemplar_identities_;
  std::set<std::uint64_t> gauge_identities_;
  std::map<std::uint64_t, std::map<std::uint64_t, Trace>> traces_;  // By low half, by high half.
};

template <typename Record>
void MemoryStore::Tenant::Keep(std::vector<Record> Batch::*kind,
                               std::vector<std::uint32_t> Trace::*indexes,
                               const Appending& appending, RecordCopier& copier,
                               std::set<std::uint64_t>& identities, std::set<TraceId>& linked,
                               std::uint64_t& stored) {
  for (const Record& record : (*appending.batch).*kind) {
    if (!identities.insert(record.identity).second) continue;
    const std::uint32_t index = Size(records_.*kind);
    copier.Copy(record).arrival_unix_ns = appending.arrival_unix_ns;
    ++stored;
    if (!record.trace_id.IsValid()) continue;
    (traces_[record.trace_id.low][record.trace_id.high].*indexes).push_back(index);
    linked.insert(record.trace_id);
  }
}

void MemoryStore::Tenant::KeepGauges(const Appending& appending, RecordCopier& copier,
                                     std::uint64_t& stored) {
  for (const GaugePoint& point : appending.batch->gauges) {
    if (!gauge_identities_.insert(point.identity).second) continue;
    copier.Copy(point).arrival_unix_ns = appending.arrival_unix_ns;
    ++stored;
  }
}

Appended MemoryStore::Tenant::Keep(const Appending& appending, std::set<TraceId>& linked) {
  const Batch& batch = *appending.batch;
  RecordCopier copier(batch, records_);
  Appended counts;
  Keep(&Batch::spans, &Trace::spans, appending, copier, span_identities_, linked, counts.spans);
  Keep(&Batch::logs, &Trace::logs, appending, copier, log_identities_, linked, counts.logs);
  Keep(&Batch::exemplars, &Trace::exemplars, appending, copier, exemplar_identities_, linked,
       counts.exemplars);
  KeepGauges(appending, copier, counts.gauges);
  counts.deduplicated_spans = batch.spans.size() - counts.spans;
  counts.deduplicated_logs = batch.logs.size() - counts.logs;
  counts.deduplicated_exemplars = batch.exemplars.size() - counts.exemplars;
  counts.deduplicated_gauges = batch.gauges.size() - counts.gauges;
  return counts;
}

std::size_t MemoryStore::Tenant::trace_count() const {
  std::size_t count = 0;
  for (const auto& [low, by_high] : traces_) count += by_high.size();
  return count;
}

std::vector<TraceId> MemoryStore::Tenant::MatchesOf(TraceId id) const {
  std::vector<TraceId> known;
  std::vector<TraceId> unknown;
  const auto found = traces_.find(id.low);
  if (found == traces_.end()) return known;
  for (const auto& [high, trace] : found->second) {
    const TraceId stored{.high = high, .low = id.low};
    if (SameTrace(stored, id)) (high != 0 ? known : unknown).push_back(stored);
  }
  if (known.size() > kMaxMatches) known.resize(kMaxMatches);
  return known.empty() ? unknown : known;
}

bool MemoryStore::Tenant::Gather(TraceId id, const FindOptions& options, Walk& walk,
                                 Batch& to) const {
  const auto found = traces_.find(id.low);
  if (found == traces_.end()) return true;
  RecordCopier copier(records_, to);
  const auto add = [&](const auto& records, const std::vector<std::uint32_t>& indexes) {
    for (const std::uint32_t index : indexes) {
      if (walk.IsCut()) return true;
      if (to.record_count() == options.record_limit) return false;
      copier.Copy(records[index]);
    }
    return true;
  };
  for (const auto& [high, trace] : found->second) {
    if (!SameTrace({.high = high, .low = id.low}, id)) continue;
    if (options.spans && !add(records_.spans, trace.spans)) return false;
    if (options.logs && !add(records_.logs, trace.logs)) return false;
    if (options.exemplars && !add(records_.exemplars, trace.exemplars)) return false;
  }
  return true;
}

TraceSummary MemoryStore::Tenant::Summary(TraceId match, TraceId linked_to) const {
  const Scope no_deadline;
  Walk walk(no_deadline);
  Batch records;
  Gather(linked_to, kEverything, walk, records);
  return SummaryOf(match, records);
}

MemoryStore::MemoryStore(const Options& options) : options_(options), watches_(options.watches) {}

MemoryStore::~MemoryStore() = default;

const MemoryStore::Tenant* MemoryStore::Find(std::string_view tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : found->second.get();
}

Result<void> MemoryStore::CheckRoom(std::span<const Appending> appendings) const {
  std::set<std::string_view> new_tenants;
  std::uint64_t bytes = memory_bytes_;
  for (const Appending& appending : appendings) {
    if (Find(appending.tenant) == nullptr) new_tenants.insert(appending.tenant);
    bytes += appending.batch->size_bytes();
  }
  if (!new_tenants.empty() && tenants_.size() + new_tenants.size() > options_.tenants) {
    return Error{Errc::kOverloaded, "limits.tenants " + std::to_string(options_.tenants) +
                                        " are in use; tenant " + std::string(*new_tenants.begin()) +
                                        " is not among them"};
  }
  if (bytes > options_.memory_limit_bytes) {
    return Error{Errc::kUnavailable, "the store is full: " + std::to_string(memory_bytes_) +
                                         " of " + std::to_string(options_.memory_limit_bytes) +
                                         " bytes are in use"};
  }
  return {};
}

Result<std::vector<Appended>> MemoryStore::Append(std::span<const Appending> appendings) {
  std::vector<Appended> results;
  std::map<std::string_view, std::set<TraceId>> linked;
  {
    const std::unique_lock lock(mutex_);
    TL_TRY(CheckRoom(appendings));
    for (const Appending& appending : appendings) {
      std::unique_ptr<Tenant>& tenant = tenants_[appending.tenant];
      if (tenant == nullptr) tenant = std::make_unique<Tenant>();
      const Appended counts = tenant->Keep(appending, linked[appending.tenant]);
      if (counts.spans + counts.logs + counts.exemplars + counts.gauges > 0) {
        memory_bytes_ += appending.batch->size_bytes();
      }
      results.push_back(counts);
    }
  }
  revisions_.Added(appendings);
  for (const auto& [tenant, ids] : linked) {
    for (const TraceId id : ids) watches_.Notify(tenant, id);
  }
  return results;
}

Result<TraceRecords> MemoryStore::FindTrace(const Scope& scope, TraceId id,
                                            const FindOptions& options) const {
  TraceRecords found;
  const std::shared_lock lock(mutex_);
  const Tenant* const tenant = Find(scope.tenant);
  if (tenant == nullptr) return found;
  found.matches = tenant->MatchesOf(id);
  if (found.matches.size() != 1) return found;
  Walk walk(scope);
  const bool all =
      tenant->Gather(LinkedTo(id, found.matches.front()), options, walk, found.records);
  if (walk.was_cut()) SayIncomplete("deadline", found);
  if (!all) SayIncomplete("limit", found);
  found.evidence = EvidenceOf(found.records);
  return found;
}

Result<std::vector<TraceSummary>> MemoryStore::Summarize(const Scope& scope, TraceId id) const {
  std::vector<TraceSummary> summaries;
  const std::shared_lock lock(mutex_);
  const Tenant* const tenant = Find(scope.tenant);
  if (tenant == nullptr) return summaries;
  for (const TraceId match : tenant->MatchesOf(id)) {
    summaries.push_back(tenant->Summary(match, LinkedTo(id, match)));
  }
  return summaries;
}

Result<Page<TraceSummary>> MemoryStore::FindTraces(const Scope& scope,
                                                   const TraceQuery& query) const {
  const CursorKind kind = query.order == TraceQuery::Order::kDuration ? CursorKind::kLongestTraces
                                                                      : CursorKind::kNewestTraces;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, SpanMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kind, query.cursor));
  Page<TraceSummary> page;
  const std::shared_lock lock(mutex_);
  const Tenant* const tenant = Find(scope.tenant);
  if (tenant == nullptr) return page;
  Walk walk(scope);
  std::set<TraceId> ids;
  for (const Span& span : tenant->records().spans) {
    if (walk.IsCut()) break;
    if (!match.Matches(span, tenant->records())) continue;
    for (const TraceId id : tenant->MatchesOf(span.trace_id)) ids.insert(id);
  }
  std::vector<TraceSummary> summaries;
  std::vector<Keyed> items;
  for (const TraceId id : ids) {
    TraceSummary summary = tenant->Summary(id, id);
    if (!TraceMatches(query, summary)) continue;
    items.push_back({.key = KeyOf(summary, kind), .index = Size(summaries)});
    summaries.push_back(std::move(summary));
  }
  EndPage(kind, after, query.limit, walk.was_cut(), items, page);
  for (const Keyed& item : items) page.items.push_back(std::move(summaries[item.index]));
  return page;
}

Result<RecordPage> MemoryStore::FindLogs(const Scope& scope, const LogQuery& query) const {
  const CursorKind kind = query.newest_first ? CursorKind::kNewestLines : CursorKind::kLines;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, LineMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kind, query.cursor));
  RecordPage page;
  const std::shared_lock lock(mutex_);
  const Tenant* const tenant = Find(scope.tenant);
  if (tenant == nullptr) return page;
  const Batch& records = tenant->records();
  Walk walk(scope);
  const auto belongs = [&](const LogLine& line) {
    const auto matches = tenant->MatchesOf(line.trace_id);
    if (matches.empty()) return query.service->empty();
    return std::any_of(matches.begin(), matches.end(), [&](TraceId id) {
      Batch trace;
      tenant->Gather(id, kEverything, walk, trace);
      return InferredServiceIs(*query.service, line.span_id, trace);
    });
  };
  std::vector<Keyed> items;
  for (std::uint32_t i = 0; i < records.logs.size() && !walk.IsCut(); ++i) {
    const LogLine& line = records.logs[i];
    if (!match.Matches(line, records)) continue;
    if (match.NeedsTrace(line) && !belongs(line)) continue;
    items.push_back({.key = KeyOf(line), .index = i});
  }
  EndPage(kind, after, query.limit, walk.was_cut(), items, page);
  RecordCopier copier(records, page.records);
  for (const Keyed& item : items) copier.Copy(records.logs[item.index]);
  return page;
}

Result<RecordPage> MemoryStore::FindExemplars(const Scope& scope,
                                              const ExemplarQuery& query) const {
  constexpr CursorKind kKind = CursorKind::kNewestExemplars;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, ExemplarMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kKind, query.cursor));
  RecordPage page;
  const std::shared_lock lock(mutex_);
  const Tenant* const tenant = Find(scope.tenant);
  if (tenant == nullptr) return page;
  const Batch& records = tenant->records();
  Walk walk(scope);
  std::vector<Keyed> items;
  for (std::uint32_t i = 0; i < records.exemplars.size() && !walk.IsCut(); ++i) {
    const Exemplar& exemplar = records.exemplars[i];
    if (match.Matches(exemplar, records)) items.push_back({.key = KeyOf(exemplar), .index = i});
  }
  EndPage(kKind, after, query.limit, walk.was_cut(), items, page);
  RecordCopier copier(records, page.records);
  for (const Keyed& item : items) copier.Copy(records.exemplars[item.index]);
  return page;
}

Result<Visited> MemoryStore::Visit(const Scope& scope, const VisitQuery& query,
                                   const std::function<bool(const Batch&)>& visit) const {
  Visited visited;
  if (scope.Expired()) return Visited{.complete = false, .incomplete_reason = "deadline"};
  // Copied, as the views of what is appended later would move under the visitor, who may be slow.
  Batch found;
  {
    const std::shared_lock lock(mutex_);
    const Tenant* const tenant = Find(scope.tenant);
    if (tenant == nullptr) return visited;
    const Batch& records = tenant->records();
    RecordCopier copier(records, found);
    const auto copy = [&](const auto& kind) {
      for (const auto& record : kind) {
        if (query.time.Contains(TimeOf(record))) copier.Copy(record);
      }
    };
    if (query.spans) copy(records.spans);
    if (query.logs) copy(records.logs);
    if (query.exemplars) copy(records.exemplars);
  }
  if (found.record_count() > 0 && !visit(found)) {
    visited = {.complete = false, .incomplete_reason = "limit"};
  }
  return visited;
}

Result<RecordPage> MemoryStore::FindGauges(const Scope& scope, const GaugeQuery& query) const {
  constexpr CursorKind kKind = CursorKind::kNewestGauges;
  TL_TRY(CheckLimit(query.limit));
  TL_TRY_ASSIGN(const auto match, GaugeMatch::Compile(query));
  TL_TRY_ASSIGN(const auto after, DecodeCursor(kKind, query.cursor));
  RecordPage page;
  const std::shared_lock lock(mutex_);
  const Tenant* const tenant = Find(scope.tenant);
  if (tenant == nullptr) return page;
  const Batch& records = tenant->records();
  Walk walk(scope);
  std::vector<Keyed> items;
  for (std::uint32_t i = 0; i < records.gauges.size() && !walk.IsCut(); ++i) {
    const GaugePoint& point = records.gauges[i];
    if (match.Matches(point)) items.push_back({.key = KeyOf(point), .index = i});
  }
  EndPage(kKind, after, query.limit, walk.was_cut(), items, page);
  RecordCopier copier(records, page.records);
  for (const Keyed& item : items) copier.Copy(records.gauges[item.index]);
  return page;
}

Result<std::vector<ServiceInfo>> MemoryStore::Services(const Scope& scope) const {
  std::vector<ServiceInfo> services;
  const std::shared_lock lock(mutex_);
  const Tenant* const tenant = Find(scope.tenant);
  if (tenant == nullptr) return services;
  const Batch& records = tenant->records();
  std::map<std::string_view, ServiceInfo> by_name;
  for (const Span& span : records.spans) {
    ServiceInfo& info = by_name[records.ServiceOf(span)];
    ++info.span_count;
    if (span.is_error()) ++info.error_count;
  }
  for (const LogLine& line : records.logs) ++by_name[line.service].log_count;
  for (const Exemplar& exemplar : records.exemplars) ++by_name[exemplar.service].exemplar_count;
  by_name.erase(std::string_view());  // Not stated.
  for (auto& [name, info] : by_name) {
    info.service = name;
    services.push_back(std::move(info));
  }
  return services;
}

Result<std::vector<OperationInfo>> MemoryStore::Operations(const Scope& scope,
                                                           std::string_view service) const {
  std::vector<OperationInfo> operations;
  const std::shared_lock lock(mutex_);
  const Tenant* const tenant = Find(scope.tenant);
  if (tenant == nullptr || service.empty()) return operations;
  const Batch& records = tenant->records();
  std::map<std::pair<std::string_view, std::uint32_t>, OperationInfo> by_name;
  for (const Span& span : records.spans) {
    if (records.ServiceOf(span) != service) continue;
    OperationInfo& info = by_name[{span.name, span.kind}];
    ++info.span_count;
    if (span.is_error()) ++info.error_count;
  }
  for (auto& [key, info] : by_name) {
    info.operation = key.first;
    info.kind = key.second;
    operations.push_back(std::move(info));
  }
  return operations;
}

Result<std::unique_ptr<Store::WatchHandle>> MemoryStore::Watch(const Scope& scope, TraceId id,
                                                               std::function<void()> callback) {
  return watches_.Add(scope.tenant, id, std::move(callback));
}

StoreUsage MemoryStore::Usage() const {
  StoreUsage usage;
  usage.watches = watches_.size();
  usage.memory_limit_bytes = options_.memory_limit_bytes;
  const std::shared_lock lock(mutex_);
  usage.tenants = tenants_.size();
  usage.memory_bytes = memory_bytes_;
  for (const auto& [name, tenant] : tenants_) {
    usage.spans += tenant->records().spans.size();
    usage.logs += tenant->records().logs.size();
    usage.exemplars += tenant->records().exemplars.size();
    usage.gauges += tenant->records().gauges.size();
    usage.traces += tenant->trace_count();
  }
  return usage;
}

}  // namespace throughline::store
