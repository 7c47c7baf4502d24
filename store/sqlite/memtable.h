// The hot part of the store, in memory: every record since the last seal, by trace.
//
// Records lie behind each other in one Region, in the bytes of the tail file. A bucket array leads
// from (tenant, low half of the id) to the entries of traces; from an entry three chains lead
// through its spans, lines and exemplars, newest first. Gauge points are of no trace: a request's
// are one record, which its Block leads to.
//
// One writer, in three steps: Stage() conses the records of a batch at the end of the Region, where
// nothing leads to them; the caller commits Staged's bytes to the tail; Publish() links them and
// moves the watermark. DropStaged() takes them back instead. Readers take a Snapshot (one number)
// and follow chains without locks: what lies beyond their watermark is not there for them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "correlate/store.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/earlier_identities.h"
#include "store/sqlite/gauge_index.h"
#include "store/sqlite/hash_set.h"
#include "store/sqlite/record.h"
#include "store/sqlite/region.h"

namespace throughline::store::sqlite {

// What one request wrote, in order of arrival: what searches walk.
struct Block {
  std::uint32_t begin = 0;  // Offsets into the records.
  std::uint32_t end = 0;
  std::uint32_t tenant = 0;
  std::uint32_t spans = 0;
  std::uint32_t lines = 0;
  std::uint32_t exemplars = 0;
  std::uint32_t gauges = 0;        // Points,
  std::uint32_t gauge_record = 0;  // which stand in one record.
  std::uint64_t arrival_unix_ns = 0;
  // Effective times of spans, lines and exemplars; first > last: there are none.
  std::uint64_t first_unix_ns = UINT64_MAX;
  std::uint64_t last_unix_ns = 0;

  // Of spans, lines or exemplars.
  std::uint32_t count(RecordKind kind) const {
    return kind == RecordKind::kSpan ? spans : kind == RecordKind::kLine ? lines : exemplars;
  }
  void Note(const RecordView& record) {
    const std::uint64_t observed =
        record.kind() == RecordKind::kLine ? record.observed_unix_ns() : 0;
    const std::uint64_t time =
        EffectiveTimeOf(record.time_unix_ns(), observed, arrival_unix_ns).unix_ns;
    if (time < first_unix_ns) first_unix_ns = time;
    if (time > last_unix_ns) last_unix_ns = time;
  }
};

// Counts of one (tenant, service, operation, kind), or of a service's lines or exemplars.
struct Counter {
  static constexpr std::uint32_t kLines = 0xfffffffe;
  static constexpr std::uint32_t kExemplars = 0xfffffffd;

  std::uint32_t tenant = 0;
  std::uint32_t service = kNotInterned;
  std::uint32_t name = kNotInterned;
  std::uint32_t kind = 0;  // Of the spans, or one of the above.
  std::atomic<std::uint64_t> count{0};
  std::atomic<std::uint64_t> errors{0};
};

class Memtable {
 public:
  using Earlier = std::vector<std::shared_ptr<const EarlierIdentities>>;

  // `capacity_bytes` bounds all of it; at most 4 GiB, which 32-bit offsets reach. Records with an
  // identity of `earlier` are not stored again. What is large comes from `pool`, and goes back.
  Memtable(std::size_t capacity_bytes, std::uint64_t seed, Earlier earlier = {},
           const std::shared_ptr<RegionPool>& pool = nullptr);

  // --- The writer.

  struct Staged {
    std::string_view records;  // For the tail.
    std::string_view dictionary;
    std::int64_t format = 1;  // The lowest that can say it (format.md).
    Appended counts;
  };
  // kUnavailable: full. Nothing is staged then of this batch; earlier ones stay staged.
  Result<Staged> Stage(std::uint32_t tenant, std::uint64_t arrival_unix_ns, const Batch& batch);
  // Makes all that is staged visible. Only then asks `anyone_waits`, and if so, calls `linked` with
  // the id of each trace that got records: who registers first and looks then misses nothing.
  void Publish(const std::function<bool()>& anyone_waits,
               const std::function<void(std::uint32_t tenant, TraceId id)>& linked);
  void DropStaged();
  // Puts a tail row back; publishes it. kDataLoss: its bytes are damaged.
  Result<void> Replay(std::uint32_t tenant, std::uint64_t arrival_unix_ns, std::string_view records,
                      std::string_view dictionary);

  // --- Readers, from any thread.

  class Snapshot {
   public:
    // Every trace of the tenant that `id` may name: the low halves are equal (all of both, when the
    // low half is zero). Calls `visit(TraceId, newest span, line, exemplar)`.
    struct Trace {
      TraceId id;
      std::uint32_t spans = 0;  // Newest record of each chain; 0: none.
      std::uint32_t lines = 0;
      std::uint32_t exemplars = 0;
    };
    std::vector<Trace> TracesOf(std::uint32_t tenant, TraceId id) const;

    RecordView At(std::uint32_t reference) const;
    std::uint64_t ArrivalOf(std::uint32_t reference) const;
    std::span<const Block> blocks() const;
    // The block that holds what stands at `reference`; null: none.
    const Block* BlockOf(std::uint32_t reference) const;
    std::span<const GaugeIndex::Entry> gauge_series() const {
      return table_->gauge_index_.entries();
    }
    std::uint64_t seed() const { return table_->seed_; }
    const Dictionary& dictionary() const { return table_->dictionary_; }
    // Strings that may be looked at, from id 0 on; published records have no others.
    std::uint32_t string_count() const { return string_count_; }

   private:
    friend class Memtable;
    explicit Snapshot(const Memtable& table);
    // The newest visible record of a chain.
    std::uint32_t Visible(std::uint32_t reference) const;
    const Memtable* table_;
    std::uint32_t end_;  // Records from here on are not there.
    std::size_t block_count_;
    std::uint32_t string_count_;
  };
  Snapshot Read() const { return Snapshot(*this); }

  // Counters that a published record has touched; `visit` for each.
  void EachCounter(const std::function<void(const Counter&)>& visit) const;
  // Every trace of every tenant. Only once nothing is appended any more.
  void EachTrace(
      const std::function<void(std::uint32_t tenant, const Snapshot::Trace&)>& visit) const;

  StoreUsage Usage() const;
  // What it takes of memory; the appending thread's.
  std::size_t used_bytes() const;
  bool is_empty() const { return blocks_.size() == 0; }
  // Of all records, once nothing is appended any more.
  std::shared_ptr<const IdentitySet> identities() const { return identities_; }
  const Earlier& earlier() const { return earlier_; }

 private:
  struct TraceEntry {
    TraceId id;
    std::uint32_t tenant = 0;
    std::uint32_t next = 0;  // In its bucket: index + 1.
    std::atomic<std::uint32_t> spans{0};
    std::atomic<std::uint32_t> lines{0};
    std::atomic<std::uint32_t> exemplars{0};
  };
  // A staged record that Publish will link.
  struct Pending {
    std::uint32_t reference = 0;
    std::uint32_t counter = 0;  // Index + 1.
    bool error = false;
  };

  // Returns how many were new.
  template <typename Record>
  std::uint32_t StageRecords(const std::vector<Record>& records, std::uint32_t tenant,
                             std::uint64_t tenant_mix, RecordWriter& writer);
  // Leaves their count and their record in `block`.
  void StageGauges(const std::vector<GaugePoint>& points, std::uint64_t tenant_mix,
                   RecordWriter& writer, Block& block);
  template <typename Record>
  bool StageRecord(const Record& record, std::uint32_t tenant, std::uint64_t tenant_mix,
                   RecordWriter& writer);
  std::uint32_t CounterOf(std::uint32_t tenant, const Written& written, std::uint32_t kind);
  std::uint64_t HashOf(const Counter& counter) const;
  std::size_t BucketOf(std::uint32_t tenant, TraceId id) const;
  std::uint64_t TenantMix(std::uint32_t tenant) const;
  std::uint64_t HashOf(std::uint32_t tenant, TraceId id) const;
  TraceEntry* FindOrAddTrace(std::uint32_t tenant, TraceId id);
  void Link(const Block& block, const Pending& pending);
  void TellLinked(const std::function<void(std::uint32_t, TraceId)>& linked) const;
  struct Reread;
  // What `batch` has last, of the record that stands there.
  Pending Recount(const Batch& batch, RecordView record, Block& block);
  // False: they are damaged.
  bool ReplayGauges(std::uint32_t reference, std::uint64_t tenant_mix, Block& block);
  void NoteTimes(Block& block) const;
  // False: it was here already, or earlier.
  bool InsertIdentity(std::uint64_t identity);
  bool HasRoomFor(std::size_t record_bytes, std::size_t dictionary_bytes, std::size_t records,
                  std::size_t gauges) const;

  const std::size_t capacity_bytes_;
  const std::uint64_t seed_;

  Region records_;
  Dictionary dictionary_;
  Table<TraceEntry> traces_;
  Table<Block> blocks_;
  Table<Counter> counters_;
  GaugeIndex gauge_index_;
  std::vector<std::atomic<std::uint32_t>> buckets_;  // Index + 1 into traces_.

  // The writer's own.
  std::shared_ptr<IdentitySet> identities_;
  const Earlier earlier_;
  HashTable counter_table_;
  // Traces by all 16 bytes: a sender may put any number of them behind one low half, and so into
  // one bucket.
  HashTable trace_table_;
  std::vector<Pending> pending_;
  std::vector<std::uint64_t> staged_identities_;
  std::vector<Block> staged_blocks_;
  std::vector<std::uint32_t> new_gauges_;  // Of the batch at hand, by index; kept for its memory.
  Dictionary::Mark staged_dictionary_;

  // What readers may see; the records end where the last visible block does.
  std::atomic<std::size_t> visible_blocks_{0};
  std::atomic<std::uint32_t> visible_strings_{0};
  std::atomic<std::size_t> visible_counters_{0};

  // For gauges.
  std::atomic<std::uint64_t> spans_{0};
  std::atomic<std::uint64_t> lines_{0};
  std::atomic<std::uint64_t> exemplars_{0};
  std::atomic<std::uint64_t> gauges_{0};
  std::atomic<std::uint64_t> trace_count_{0};
  std::atomic<std::uint64_t> memory_bytes_{0};
};

}  // namespace throughline::store::sqlite
