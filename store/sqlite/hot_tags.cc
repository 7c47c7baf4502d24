#include "store/sqlite/hot_tags.h"

#include <algorithm>
#include <utility>

#include "store/segment/bloom.h"
#include "store/sqlite/record_bytes.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::sqlite {
namespace {

using segment::TagGatherer;

// About one chunk in 1,500 is read for nothing.
constexpr std::size_t kBitsPerTag = 16;

unsigned ByteAt(RecordView record, std::size_t offset) {
  return static_cast<unsigned char>(record.data()[offset]);
}

// Resource, scope and attributes, at which the cursor stands.
void AddCommon(Cursor cursor, RecordKind kind, unsigned parts, TagGatherer& tags) {
  if (!(parts & kNoResource)) {
    tags.AddResource(kind, cursor.StringId());
    cursor.Varint();  // The service.
  }
  if (!(parts & kNoScope)) cursor.Varint();
  for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
    const std::uint32_t id = cursor.StringId();
    if (id == kNotInterned) {
      tags.Add(kind, cursor.Bytes());
    } else {
      tags.Add(kind, id);
    }
  }
}

void AddRecord(RecordView record, TagGatherer& tags) {
  Cursor cursor(record.data() + kFixedBytes, record.data() + record.size());
  if (record.kind() == RecordKind::kSpan) {
    cursor.Varint();  // How long it took.
    if (ByteAt(record, 9) == kFollows) {
      cursor.Varint();
      cursor.Varint();
    }
    cursor.Varint();  // Flags.
    cursor.Varint();  // Name.
    AddCommon(cursor, RecordKind::kSpan, ByteAt(record, 10), tags);
  } else if (record.kind() == RecordKind::kLine) {
    if (ByteAt(record, 9) == kFollows) cursor.Varint();
    cursor.Varint();  // Flags.
    cursor.Varint();  // Severity text.
    AddCommon(cursor, RecordKind::kLine, ByteAt(record, 11), tags);
  }
}

}  // namespace

bool HotTags::AddChunk(const Memtable::Snapshot& snapshot, std::optional<TagGatherer>& gatherer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (size_bytes_ >= limits_.filter_bytes) return false;
  const auto requests = snapshot.blocks();
  const std::size_t begin = chunks_.empty() ? 0 : chunks_.back().end;
  std::size_t end = begin;
  std::size_t records = 0;
  for (; end < requests.size() && records < limits_.chunk_records; ++end) {
    records += requests[end].spans + requests[end].lines;
  }
  if (records < limits_.chunk_records) return false;
  if (!gatherer) gatherer.emplace(snapshot.dictionary(), snapshot.string_count(), snapshot.seed());
  for (std::size_t i = begin; i < end; ++i) {
    for (std::uint32_t at = requests[i].begin; at < requests[i].end;) {
      const RecordView record = snapshot.At(at);
      AddRecord(record, *gatherer);
      at += record.size();
    }
  }
  chunks_.push_back({.end = end, .filter = gatherer->TakeFilter(kBitsPerTag)});
  size_bytes_ += sizeof(Chunk) + chunks_.back().filter.size();
  return true;
}

std::vector<bool> HotTags::RequestsFor(const Memtable::Snapshot& snapshot,
                                       const segment::SearchFilter& filter, const Scope& scope) {
  std::vector<bool> may_have(snapshot.blocks().size(), true);
  // Labels of exemplars are asked for by more than one name.
  if (filter.tags.empty() || filter.kind == RecordKind::kExemplar) return may_have;
  std::optional<TagGatherer> gatherer;
  while (!scope.Expired() && AddChunk(snapshot, gatherer)) {
  }
  std::vector<std::uint64_t> wanted;
  for (const auto& [key, text] : filter.tags) {
    wanted.push_back(segment::TagHash(filter.kind, key, text, snapshot.seed()));
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  std::size_t begin = 0;
  for (const Chunk& chunk : chunks_) {
    if (chunk.end > may_have.size()) break;  // A later snapshot's.
    const bool may =
        !chunk.filter.empty() && std::all_of(wanted.begin(), wanted.end(), [&](std::uint64_t tag) {
          return segment::Bloom::MayHold(tag, chunk.filter);
        });
    for (; begin < chunk.end; ++begin) may_have[begin] = may;
  }
  return may_have;
}

std::size_t HotTags::size_bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return size_bytes_;
}

}  // namespace throughline::store::sqlite
