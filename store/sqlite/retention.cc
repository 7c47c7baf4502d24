// What retention takes: whole segments, and single kinds of records of those that hold others that
// stay.
#include <algorithm>

#include "store/segment/segment_schema.h"
#include "store/segment/segment_strip.h"
#include "store/sqlite/file_hash.h"
#include "store/sqlite/file_names.h"
#include "store/sqlite/sqlite_store.h"

namespace throughline::store {

using segment::KindBit;
using segment::Kinds;
using segment::Segment;
using segment::SegmentInfo;
using sqlite::kSeenPrefix;
using sqlite::kSegmentPrefix;
using sqlite::NameOf;
using sqlite::RecordKind;

namespace {

constexpr RecordKind kAllKinds[] = {RecordKind::kSpan, RecordKind::kLine, RecordKind::kExemplar,
                                    RecordKind::kGauges};

// A file is written again once so large a part of what it holds has expired.
bool IsWorthWriting(const SegmentInfo& info) {
  constexpr std::uint64_t kPart = 8;
  const Kinds there = info.kinds() & ~info.removed;
  return info.CountOf(there & info.expired) * kPart >= info.CountOf(there);
}

}  // namespace

std::uint64_t SqliteStore::AgeOf(RecordKind kind) const {
  const Ages& ages = options_.retention_of;
  std::uint64_t own = 0;
  switch (kind) {
    case RecordKind::kSpan: own = ages.spans_ns; break;
    case RecordKind::kLine: own = ages.logs_ns; break;
    case RecordKind::kExemplar: own = ages.exemplars_ns; break;
    case RecordKind::kGauges: own = ages.gauges_ns; break;
  }
  const std::uint64_t age = own != 0 ? own : options_.retention_ns;
  return age != 0 ? age : UINT64_MAX;
}

std::uint64_t SqliteStore::ShortestAge() const {
  std::uint64_t shortest = UINT64_MAX;
  for (const RecordKind kind : kAllKinds) shortest = std::min(shortest, AgeOf(kind));
  return shortest;
}

Kinds SqliteStore::DueKinds(const SegmentInfo& info, std::uint64_t now_unix_ns) const {
  const std::uint64_t latest = info.last_arrival_unix_ns;
  const std::uint64_t age = now_unix_ns > latest ? now_unix_ns - latest : 0;
  Kinds due = 0;
  for (const RecordKind kind : kAllKinds) {
    if (age > AgeOf(kind)) due |= KindBit(kind);
  }
  return due & info.kinds() & ~info.expired;
}

void SqliteStore::Replace(const std::shared_ptr<const Segment>& segment,
                          const std::shared_ptr<const Segment>& by) {
  const std::lock_guard<std::mutex> lock(parts_mutex_);
  Parts parts = *parts_;
  std::replace(parts.sealed.begin(), parts.sealed.end(), segment, by);
  parts_ = std::make_shared<const Parts>(std::move(parts));
}

Result<void> SqliteStore::Drop(const std::shared_ptr<const Segment>& segment,
                               std::uint64_t now_unix_ns) {
  sqlite::Expired expired{.segment = segment->info().id, .dropped_unix_ns = now_unix_ns};
  // One that cannot be read any more goes all the same; its ids are forgotten.
  if (auto traces = segment->TraceFilter()) expired.traces = std::move(*traces);
  TL_TRY(catalog_->DropSegment(expired));
  At("retain:dropped");
  {
    const std::lock_guard<std::mutex> lock(parts_mutex_);
    Parts parts = *parts_;
    std::erase(parts.sealed, segment);
    parts.expired.push_back(std::make_shared<const sqlite::Expired>(std::move(expired)));
    parts_ = std::make_shared<const Parts>(std::move(parts));
  }
  revisions_.Dropped();
  const std::uint64_t id = segment->info().id;
  leftovers_.push_back(PathOf(segment->info().file));
  leftovers_.push_back(PathOf(NameOf(kSeenPrefix, id)));
  if (replacement_ && replacement_->from == id) {
    leftovers_.push_back(PathOf(replacement_->info.file));
    leftovers_.push_back(PathOf(NameOf(kSeenPrefix, replacement_->info.id)));
    replacement_.reset();
  }
  (void)RemoveLeftovers();  // Maintain says it.
  At("retain:unlinked");
  return {};
}

Result<void> SqliteStore::TrimExpired(std::uint64_t now_unix_ns) {
  const auto now = parts();
  const std::uint64_t forget_before = now_unix_ns - std::min(now_unix_ns, options_.expired_ns);
  std::size_t bytes = 0;
  std::vector<std::uint64_t> forgotten;  // Segments.
  for (auto expired = now->expired.rbegin(); expired != now->expired.rend(); ++expired) {
    bytes += (*expired)->traces.size();
    if ((*expired)->dropped_unix_ns < forget_before || bytes > options_.expired_bytes) {
      forgotten.push_back((*expired)->segment);
    }
  }
  if (forgotten.empty()) return {};
  TL_TRY(catalog_->ForgetExpired(forgotten));
  At("retain:forgotten");
  const std::lock_guard<std::mutex> lock(parts_mutex_);
  Parts parts = *parts_;
  std::erase_if(parts.expired, [&](const std::shared_ptr<const sqlite::Expired>& expired) {
    return std::find(forgotten.begin(), forgotten.end(), expired->segment) != forgotten.end();
  });
  parts_ = std::make_shared<const Parts>(std::move(parts));
  return {};
}

Result<void> SqliteStore::Expire(const std::shared_ptr<const Segment>& segment, Kinds kinds) {
  SegmentInfo info = segment->info();
  info.expired |= kinds;
  TL_TRY(catalog_->SetExpired(info.id, info.expired));
  At("retain:hidden");
  Replace(segment, segment->With(std::move(info)));
  revisions_.Dropped();
  return {};
}

Result<void> SqliteStore::WriteWithoutExpired(const SegmentInfo& from) {
  SegmentInfo info = from;
  info.id = next_segment_;
  info.file = NameOf(kSegmentPrefix, info.id);
  info.format = segment::kSegmentFormat;
  info.removed = info.expired;
  const std::string aside = PathOf(info.file) + std::string(sqlite::kAside);
  const auto write = [&]() -> Result<void> {
    TL_TRY(files().Remove(aside));
    TL_TRY(segment::WriteWithout(info.expired, from, PathOf(from.file), aside, vfs()));
    At("strip:written");
    TL_TRY(files().SyncFile(aside));
    At("strip:synced");
    TL_TRY_ASSIGN(info.bytes, files().SizeOf(aside));
    TL_TRY_ASSIGN(info.hash, sqlite::HashOfFile(aside));
    return files().Rename(aside, PathOf(info.file));
  };
  if (const auto written = write(); !written) {
    (void)files().Remove(aside);
    return written;
  }
  // The name is never another's: a commit that seems to fail may be there after a crash.
  ++next_segment_;
  replacement_ = {.from = from.id, .info = std::move(info)};
  return {};
}

Result<void> SqliteStore::RemoveExpired(const std::shared_ptr<const Segment>& segment) {
  const SegmentInfo& old = segment->info();
  if (!replacement_) TL_TRY(WriteWithoutExpired(old));
  SegmentInfo info = replacement_->info;
  info.expired = old.expired;  // More may have, since it was written.
  TL_TRY(files().SyncDirectory(options_.directory));
  At("strip:renamed");
  // Best effort: see seen.h.
  const std::string seen = PathOf(NameOf(kSeenPrefix, info.id));
  (void)files().Remove(seen);
  (void)files().Link(PathOf(NameOf(kSeenPrefix, old.id)), seen);
  TL_TRY(catalog_->ReplaceSegment(old.id, info));
  replacement_.reset();
  At("strip:catalogued");
  leftovers_.push_back(PathOf(old.file));
  leftovers_.push_back(PathOf(NameOf(kSeenPrefix, old.id)));
  Replace(segment, std::make_shared<const Segment>(info, PathOf(info.file), pool_));
  (void)RemoveLeftovers();  // Maintain says it.
  At("strip:unlinked");
  return {};
}

Result<void> SqliteStore::RemoveExpiredKinds() {
  std::uint64_t bytes = 0;
  const auto now = parts();  // Held: each one that is written again replaces them.
  for (const auto& segment : now->sealed) {
    const SegmentInfo& info = segment->info();
    // What was written is catalogued before anything else is.
    if (replacement_ && replacement_->from != info.id) continue;
    if ((info.expired & ~info.removed) == 0 || !IsWorthWriting(info)) continue;
    if (std::find(damaged_.begin(), damaged_.end(), info.id) != damaged_.end()) continue;
    if (bytes >= options_.rewrite_bytes) break;  // The next call goes on.
    bytes += info.bytes;
    const auto removed = RemoveExpired(segment);
    if (removed) continue;
    if (removed.error().code != Errc::kDataLoss) return removed;
    damaged_.push_back(info.id);  // It goes as a whole, when it is due.
  }
  return {};
}

Result<void> SqliteStore::Retain(std::uint64_t now_unix_ns) {
  const auto now = parts();
  std::uint64_t bytes = 0;
  for (const auto& segment : now->sealed) bytes += segment->info().bytes;
  // The oldest by arrival go first.
  auto oldest_first = now->sealed;
  std::sort(oldest_first.begin(), oldest_first.end(), [](const auto& a, const auto& b) {
    return a->info().last_arrival_unix_ns < b->info().last_arrival_unix_ns;
  });
  for (const auto& segment : oldest_first) {
    const SegmentInfo& info = segment->info();
    const Kinds due = DueKinds(info, now_unix_ns);
    const bool is_old = info.kinds() != 0 && (info.kinds() & ~(info.expired | due)) == 0;
    const bool is_over = options_.disk_bytes != 0 && bytes > options_.disk_bytes;
    if (is_old || is_over) {
      bytes -= info.bytes;
      TL_TRY(Drop(segment, now_unix_ns));
    } else if (due != 0) {
      TL_TRY(Expire(segment, due));
    }
  }
  TL_TRY(RemoveExpiredKinds());
  return TrimExpired(now_unix_ns);
}

}  // namespace throughline::store
