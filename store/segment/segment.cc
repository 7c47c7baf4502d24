#include "store/segment/segment.h"

#include <algorithm>
#include <utility>

#include "store/segment/bloom.h"
#include "store/segment/segment_open.h"
#include "store/segment/segment_schema.h"

namespace throughline::store::segment {

using sqlite::RecordKind;

Segment::Segment(SegmentInfo info, std::string path, std::shared_ptr<SegmentPool> pool)
    : info_(std::move(info)), path_(std::move(path)), pool_(std::move(pool)) {}

Segment::~Segment() { pool_->Forget(*this); }

std::shared_ptr<const Segment> Segment::With(SegmentInfo info) const {
  auto same = std::make_shared<Segment>(std::move(info), path_, pool_);
  const std::lock_guard<std::mutex> lock(mutex_);
  same->index_ = index_;
  same->known_index_ = index_.get();
  return same;
}

void Segment::Close() const {
  // Who uses it will close it another time.
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) open_.reset();
}

Result<Segment::Open*> Segment::GetOpen() const {
  if (open_ != nullptr) return open_.get();
  TL_TRY_ASSIGN(auto db,
                sqlite::Database::Open(path_, {.vfs = pool_->vfs(),
                                               .immutable = true,
                                               .checked_pages = HasPageChecks(info_.format),
                                               .cache_kib = 64}));
  TL_TRY_ASSIGN(const std::int64_t application, db.Pragma("application_id"));
  TL_TRY_ASSIGN(const std::int64_t format, db.Pragma("user_version"));
  if (application != kSegmentId) {
    return Error{Errc::kDataLoss,
                 path_ + ": not a segment (application_id " + std::to_string(application) + ")"};
  }
  if (format > kSegmentFormat) {
    return Error{Errc::kDataLoss, path_ + ": written by a newer version (format " +
                                      std::to_string(format) + ", this one reads up to " +
                                      std::to_string(kSegmentFormat) + ")"};
  }
  TL_TRY_ASSIGN(auto block, db.Prepare("SELECT data FROM block WHERE id = ?"));
  TL_TRY_ASSIGN(auto string, db.Prepare("SELECT data FROM string WHERE id = ?"));
  open_ = std::make_unique<Open>(std::move(db), std::move(block), std::move(string));
  return open_.get();
}

Result<std::string> Segment::ReadRow(sqlite::Statement Open::*statement, std::int64_t id) const {
  pool_->Touch(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  TL_TRY_ASSIGN(Open* const open, GetOpen());
  auto row = (open->*statement).Use(id);
  if (row.Next()) return std::string(row.Bytes(0));
  TL_TRY(row.Finish());
  return DamagedPart(path_, "a row that is missing");
}

Result<const Segment::Index*> Segment::GetIndex() const {
  if (const Index* const known = known_index_.load(std::memory_order_acquire)) return known;
  pool_->Touch(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (index_ == nullptr) {
    TL_TRY_ASSIGN(Open* const open, GetOpen());
    TL_TRY_ASSIGN(index_, ReadIndex(*open));
    known_index_.store(index_.get(), std::memory_order_release);
  }
  return index_.get();
}

Result<std::shared_ptr<const Segment::Index>> Segment::ReadIndex(Open& open) {
  TL_TRY_ASSIGN(auto select, open.db.Prepare("SELECT name, value FROM meta"));
  auto index = std::make_shared<Index>();
  auto row = select.Use();
  while (row.Next()) {
    const std::string_view name = row.Text(0);
    const std::string_view value = row.Bytes(1);
    Cursor cursor(value);
    if (name == "seed") {
      index->seed = cursor.Fixed<std::uint64_t>();
    } else if (name == "traces") {
      index->traces = value;
    } else if (name == "blocks") {
      while (!cursor.done()) {
        Index::First first;
        first.tenant = cursor.Fixed<std::uint32_t>();
        first.id.low = cursor.Fixed<std::uint64_t>();
        first.id.high = cursor.Fixed<std::uint64_t>();
        index->blocks.push_back(first);
      }
    } else if (name == "keys") {
      index->key_bytes = value;
    } else if (name == "strings" || name == "heads") {
      const std::size_t space = name == "strings" ? 0 : 1;
      index->ends[space] = static_cast<std::uint32_t>(cursor.Varint());
      std::uint32_t first = 0;
      for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
        first += static_cast<std::uint32_t>(cursor.Varint());
        index->firsts[space].push_back(first);
      }
    }
  }
  TL_TRY(row.Finish());
  Cursor keys(index->key_bytes);
  for (std::uint64_t left = keys.Varint(); left > 0 && !keys.done(); --left) {
    Strings::Key key;
    key.text = keys.Bytes();
    key.base = static_cast<std::uint32_t>(keys.Varint());
    key.count = static_cast<std::uint32_t>(keys.Varint());
    index->keys.push_back(key);
  }
  return std::shared_ptr<const Index>(std::move(index));
}

Result<bool> Segment::MayHold(std::uint32_t tenant, TraceId id) const {
  TL_TRY_ASSIGN(const Index* const index, GetIndex());
  return Bloom::MayHold(TraceKey(tenant, id, index->seed), index->traces);
}

Result<std::string> Segment::TraceFilter() const {
  TL_TRY_ASSIGN(const Index* const index, GetIndex());
  return index->traces;
}

std::uint32_t Segment::block_count() const {
  const auto index = GetIndex();
  return index ? static_cast<std::uint32_t>((*index)->blocks.size()) : 0;
}

Result<void> SealedTrace::Add(std::string bytes, std::uint32_t tenant) {
  auto owned = std::make_unique<const std::string>(std::move(bytes));
  TL_TRY_ASSIGN(BlockReader reader, BlockReader::Open(*owned, *strings_));
  const auto [first, last] = reader.WithLow(tenant, id_.low);
  bool found = false;
  for (std::size_t trace = first; trace < last; ++trace) {
    const TraceId stored = reader.IdOf(trace);
    if (!SameTrace(stored, id_)) continue;
    TL_TRY_ASSIGN(const bool has_records, HasRecords(reader, trace));
    if (!has_records) continue;
    found = true;
    if (ids_.empty() || ids_.back() != stored) ids_.push_back(stored);
  }
  if (found) blocks_.push_back({std::move(owned), std::move(reader), first, last});
  return {};
}

Result<bool> SealedTrace::HasRecords(const BlockReader& reader, std::size_t trace) const {
  if (expired_ == 0) return true;
  for (const RecordKind kind : {RecordKind::kSpan, RecordKind::kLine, RecordKind::kExemplar}) {
    if ((expired_ & KindBit(kind)) != 0) continue;
    TL_TRY_ASSIGN(const std::uint64_t records, reader.CountOf(kind, trace));
    if (records > 0) return true;
  }
  return false;
}

Result<void> SealedTrace::Read(RecordKind kind, TraceId match, std::size_t limit, Batch& to) const {
  if ((expired_ & KindBit(kind)) != 0) return {};
  for (const Block& block : blocks_) {
    for (std::size_t trace = block.first; trace < block.last; ++trace) {
      const TraceId stored = block.reader.IdOf(trace);
      if (!SameTrace(stored, id_) || !SameTrace(stored, match)) continue;
      TL_TRY(block.reader.Read(kind, trace, trace + 1, true, to));
      if (to.record_count() > limit) return {};
    }
  }
  return {};
}

Result<std::unique_ptr<SealedTrace>> Segment::Find(std::uint32_t tenant, TraceId id) const {
  std::unique_ptr<SealedTrace> found;
  TL_TRY_ASSIGN(const Index* const index, GetIndex());
  if (!Bloom::MayHold(TraceKey(tenant, id, index->seed), index->traces)) return found;
  const auto [first, last] = index->BlocksOf(tenant, id.low);
  found = std::make_unique<SealedTrace>(id, info_.expired, std::make_unique<Lookup>(*this, *index));
  for (std::uint32_t at = first; at < last; ++at) {
    TL_TRY_ASSIGN(std::string bytes, ReadRow(&Open::block, at));
    TL_TRY(found->Add(std::move(bytes), tenant));
  }
  if (found->ids().empty()) found.reset();
  return found;
}

Result<void> Segment::ReadBlock(std::uint32_t block, RecordKind kind, std::uint32_t tenant,
                                Batch& to) const {
  if (Expired(kind)) return {};
  TL_TRY_ASSIGN(const Index* const index, GetIndex());
  TL_TRY_ASSIGN(const std::string bytes, ReadRow(&Open::block, block));
  Lookup lookup(*this, *index);
  TL_TRY_ASSIGN(const BlockReader reader, BlockReader::Open(bytes, lookup));
  std::size_t first = 0;
  while (first < reader.trace_count() && reader.TenantOf(first) != tenant) ++first;
  std::size_t last = first;
  while (last < reader.trace_count() && reader.TenantOf(last) == tenant) ++last;
  // Of spans nobody asks for it here.
  return reader.Read(kind, first, last, kind != RecordKind::kSpan, to);
}

void SegmentPool::Touch(const Segment& segment) {
  const Segment* least_used = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!used_.empty() && used_.front() == &segment) return;
    used_.remove(&segment);
    used_.push_front(&segment);
    if (used_.size() <= limits_.open_files) return;
    least_used = used_.back();
    used_.pop_back();
    // Under the lock: the segment cannot be destroyed meanwhile (see Forget).
    least_used->Close();
  }
}

void SegmentPool::Forget(const Segment& segment) {
  const std::lock_guard<std::mutex> lock(mutex_);
  used_.remove(&segment);
}

}  // namespace throughline::store::segment
