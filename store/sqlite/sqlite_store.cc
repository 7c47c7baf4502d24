#include "store/sqlite/sqlite_store.h"

#include <algorithm>

#include "store/segment/bloom.h"
#include "store/segment/segment_schema.h"
#include "store/segment/segment_writer.h"
#include "store/sqlite/file_hash.h"
#include "store/sqlite/file_names.h"
#include "store/sqlite/seen.h"
#include "store/sqlite/walk_parts.h"

namespace throughline::store {

using segment::Segment;
using segment::SegmentInfo;
using sqlite::Memtable;

// A memtable and its tail.
struct SqliteStore::HotPart {
  HotPart(std::uint64_t number_, sqlite::Tail tail_, const Options& options, std::uint64_t seed,
          Memtable::Earlier earlier, const std::shared_ptr<sqlite::RegionPool>& regions)
      : number(number_),
        path(tail_.path()),
        tail(std::move(tail_)),
        memtable(options.hot_bytes, seed, std::move(earlier), regions),
        tags(options.hot_tags) {}

  const std::uint64_t number;
  const std::string path;
  std::optional<sqlite::Tail> tail;  // The appending thread's; Maintain's once the part waits.
  Memtable memtable;
  sqlite::HotTags tags;
  std::uint64_t first_arrival_unix_ns = 0;  // The appending thread's; 0: empty.
};

namespace {

using sqlite::kAside;
using sqlite::kSeenPrefix;
using sqlite::kSegmentPrefix;
using sqlite::kTailPrefix;
using sqlite::NameOf;
using sqlite::NumberIn;
constexpr const char* kTailSuffixes[] = {"-wal", "-shm", ""};  // In the order of removal.

// More than are kept at once, unless segments are tiny: what is older was removed before.
constexpr std::uint64_t kSeenFilesAtMost = 256;

// The number of the tail that this file stands beside; 0: it is none of a tail's.
std::uint64_t TailBeside(std::string_view name) {
  for (const std::string_view suffix : kTailSuffixes) {
    if (suffix.empty() || !name.ends_with(suffix)) continue;
    return NumberIn(name.substr(0, name.size() - suffix.size()), kTailPrefix);
  }
  return 0;
}

// As records came, also where one stands in the place of another.
void SortByTail(std::vector<std::shared_ptr<const Segment>>& segments) {
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return a->info().tail < b->info().tail; });
}

segment::SegmentPool::Limits PoolLimits(const SqliteStore::Options& options) {
  segment::SegmentPool::Limits limits = options.pool;
  if (!options.vfs.empty()) limits.vfs = options.vfs.c_str();
  return limits;
}

}  // namespace

Result<void> SqliteStore::RemoveTail(const std::string& path) const {
  for (const char* const suffix : kTailSuffixes) TL_TRY(files().Remove(path + suffix));
  return {};
}

SqliteStore::SqliteStore(Options options, std::unique_ptr<sqlite::Catalog> catalog)
    : options_(std::move(options)),
      catalog_(std::move(catalog)),
      hash_seed_(catalog_->hash_seed()),
      pool_(std::make_shared<segment::SegmentPool>(PoolLimits(options_))),
      regions_(std::make_shared<sqlite::RegionPool>(options_.seal_bytes)),
      watches_(options_.watches) {
  for (const std::string& name : catalog_->tenants()) {
    tenant_names_.push_back(name);
    tenants_.emplace(name, static_cast<std::uint32_t>(tenant_names_.size()));
  }
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(Options options) {
  TL_TRY_ASSIGN(
      auto catalog,
      sqlite::Catalog::Open(options.directory, options.vfs.empty() ? nullptr : options.vfs.c_str(),
                            options.files == nullptr ? sqlite::SystemFiles() : *options.files));
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options), std::move(catalog)));
  TL_TRY(store->OpenParts());
  return store;
}

Result<std::shared_ptr<SqliteStore::HotPart>> SqliteStore::OpenHot(std::uint64_t number,
                                                                   Memtable::Earlier earlier) {
  TL_TRY_ASSIGN(auto tail,
                sqlite::Tail::Open(
                    PathOf(NameOf(kTailPrefix, number)),
                    {.full_durability = options_.full_durability, .vfs = vfs(), .files = files()}));
  return std::make_shared<HotPart>(number, std::move(tail), options_, hash_seed_,
                                   std::move(earlier), regions_);
}

Result<void> SqliteStore::Replay(HotPart& part) {
  return part.tail->Replay([&](const sqlite::TailRow& row) -> Result<void> {
    if (row.tenant < 1 || row.tenant > tenant_names_.size()) {
      return Error{Errc::kDataLoss, part.path + ": a row of tenant " + std::to_string(row.tenant) +
                                        ", the catalog has " +
                                        std::to_string(tenant_names_.size())};
    }
    if (part.first_arrival_unix_ns == 0) part.first_arrival_unix_ns = row.arrival_unix_ns;
    return part.memtable.Replay(row.tenant, row.arrival_unix_ns, row.records, row.dictionary);
  });
}

// What a crash may have left is put in order here: files that are nobody's go, tails that became
// segments go, the others are replayed.
Result<void> SqliteStore::OpenParts() {
  Parts parts;
  std::vector<std::uint64_t> tails;
  std::vector<std::uint64_t> segments;
  std::vector<std::uint64_t> seen;
  TL_TRY_ASSIGN(const auto names, files().List(options_.directory));
  (void)RemoveSnapshot();  // Costs room only; the next snapshot tries it again.
  for (const std::string& name : names) {
    if (name.ends_with(kAside)) TL_TRY(files().Remove(PathOf(name)));
    if (const std::uint64_t number = NumberIn(name, kTailPrefix)) tails.push_back(number);
    if (const std::uint64_t number = NumberIn(name, kSegmentPrefix)) segments.push_back(number);
    if (const std::uint64_t number = NumberIn(name, kSeenPrefix)) seen.push_back(number);
  }
  std::sort(tails.begin(), tails.end());
  // Parts are sealed in their order. Tails up to the last one that was sealed are copies, also
  // where retention has dropped the segment since.
  const std::uint64_t sealed_tail = catalog_->sealed_tail();
  next_tail_ = sealed_tail + 1;
  while (!tails.empty() && tails.front() <= sealed_tail) {
    TL_TRY(RemoveTail(PathOf(NameOf(kTailPrefix, tails.front()))));
    tails.erase(tails.begin());
  }
  for (const std::string& name : names) {
    const std::uint64_t number = TailBeside(name);
    if (number != 0 && number <= sealed_tail) TL_TRY(files().Remove(PathOf(name)));
  }
  for (const SegmentInfo& info : catalog_->segments()) {
    next_segment_ = std::max(next_segment_, info.id + 1);
    std::erase(segments, info.id);
    parts.sealed.push_back(std::make_shared<const Segment>(info, PathOf(info.file), pool_));
  }
  SortByTail(parts.sealed);
  for (const sqlite::Expired& expired : catalog_->expired()) {
    next_segment_ = std::max(next_segment_, expired.segment + 1);
    parts.expired.push_back(std::make_shared<const sqlite::Expired>(expired));
  }
  for (const std::uint64_t number : segments) {
    // Not catalogued: its tail is still here, or retention had taken it.
    TL_TRY(files().Remove(PathOf(NameOf(kSegmentPrefix, number))));
    next_segment_ = std::max(next_segment_, number + 1);
  }
  Memtable::Earlier earlier;
  SetParts(parts);
  LoadSeen(seen, earlier);
  for (const std::uint64_t tail : tails) {
    TL_TRY_ASSIGN(auto part, OpenHot(tail, earlier));
    TL_TRY(Replay(*part));
    next_tail_ = std::max(next_tail_, tail + 1);
    if (tail == tails.back()) {
      parts.active = std::move(part);
    } else if (part->memtable.is_empty()) {  // A power loss took what it held.
      const std::string path = part->path;
      part.reset();
      TL_TRY(RemoveTail(path));
    } else {
      earlier = EarlierFor(*part);
      // One may wait, which a full disk does not forbid; two may not.
      if (parts.sealing != nullptr) {
        SetParts(parts);
        TL_TRY(Seal(*this->parts()));
        parts = *this->parts();
      }
      parts.sealing = std::move(part);
    }
  }
  if (parts.active == nullptr) {
    TL_TRY_ASSIGN(parts.active, OpenHot(next_tail_++, std::move(earlier)));
  }
  SetParts(std::move(parts));
  return {};
}

std::vector<std::uint64_t> SqliteStore::RememberedSegments(const Parts& parts) const {
  constexpr std::size_t kBytesPerIdentity = 16;  // In a set that is not full.
  std::vector<std::uint64_t> kept;
  std::size_t bytes = 0;
  std::uint64_t latest = 0;
  for (auto at = parts.sealed.rbegin(); at != parts.sealed.rend(); ++at) {
    const SegmentInfo& info = (*at)->info();
    latest = std::max(latest, info.last_arrival_unix_ns);
    bytes += kBytesPerIdentity * (info.spans + info.logs + info.exemplars + info.gauges);
    const bool is_old = latest - info.last_arrival_unix_ns > options_.dedup_horizon_ns;
    if (is_old || (bytes > options_.dedup_bytes && !kept.empty())) break;
    kept.push_back(info.id);
  }
  return kept;
}

void SqliteStore::LoadSeen(const std::vector<std::uint64_t>& files,
                           Memtable::Earlier& earlier) const {
  const auto wanted = RememberedSegments(*parts());
  auto identities = std::make_shared<sqlite::IdentitySet>();
  for (const std::uint64_t number : files) {
    const std::string path = PathOf(NameOf(kSeenPrefix, number));
    if (std::find(wanted.begin(), wanted.end(), number) == wanted.end()) {
      (void)this->files().Remove(path);
    } else {
      (void)sqlite::ReadSeen(path, vfs(), *identities);
    }
  }
  if (identities->count() == 0) return;
  earlier.push_back(std::make_shared<const sqlite::EarlierIdentities>(std::move(identities)));
}

std::shared_ptr<const SqliteStore::Parts> SqliteStore::parts() const {
  const std::lock_guard<std::mutex> lock(parts_mutex_);
  return parts_;
}

void SqliteStore::SetParts(Parts parts) {
  auto next = std::make_shared<const Parts>(std::move(parts));
  const std::lock_guard<std::mutex> lock(parts_mutex_);
  parts_.swap(next);  // The old ones die behind the lock.
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
  const auto number = static_cast<std::uint32_t>(tenant_names_.size() + 1);
  TL_TRY(catalog_->AddTenant(number, name));
  tenant_names_.push_back(name);
  const std::unique_lock lock(tenants_mutex_);
  tenants_.emplace(name, number);
  return number;
}

Result<std::vector<Appended>> SqliteStore::StageAndCommit(Memtable& memtable, sqlite::Tail& tail,
                                                          std::span<const Appending> appendings) {
  std::vector<sqlite::TailRow> rows;
  std::vector<Appended> results;
  rows.reserve(appendings.size());
  results.reserve(appendings.size());
  for (const Appending& appending : appendings) {
    TL_TRY_ASSIGN(const std::uint32_t tenant, TenantNumberOrNew(appending.tenant));
    TL_TRY_ASSIGN(const auto staged,
                  memtable.Stage(tenant, appending.arrival_unix_ns, *appending.batch));
    results.push_back(staged.counts);
    // A request whose records were all here already leaves nothing to write.
    if (staged.records.empty() && staged.dictionary.empty()) continue;
    rows.push_back({.format = staged.format,
                    .tenant = tenant,
                    .arrival_unix_ns = appending.arrival_unix_ns,
                    .records = staged.records,
                    .dictionary = staged.dictionary});
  }
  if (!rows.empty()) TL_TRY(tail.Append(rows));
  return results;
}

// The identities that the part behind `old` knows too: its own, and those before within the bound.
Memtable::Earlier SqliteStore::EarlierFor(const HotPart& old) const {
  constexpr std::size_t kSmall = 1U << 16U;  // Small sets are put together: each costs a look.
  Memtable::Earlier earlier = old.memtable.earlier();
  std::shared_ptr<const sqlite::IdentitySet> own = old.memtable.identities();
  if (!earlier.empty() && earlier.back()->set().count() + own->count() <= kSmall) {
    auto both = std::make_shared<sqlite::IdentitySet>();
    both->InsertAll(earlier.back()->set());
    both->InsertAll(*own);
    earlier.pop_back();
    own = std::move(both);
  }
  earlier.push_back(std::make_shared<const sqlite::EarlierIdentities>(std::move(own)));
  std::size_t bytes = 0;
  for (const auto& set : earlier) bytes += set->size_bytes();
  while (earlier.size() > 1 && bytes > options_.dedup_bytes) {
    bytes -= earlier.front()->size_bytes();
    earlier.erase(earlier.begin());
  }
  return earlier;
}

Result<bool> SqliteStore::Rotate() {
  const auto now = parts();
  if (now->sealing != nullptr || now->active->memtable.is_empty()) return false;
  TL_TRY(now->active->tail->Settle());
  TL_TRY_ASSIGN(auto next, OpenHot(next_tail_, EarlierFor(*now->active)));
  ++next_tail_;
  At("rotate:created");
  {
    const std::lock_guard<std::mutex> lock(parts_mutex_);
    // Maintain may have changed the rest meanwhile.
    Parts parts = *parts_;
    parts.sealing = parts.active;
    parts.active = std::move(next);
    parts_ = std::make_shared<const Parts>(std::move(parts));
  }
  if (options_.on_rotate) options_.on_rotate();
  return true;
}

bool SqliteStore::IsOld(const HotPart& part, std::uint64_t now_unix_ns) const {
  const std::uint64_t first = part.first_arrival_unix_ns;
  if (first == 0 || now_unix_ns <= first) return false;
  const std::uint64_t age = now_unix_ns - first;
  // What is hot does not expire.
  return (options_.seal_age_ns != 0 && age >= options_.seal_age_ns) || age > ShortestAge();
}

Result<void> SqliteStore::Age(std::uint64_t now_unix_ns) {
  const auto now = parts();
  // A part that waits is sealed first; it comes again.
  if (options_.seal_bytes == 0 || now->sealing != nullptr) return {};
  if (!IsOld(*now->active, now_unix_ns)) return {};
  TL_TRY(Rotate());
  return options_.seal_in_append ? Seal(*parts()) : Result<void>();
}

// Lets another part take over when the hot one is full or old.
Result<void> SqliteStore::MakeRoom(std::span<const Appending> appendings) {
  if (options_.seal_bytes == 0 || appendings.empty()) return {};
  auto now = parts();
  const HotPart& active = *now->active;
  const bool is_full = active.memtable.used_bytes() >= options_.seal_bytes;
  if (!is_full && !IsOld(active, appendings.front().arrival_unix_ns)) return {};
  if (now->sealing != nullptr) {
    if (!is_full) return {};
    std::unique_lock<std::mutex> lock(parts_mutex_);
    if (!sealed_.wait_for(lock, options_.seal_wait, [&] { return parts_->sealing == nullptr; })) {
      return Error{Errc::kOverloaded, "what came before is not sealed yet, and " +
                                          std::to_string(active.memtable.used_bytes()) +
                                          " bytes wait behind it (store.seal_bytes " +
                                          std::to_string(options_.seal_bytes) + ")"};
    }
  }
  TL_TRY(Rotate());
  return options_.seal_in_append ? Seal(*parts()) : Result<void>();
}

Result<std::vector<Appended>> SqliteStore::Append(std::span<const Appending> appendings) {
  TL_TRY(MakeRoom(appendings));
  const auto now = parts();
  HotPart& active = *now->active;
  auto results = StageAndCommit(active.memtable, *active.tail, appendings);
  if (!results) {
    active.memtable.DropStaged();
    return results;
  }
  active.memtable.Publish(
      [this] { return !watches_.empty(); },
      [this](std::uint32_t tenant, TraceId id) { watches_.Notify(tenant_names_[tenant - 1], id); });
  if (active.first_arrival_unix_ns == 0 && !appendings.empty()) {
    active.first_arrival_unix_ns = appendings.front().arrival_unix_ns;
  }
  revisions_.Added(appendings);
  return results;
}

Result<SegmentInfo> SqliteStore::WriteSegment(const HotPart& part) {
  const std::string file = NameOf(kSegmentPrefix, next_segment_);
  const std::string aside = PathOf(file) + std::string(kAside);
  const auto write = [&]() -> Result<SegmentInfo> {
    TL_TRY(files().Remove(aside));
    TL_TRY_ASSIGN(SegmentInfo info, segment::WriteSegment(part.memtable, aside, vfs()));
    At("seal:written");
    TL_TRY(files().SyncFile(aside));
    At("seal:synced");
    TL_TRY_ASSIGN(info.bytes, files().SizeOf(aside));
    TL_TRY_ASSIGN(info.hash, sqlite::HashOfFile(aside));
    TL_TRY(files().Rename(aside, PathOf(file)));
    info.id = next_segment_;
    info.file = file;
    info.tail = part.number;
    return info;
  };
  auto info = write();
  // A full disk needs the room for what comes in.
  if (!info) (void)files().Remove(aside);
  return info;
}

Result<void> SqliteStore::RemoveLeftovers() {
  Result<void> result;
  std::erase_if(leftovers_, [&](const std::string& path) {
    const auto removed = files().Remove(path);
    if (!removed && result) result = removed;
    return removed.has_value();
  });
  return result;
}

Result<void> SqliteStore::Seal(const Parts& now) {
  if (now.sealing == nullptr) return {};
  HotPart& part = *now.sealing;
  // Never written again once it has its name: a commit of the catalog that seemed to fail may be
  // there after a crash, and on a full disk there is no room for two.
  if (!written_) {
    TL_TRY_ASSIGN(written_, WriteSegment(part));
  }
  const SegmentInfo info = *written_;
  TL_TRY(files().SyncDirectory(options_.directory));
  At("seal:renamed");
  // Best effort: see seen.h.
  const std::string seen = PathOf(NameOf(kSeenPrefix, info.id));
  (void)files().Remove(seen);
  if (!sqlite::WriteSeen(seen, vfs(), *part.memtable.identities())) (void)files().Remove(seen);
  At("seal:seen");
  TL_TRY(catalog_->AddSegment(info));
  ++next_segment_;
  written_.reset();
  At("seal:catalogued");
  {
    const std::lock_guard<std::mutex> lock(parts_mutex_);
    Parts parts = *parts_;
    parts.sealed.push_back(std::make_shared<const Segment>(info, PathOf(info.file), pool_));
    SortByTail(parts.sealed);
    parts.sealing = nullptr;
    parts_ = std::make_shared<const Parts>(std::move(parts));
  }
  sealed_.notify_all();
  // Lookups that began before may still read the memtable; nobody reads its file.
  part.tail.reset();
  for (const char* const suffix : kTailSuffixes) leftovers_.push_back(part.path + suffix);
  (void)RemoveLeftovers();  // Maintain says it.
  At("seal:unlinked");
  const auto after = parts();  // Held: another part may take over meanwhile.
  const auto kept = RememberedSegments(*after);
  for (const auto& segment : after->sealed) {
    const std::uint64_t id = segment->info().id;
    const bool is_kept = std::find(kept.begin(), kept.end(), id) != kept.end();
    if (!is_kept && id + kSeenFilesAtMost > info.id) {
      leftovers_.push_back(PathOf(NameOf(kSeenPrefix, id)));
    }
  }
  return {};
}

Result<void> SqliteStore::Maintain(std::uint64_t now_unix_ns) {
  // Called for no part that waits, so once a period: nothing came that could use what is spare.
  if (parts()->sealing == nullptr) regions_->Trim();
  const auto sealed = Seal(*parts());
  const auto retained = Retain(now_unix_ns);
  const auto removed = RemoveLeftovers();
  return !sealed ? sealed : !retained ? retained : removed;
}

std::uint64_t SqliteStore::LastTail() const {
  const auto now = parts();
  return now->active->number - (now->active->memtable.is_empty() ? 1 : 0);
}

bool SqliteStore::IsSealed(std::uint64_t tail) const {
  const auto now = parts();
  return now->active->number > tail && (now->sealing == nullptr || now->sealing->number > tail);
}

Result<void> SqliteStore::WriteSnapshot(std::uint64_t id, std::uint64_t now_unix_ns) {
  const std::string folder = PathOf(std::string(sqlite::kSnapshotFolder));
  TL_TRY(files().RemoveDirectory(folder));
  TL_TRY(files().CreateDirectories(folder));
  At("snapshot:created");
  TL_TRY_ASSIGN(sqlite::CatalogContent content, catalog_->Read());
  content.snapshot = id;
  content.snapshot_unix_ns = now_unix_ns;
  for (const SegmentInfo& info : content.segments) {
    // One that is missing is for the backup to tell of.
    TL_TRY(files().Link(PathOf(info.file), folder + '/' + info.file));
  }
  At("snapshot:linked");
  TL_TRY(sqlite::WriteCatalog(folder + '/' + std::string(sqlite::kCatalogFile), content, vfs()));
  At("snapshot:written");
  return {};
}

Result<void> SqliteStore::RemoveSnapshot() {
  return files().RemoveDirectory(PathOf(std::string(sqlite::kSnapshotFolder)));
}

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

Result<void> SqliteStore::SealAll(std::uint64_t now_unix_ns) {
  for (;;) {
    TL_TRY(Maintain(now_unix_ns));
    TL_TRY_ASSIGN(const bool rotated, Rotate());
    if (!rotated) return {};
  }
}

}  // namespace throughline::store
