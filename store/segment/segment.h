// A sealed segment, read (format.md). Kinds of records that have expired (SegmentInfo::expired) are
// not there, whether or not the file still has them.
//
// What says which traces it may hold is read once and kept (about 0.3 bytes a span); the file is
// opened when it is needed, and may be closed between two lookups (SegmentPool). Any thread; a
// lookup holds the file for the time of one row. A segment whose file is unlinked stays readable
// for who has it open.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "store/segment/block_reader.h"
#include "store/segment/row_cache.h"
#include "store/segment/search_columns.h"
#include "store/segment/segment_info.h"
#include "store/segment/strings.h"
#include "store/sqlite/database.h"

namespace throughline::store::segment {

class SegmentPool;

// What a search can skip blocks by. Only what is set rules anything out.
struct SearchFilter {
  sqlite::RecordKind kind = sqlite::RecordKind::kSpan;
  std::uint32_t tenant = 0;
  TimeRange time = {};
  // Spans and lines: which service; lines that state none are always candidates. Exemplars: which
  // metrics, by name, unit and type.
  std::optional<std::string> service = {};
  std::function<bool(std::string_view name, std::string_view unit, MetricType type)> metric = {};
  std::optional<std::string> operation = {};
  std::optional<std::uint32_t> status_code = {};
  // Attributes that the record or its resource must have: key, value as text.
  std::vector<std::pair<std::string, std::string>> tags = {};
  std::string text = {};  // That the body of a line must hold; empty: any.
  double least = 0;       // Duration, severity or value; both inclusive.
  double most = 0;
  bool has_bounds = false;
};

// A block that has candidates, and the time of the latest and of the earliest of them.
struct BlockCandidate {
  std::uint32_t block = 0;
  std::uint64_t last_unix_ns = 0;
  std::uint64_t first_unix_ns = UINT64_MAX;
};

// The blocks of one segment that hold what links to an id, read once. Outlives no segment.
class SealedTrace {
 public:
  SealedTrace(TraceId id, Kinds expired, std::unique_ptr<Strings> strings)
      : id_(id), expired_(expired), strings_(std::move(strings)) {}

  // Of the traces that have records here which have not expired, in order.
  const std::vector<TraceId>& ids() const { return ids_; }
  // Appends the records of one kind of those that link to `match`, until the batch has more than
  // `limit` records.
  Result<void> Read(sqlite::RecordKind kind, TraceId match, std::size_t limit, Batch& to) const;

 private:
  friend class Segment;
  // Adds a block, where it has such traces.
  Result<void> Add(std::string bytes, std::uint32_t tenant);
  Result<bool> HasRecords(const BlockReader& reader, std::size_t trace) const;

  struct Block {
    std::unique_ptr<const std::string> bytes;
    BlockReader reader;
    std::size_t first = 0;
    std::size_t last = 0;
  };
  const TraceId id_;
  const Kinds expired_;
  std::unique_ptr<Strings> strings_;
  std::vector<Block> blocks_;
  std::vector<TraceId> ids_;
};

class Segment {
 public:
  // `path`: of its file. Does not touch the file.
  Segment(SegmentInfo info, std::string path, std::shared_ptr<SegmentPool> pool);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  const SegmentInfo& info() const { return info_; }
  // The same segment, of which something else is known.
  std::shared_ptr<const Segment> With(SegmentInfo info) const;

  // False: no trace that `id` names was sealed here.
  Result<bool> MayHold(std::uint32_t tenant, TraceId id) const;
  // What links to `id` here; null: nothing does.
  Result<std::unique_ptr<SealedTrace>> Find(std::uint32_t tenant, TraceId id) const;

  // Blocks with records that may satisfy the filter, in no order.
  Result<std::vector<BlockCandidate>> Search(const SearchFilter& filter) const;
  std::uint32_t block_count() const;
  // Appends all records of one kind and tenant in a block; lines and exemplars with identities.
  Result<void> ReadBlock(std::uint32_t block, sqlite::RecordKind kind, std::uint32_t tenant,
                         Batch& to) const;

  struct ServiceRow {
    std::int64_t id = 0;
    std::string name;
    std::uint64_t spans = 0;
    std::uint64_t errors = 0;
    std::uint64_t logs = 0;
    std::uint64_t exemplars = 0;
  };
  Result<std::vector<ServiceRow>> Services(std::uint32_t tenant) const;
  struct OperationRow {
    std::string name;
    std::uint32_t kind = 0;
    std::uint64_t spans = 0;
    std::uint64_t errors = 0;
  };
  Result<std::vector<OperationRow>> Operations(std::uint32_t tenant,
                                               std::string_view service) const;

  // Calls `visit` with the points in the range of the series that `wanted(metric, service)` says,
  // series by series, until it says false. Batches hold one part of a series each.
  Result<void> EachGauge(
      std::uint32_t tenant, TimeRange time,
      const std::function<bool(std::string_view metric, std::string_view service)>& wanted,
      const std::function<bool(Batch& points)>& visit) const;

  // The filter of its traces (bloom.h), for who must remember them.
  Result<std::string> TraceFilter() const;
  // Closes the file, if nobody uses it.
  void Close() const;

 private:
  friend class SegmentPool;
  class Lookup;
  struct Index;
  struct Open;

  bool Expired(sqlite::RecordKind kind) const { return (info_.expired & KindBit(kind)) != 0; }
  // Lives as long as the segment. Without a lock once it was read: a lookup asks every segment.
  Result<const Index*> GetIndex() const;
  static Result<std::shared_ptr<const Index>> ReadIndex(Open& open);
  // Opens the file if need be; `mutex_` is held.
  Result<Open*> GetOpen() const;
  // Says of each block whether it may have all tags and the text; empty: filters rule nothing out.
  Result<std::vector<bool>> BlocksFor(const SearchFilter& filter, const Index& index) const;
  // Leaves those of `blocks` whose filter in the rows that `select` gives may hold what is wanted.
  Result<void> RuleOut(const char* select,
                       const std::function<bool(std::string_view filter)>& may_hold,
                       std::vector<bool>& blocks) const;
  Result<std::vector<std::string>> PartsFor(const SearchFilter& filter) const;
  Result<std::string> ReadRow(sqlite::Statement Open::*statement, std::int64_t id) const;

  const SegmentInfo info_;
  const std::string path_;
  const std::shared_ptr<SegmentPool> pool_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<Open> open_;          // Guarded by mutex_.
  mutable std::shared_ptr<const Index> index_;  // Guarded by mutex_; set once.
  mutable std::atomic<const Index*> known_index_ = nullptr;
};

// Bounds what all segments of a store hold open, and the rows that they keep.
class SegmentPool {
 public:
  struct Limits {
    std::size_t open_files = 256;
    std::size_t row_bytes = 16U << 20U;
    const char* vfs = nullptr;  // As in sqlite::OpenOptions.
  };
  explicit SegmentPool(const Limits& limits) : limits_(limits), rows_(limits.row_bytes) {}

  RowCache& rows() { return rows_; }
  const char* vfs() const { return limits_.vfs; }
  // `segment` is about to be used: closes the one that was longest not, if there are too many.
  void Touch(const Segment& segment);
  void Forget(const Segment& segment);

 private:
  const Limits limits_;
  RowCache rows_;
  std::mutex mutex_;
  std::list<const Segment*> used_;  // Guarded by mutex_; used last, first.
};

}  // namespace throughline::store::segment
