// How a hot part becomes a segment, and what the thread that maintains does besides.
#include <algorithm>
#include <utility>

#include "store/segment/segment_writer.h"
#include "store/sqlite/file_hash.h"
#include "store/sqlite/file_names.h"
#include "store/sqlite/hot_part.h"
#include "store/sqlite/seen.h"
#include "store/sqlite/sqlite_store.h"

namespace throughline::store {

using segment::Segment;
using segment::SegmentInfo;
using sqlite::kAside;
using sqlite::kSeenPrefix;
using sqlite::kSegmentPrefix;
using sqlite::Memtable;
using sqlite::NameOf;

namespace {

// More than are kept at once, unless segments are tiny: what is older was removed before.
constexpr std::uint64_t kSeenFilesAtMost = 256;

}  // namespace

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
    ++next_segment_;  // Retention may write another before this one is catalogued.
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
  written_.reset();
  At("seal:catalogued");
  {
    const std::lock_guard<std::mutex> lock(parts_mutex_);
    Parts parts = *parts_;
    // Tails are sealed in their order, so this is the last.
    parts.sealed.push_back(std::make_shared<const Segment>(info, PathOf(info.file), pool_));
    parts.sealing = nullptr;
    parts_ = std::make_shared<const Parts>(std::move(parts));
  }
  sealed_.notify_all();
  // Lookups that began before may still read the memtable; nobody reads its file.
  part.tail.reset();
  for (const char* const suffix : sqlite::kTailSuffixes) leftovers_.push_back(part.path + suffix);
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

Result<void> SqliteStore::SealAll(std::uint64_t now_unix_ns) {
  for (;;) {
    TL_TRY(Maintain(now_unix_ns));
    TL_TRY_ASSIGN(const bool rotated, Rotate());
    if (!rotated) return {};
  }
}

}  // namespace throughline::store
