#include "store/sqlite/sqlite_store.h"

#include <algorithm>

#include "store/sqlite/file_names.h"
#include "store/sqlite/hot_part.h"
#include "store/sqlite/seen.h"

namespace throughline::store {

using segment::Segment;
using segment::SegmentInfo;
using sqlite::kAside;
using sqlite::kSeenPrefix;
using sqlite::kSegmentPrefix;
using sqlite::kTailPrefix;
using sqlite::kTailSuffixes;
using sqlite::Memtable;
using sqlite::NameOf;
using sqlite::NumberIn;

namespace {

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

}  // namespace throughline::store
