// What the durable store answers: each from the parts as they were when the question came.
#include <algorithm>
#include <utility>

#include "store/segment/bloom.h"
#include "store/segment/segment_schema.h"
#include "store/sqlite/hot_part.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/walk_parts.h"

namespace throughline::store {

using segment::SegmentInfo;

sqlite::View SqliteStore::ViewOf(const Scope& scope) const {
  const auto now = parts();
  sqlite::View view{
      .hot = {}, .tags = {}, .sealed = now->sealed, .keep_alive = now, .scope = scope};
  // Snapshots after the parts: what was acknowledged before is in one of them.
  view.tenant = TenantNumber(scope.tenant);
  for (const auto& part : {now->active, now->sealing}) {
    if (part == nullptr) continue;
    view.hot.push_back(part->memtable.Read());
    view.tags.push_back(&part->tags);
  }
  return view;
}

Result<TraceRecords> SqliteStore::FindTrace(const Scope& scope, TraceId id,
                                            const FindOptions& options) const {
  const sqlite::View view = ViewOf(scope);
  TL_TRY_ASSIGN(TraceRecords found, sqlite::FindTrace(view, id, options));
  // Spans that were not looked for are no spans that are missing.
  if (options.spans && found.matches.size() <= 1 && found.evidence.span_count == 0) {
    found.evidence.in_expired = MayHaveExpired(view.tenant, id);
  }
  return found;
}

bool SqliteStore::MayHaveExpired(std::uint32_t tenant, TraceId id) const {
  if (tenant == 0) return false;
  const std::uint64_t key = segment::TraceKey(tenant, id, hash_seed_);
  const auto now = parts();
  const bool was_dropped =
      std::any_of(now->expired.begin(), now->expired.end(), [key](const auto& expired) {
        return !expired->traces.empty() && segment::Bloom::MayHold(key, expired->traces);
      });
  if (was_dropped) return true;
  return std::any_of(now->sealed.begin(), now->sealed.end(), [&](const auto& segment) {
    if ((segment->info().expired & segment::kSpanBit) == 0) return false;
    const auto may_hold = segment->MayHold(tenant, id);
    return may_hold && *may_hold;
  });
}

Result<std::vector<TraceSummary>> SqliteStore::Summarize(const Scope& scope, TraceId id) const {
  const sqlite::View view = ViewOf(scope);
  TL_TRY_ASSIGN(auto summaries, sqlite::Summarize(view, id));
  for (TraceSummary& summary : summaries) {
    if (summary.evidence.span_count > 0) continue;
    summary.evidence.in_expired = MayHaveExpired(view.tenant, summary.trace_id);
  }
  return summaries;
}

Result<Page<TraceSummary>> SqliteStore::FindTraces(const Scope& scope,
                                                   const TraceQuery& query) const {
  return sqlite::FindTraces(ViewOf(scope), query);
}

Result<RecordPage> SqliteStore::FindLogs(const Scope& scope, const LogQuery& query) const {
  return sqlite::FindLogs(ViewOf(scope), query);
}

Result<RecordPage> SqliteStore::FindExemplars(const Scope& scope,
                                              const ExemplarQuery& query) const {
  return sqlite::FindExemplars(ViewOf(scope), query);
}

Result<Visited> SqliteStore::Visit(const Scope& scope, const VisitQuery& query,
                                   const std::function<bool(const Batch&)>& visit) const {
  return sqlite::Visit(ViewOf(scope), query, visit);
}

Result<RecordPage> SqliteStore::FindGauges(const Scope& scope, const GaugeQuery& query) const {
  return sqlite::FindGauges(ViewOf(scope), query);
}

sqlite::Counts SqliteStore::CountsOf(const Scope& scope) const {
  const auto now = parts();
  sqlite::Counts counts{.hot = {&now->active->memtable},
                        .sealed = now->sealed,
                        .keep_alive = now,
                        .tenant = TenantNumber(scope.tenant)};
  if (now->sealing != nullptr) counts.hot.push_back(&now->sealing->memtable);
  return counts;
}

Result<std::vector<ServiceInfo>> SqliteStore::Services(const Scope& scope) const {
  return CountsOf(scope).Services();
}

Result<std::vector<OperationInfo>> SqliteStore::Operations(const Scope& scope,
                                                           std::string_view service) const {
  return CountsOf(scope).Operations(service);
}

Result<std::unique_ptr<Store::WatchHandle>> SqliteStore::Watch(const Scope& scope, TraceId id,
                                                               std::function<void()> callback) {
  return watches_.Add(scope.tenant, id, std::move(callback));
}

StoreUsage SqliteStore::Usage() const {
  StoreUsage usage;
  const auto now = parts();
  for (const HotPart* const part : {now->active.get(), now->sealing.get()}) {
    if (part == nullptr) continue;
    ++usage.parts;
    const StoreUsage hot = part->memtable.Usage();
    usage.spans += hot.spans;
    usage.logs += hot.logs;
    usage.exemplars += hot.exemplars;
    usage.gauges += hot.gauges;
    usage.traces += hot.traces;
    usage.memory_bytes += hot.memory_bytes + part->tags.size_bytes();
    for (const char* const suffix : {"", "-wal"}) {
      if (const auto size = files().SizeOf(part->path + suffix)) usage.disk_bytes += *size;
    }
  }
  for (const auto& segment : now->sealed) {
    const SegmentInfo& info = segment->info();
    const segment::Kinds there = ~info.expired;
    usage.spans += info.CountOf(there & segment::kSpanBit);
    usage.logs += info.CountOf(there & segment::kLineBit);
    usage.exemplars += info.CountOf(there & segment::kExemplarBit);
    usage.gauges += info.CountOf(there & segment::kGaugeBit);
    usage.traces += info.traces;
    usage.disk_bytes += info.bytes;
    ++usage.parts;
  }
  usage.memory_limit_bytes = options_.hot_bytes;
  usage.watches = watches_.size();
  const std::shared_lock lock(tenants_mutex_);
  usage.tenants = tenants_.size();
  return usage;
}

namespace {

// Of the places of what is hot; those of segments are their tails' numbers, which are lower.
constexpr std::uint64_t kHotPlaces = std::uint64_t{1} << 62U;

}  // namespace

Result<void> SqliteStore::Walk(
    const Scope& scope, const WalkQuery& query,
    const std::function<bool(const Batch& batch, WalkPlace place)>& visit) const {
  const auto now = parts();
  const std::uint32_t tenant = TenantNumber(scope.tenant);
  if (tenant == 0) return {};
  for (const auto& segment : now->sealed) {
    const std::uint64_t source = segment->info().tail;
    if (source < query.after.source) continue;
    TL_TRY_ASSIGN(const bool goes_on, sqlite::WalkSegment(*segment, source, tenant, query, visit));
    if (!goes_on) return {};
  }
  for (const HotPart* const part : {now->sealing.get(), now->active.get()}) {
    if (part == nullptr) continue;
    const std::uint64_t source = kHotPlaces + part->number;
    if (source < query.after.source) continue;
    if (!sqlite::WalkHot(part->memtable.Read(), source, tenant, query, visit)) return {};
  }
  return {};
}

std::vector<SegmentInfo> SqliteStore::Segments() const {
  const auto now = parts();
  std::vector<SegmentInfo> infos;
  infos.reserve(now->sealed.size());
  for (const auto& segment : now->sealed) infos.push_back(segment->info());
  return infos;
}

std::vector<std::string> SqliteStore::Tenants() const {
  std::vector<std::string> names;
  const std::shared_lock lock(tenants_mutex_);
  names.reserve(tenants_.size());
  for (const auto& [name, number] : tenants_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::uint64_t SqliteStore::WalkSize(const Scope& scope) const {
  // Gauge points are counted for all tenants together only.
  std::uint64_t records = 0;
  if (const auto services = Services(scope)) {
    for (const ServiceInfo& service : *services) {
      records += service.span_count + service.log_count + service.exemplar_count;
    }
  }
  return records;
}

std::unique_ptr<sqlite::RecordScan> SqliteStore::Scan(const Scope& scope,
                                                      const sqlite::ScanFilter& filter) const {
  auto kept = std::make_shared<const Scope>(scope);
  auto view = ViewOf(*kept);
  return std::make_unique<sqlite::RecordScan>(std::move(view), std::move(kept), filter);
}

std::unique_ptr<sqlite::TraceScan> SqliteStore::ScanTraces(const Scope& scope,
                                                           const sqlite::ScanFilter& filter) const {
  auto kept = std::make_shared<const Scope>(scope);
  auto view = ViewOf(*kept);
  return std::make_unique<sqlite::TraceScan>(std::move(view), std::move(kept), filter);
}

}  // namespace throughline::store
