// The durable store: a hot part that takes what comes, and sealed segments that it becomes.
//
// A hot part is a memtable in front of a tail file. Append conses each batch into the memtable,
// appends one tail row a request, commits all of them in one transaction, and only then lets
// readers see them. At `seal_bytes`, or at `seal_age` (Age), a new hot part takes over, and
// Maintain writes the old one as a segment (segment/format.md), catalogues it, and removes its
// tail. Only one part waits to be sealed: while it does and the next is full, Append waits
// `seal_wait`, then refuses.
//
// Lookups work on the parts as they were when the lookup began. Open replays the tails.
//
// Threads: Append's, which is Age's too, one; Maintain's, one; lookups on any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "correlate/store.h"
#include "store/revisions.h"
#include "store/segment/segment.h"
#include "store/sqlite/catalog.h"
#include "store/sqlite/counts.h"
#include "store/sqlite/files.h"
#include "store/sqlite/hot_tags.h"
#include "store/sqlite/memtable.h"
#include "store/sqlite/record_scan.h"
#include "store/sqlite/region_pool.h"
#include "store/sqlite/search.h"
#include "store/sqlite/tail.h"
#include "store/sqlite/trace_scan.h"
#include "store/walk.h"
#include "store/watch_list.h"

namespace throughline::store {

class SqliteStore final : public Store, public Walkable {
 public:
  // How long kinds of records are kept; 0: as all others.
  struct Ages {
    std::uint64_t spans_ns = 0;
    std::uint64_t logs_ns = 0;
    std::uint64_t exemplars_ns = 0;
    std::uint64_t gauges_ns = 0;
  };
  struct Options {
    std::string directory;
    std::uint64_t hot_bytes = 1ULL << 30U;  // Of memory of a hot part; at most 4 GiB.
    // A part that takes so much memory is sealed; 0: never, and a full one refuses.
    std::uint64_t seal_bytes = 0;
    // So is one whose first record came so long ago, or longer ago than it is kept; 0: any age.
    std::uint64_t seal_age_ns = 0;
    std::chrono::milliseconds seal_wait{5000};
    bool seal_in_append = false;   // Append seals itself; nobody need call Maintain for it.
    bool full_durability = false;  // Commits survive power loss, not only kill -9.
    std::size_t tenants = 1000;
    std::size_t watches = 1000;
    // Equal records within this long are one, as far as `dedup_bytes` of identities reach back.
    std::uint64_t dedup_horizon_ns = 900'000'000'000;
    std::size_t dedup_bytes = 32U << 20U;
    // Retention, by the latest arrival in a segment, and, in whole segments, by the bytes of all;
    // 0: no bound.
    std::uint64_t retention_ns = 0;
    Ages retention_of = {};
    // Of segments that one Maintain writes again, without what expired; one more than fits.
    std::uint64_t rewrite_bytes = 64U << 20U;
    std::uint64_t disk_bytes = 0;
    // The ids of what retention took are remembered so long, within so many bytes.
    std::uint64_t expired_ns = 30ULL * 24 * 3600 * 1'000'000'000;
    std::size_t expired_bytes = 32U << 20U;
    segment::SegmentPool::Limits pool = {};
    sqlite::HotTags::Limits hot_tags = {};
    // What the store stands on; for tests that break it. Empty, null: the system's.
    std::string vfs = {};
    sqlite::Files* files = nullptr;
    // Called when a part waits to be sealed, by the appending thread. Null: nobody asks.
    std::function<void()> on_rotate = {};
    // Called at each step that a crash must leave whole. For tests.
    std::function<void(std::string_view step)> sync_point = {};
  };

  static Result<std::unique_ptr<SqliteStore>> Open(Options options);

  Result<std::vector<Appended>> Append(std::span<const Appending> appendings) override;
  Result<void> Age(std::uint64_t now_unix_ns) override;
  Result<TraceRecords> FindTrace(const Scope& scope, TraceId id,
                                 const FindOptions& options) const override;
  Result<std::vector<TraceSummary>> Summarize(const Scope& scope, TraceId id) const override;
  Result<Page<TraceSummary>> FindTraces(const Scope& scope, const TraceQuery& query) const override;
  Result<RecordPage> FindLogs(const Scope& scope, const LogQuery& query) const override;
  Result<RecordPage> FindExemplars(const Scope& scope, const ExemplarQuery& query) const override;
  Result<RecordPage> FindGauges(const Scope& scope, const GaugeQuery& query) const override;
  Result<Visited> Visit(const Scope& scope, const VisitQuery& query,
                        const std::function<bool(const Batch&)>& visit) const override;
  std::uint64_t Revision(const TimeRange& range) const override { return revisions_.Of(range); }
  Result<std::vector<ServiceInfo>> Services(const Scope& scope) const override;
  Result<std::vector<OperationInfo>> Operations(const Scope& scope,
                                                std::string_view service) const override;
  Result<std::unique_ptr<WatchHandle>> Watch(const Scope& scope, TraceId id,
                                             std::function<void()> callback) override;
  // Seals the part that waits, then takes what retention says. Of a segment that holds kinds of
  // records that stay, those that expired are in no answer from then on; their bytes are given back
  // by and by, where it is worth it.
  Result<void> Maintain(std::uint64_t now_unix_ns) override;
  StoreUsage Usage() const override;
  std::uint64_t hash_seed() const override { return hash_seed_; }

  // Segments by number, each block by block; then what is hot, whose places are good until it is
  // sealed: who may have to go on later seals first (SealAll).
  Result<void> Walk(
      const Scope& scope, const WalkQuery& query,
      const std::function<bool(const Batch& batch, WalkPlace place)>& visit) const override;
  std::vector<std::string> Tenants() const override;
  std::uint64_t WalkSize(const Scope& scope) const override;
  // The same, pulled: of one kind, by what the filter leaves, and as it was when this was called.
  std::unique_ptr<sqlite::RecordScan> Scan(const Scope& scope,
                                           const sqlite::ScanFilter& filter) const;
  std::unique_ptr<sqlite::TraceScan> ScanTraces(const Scope& scope,
                                                const sqlite::ScanFilter& filter) const;
  // Seals all that is hot; the appending thread's, while nobody else maintains.
  Result<void> SealAll(std::uint64_t now_unix_ns);

  // What is known of the sealed segments, by tail.
  std::vector<segment::SegmentInfo> Segments() const;

  // The part that is hot now is sealed by the next Maintain; the appending thread's. False: one
  // waits already, or nothing is hot.
  Result<bool> Rotate();

  // The last tail that has any of what is stored now; the appending thread's.
  std::uint64_t LastTail() const;
  // All tails up to it are segments.
  bool IsSealed(std::uint64_t tail) const;
  // Makes DIR/snapshot anew: links to all segments, and a catalog of exactly them. Takes no room
  // for records, but keeps what retention drops until RemoveSnapshot. Both Maintain's thread's.
  Result<void> WriteSnapshot(std::uint64_t id, std::uint64_t now_unix_ns);
  Result<void> RemoveSnapshot();

 private:
  struct HotPart;
  // All that lookups look at. Replaced as a whole.
  struct Parts {
    std::shared_ptr<HotPart> active;
    std::shared_ptr<HotPart> sealing;                             // Null: none waits.
    std::vector<std::shared_ptr<const segment::Segment>> sealed;  // By tail.
    std::vector<std::shared_ptr<const sqlite::Expired>> expired;
  };

  SqliteStore(Options options, std::unique_ptr<sqlite::Catalog> catalog);

  Result<void> OpenParts();
  // Removes what nobody needs, and says which segments left their identities.
  void LoadSeen(const std::vector<std::uint64_t>& files, sqlite::Memtable::Earlier& earlier) const;
  // Of the segments whose identities are kept, the newest first.
  std::vector<std::uint64_t> RememberedSegments(const Parts& parts) const;
  Result<std::shared_ptr<HotPart>> OpenHot(std::uint64_t number, sqlite::Memtable::Earlier earlier);
  Result<void> Replay(HotPart& part);
  std::shared_ptr<const Parts> parts() const;
  void SetParts(Parts parts);
  sqlite::View ViewOf(const Scope& scope) const;

  Result<void> MakeRoom(std::span<const Appending> appendings);
  // The first record of the part came longer ago than it may stay hot.
  bool IsOld(const HotPart& part, std::uint64_t now_unix_ns) const;
  sqlite::Memtable::Earlier EarlierFor(const HotPart& old) const;
  Result<void> Seal(const Parts& now);
  // Writes the part under the segment's name; durable but for the name.
  Result<segment::SegmentInfo> WriteSegment(const HotPart& part);
  Result<void> Retain(std::uint64_t now_unix_ns);
  // UINT64_MAX: for good.
  std::uint64_t AgeOf(sqlite::RecordKind kind) const;
  std::uint64_t ShortestAge() const;
  // The kinds of a segment's records that are due to expire.
  segment::Kinds DueKinds(const segment::SegmentInfo& info, std::uint64_t now_unix_ns) const;
  Result<void> Expire(const std::shared_ptr<const segment::Segment>& segment, segment::Kinds kinds);
  Result<void> RemoveExpiredKinds();
  // Writes a segment again without what expired, under a name of its own.
  Result<void> WriteWithoutExpired(const segment::SegmentInfo& from);
  // Puts it into the place of the other.
  Result<void> RemoveExpired(const std::shared_ptr<const segment::Segment>& segment);
  void Replace(const std::shared_ptr<const segment::Segment>& segment,
               const std::shared_ptr<const segment::Segment>& by);
  Result<void> Drop(const std::shared_ptr<const segment::Segment>& segment,
                    std::uint64_t now_unix_ns);
  Result<void> TrimExpired(std::uint64_t now_unix_ns);
  void At(std::string_view step) const {
    if (options_.sync_point) options_.sync_point(step);
  }
  const char* vfs() const { return options_.vfs.empty() ? nullptr : options_.vfs.c_str(); }
  sqlite::Files& files() const {
    return options_.files == nullptr ? sqlite::SystemFiles() : *options_.files;
  }
  // A tail with what SQLite keeps beside it.
  Result<void> RemoveTail(const std::string& path) const;
  // Removes what was left over; what cannot be removed now, the next call tries again.
  Result<void> RemoveLeftovers();
  std::string PathOf(const std::string& file) const { return options_.directory + '/' + file; }

  // True: a segment that retention took held such a trace; rarely, one that had its hash.
  bool MayHaveExpired(std::uint32_t tenant, TraceId id) const;
  // What services and operations are counted from.
  sqlite::Counts CountsOf(const Scope& scope) const;

  // The number of a tenant; 0: nothing of it is stored.
  std::uint32_t TenantNumber(const std::string& name) const;
  Result<std::uint32_t> TenantNumberOrNew(const std::string& name);
  Result<std::vector<Appended>> StageAndCommit(sqlite::Memtable& memtable, sqlite::Tail& tail,
                                               std::span<const Appending> appendings);

  const Options options_;
  const std::unique_ptr<sqlite::Catalog> catalog_;
  const std::uint64_t hash_seed_;
  const std::shared_ptr<segment::SegmentPool> pool_;
  const std::shared_ptr<sqlite::RegionPool> regions_;  // Of the memtables.
  WatchList watches_;
  Revisions revisions_;

  mutable std::mutex parts_mutex_;
  std::condition_variable sealed_;      // A part was sealed.
  std::shared_ptr<const Parts> parts_;  // Guarded by parts_mutex_.
  std::uint64_t next_tail_ = 1;         // The appending thread's.
  std::uint64_t next_segment_ = 1;      // Maintain's, as the next five.
  // What waits was written under its name, and is not catalogued yet.
  std::optional<segment::SegmentInfo> written_;
  std::vector<std::string> leftovers_;  // Paths of files that nobody needs any more.
  std::vector<std::uint64_t> damaged_;  // Segments that could not be written again.
  // One that was, under its name, and is not catalogued yet.
  struct Replacement {
    std::uint64_t from = 0;
    segment::SegmentInfo info;
  };
  std::optional<Replacement> replacement_;

  mutable std::shared_mutex tenants_mutex_;
  std::unordered_map<std::string, std::uint32_t> tenants_;  // Guarded by tenants_mutex_.
  std::vector<std::string> tenant_names_;  // The appending thread's; by number - 1.
};

}  // namespace throughline::store
