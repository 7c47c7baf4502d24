#include "tests/store/sealed_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

#include "correlate/check.h"
#include "store/copy.h"
#include "tests/store/dump.h"
#include "tests/store/new_directory.h"

namespace throughline::store {
namespace {

// A directory draws its seed at random; the tests' random is theirs.
void SetHashSeed(const std::string& directory, std::uint64_t seed) {
  TL_CHECK(SqliteStore::Open({.directory = directory, .hot_bytes = 1U << 20U}).has_value());
  sqlite3* db = nullptr;
  TL_CHECK(sqlite3_open((directory + "/catalog.db").c_str(), &db) == SQLITE_OK);
  const std::string sql =
      "UPDATE setting SET value = " + std::to_string(static_cast<std::int64_t>(seed)) +
      " WHERE name = 'hash_seed'";
  TL_CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

std::uint64_t NumberOf(const std::string& name, const std::string& prefix) {
  if (!name.starts_with(prefix) || !name.ends_with(".db")) return 0;
  return std::stoull(name.substr(prefix.size()));
}

std::uint64_t StoredOf(const Appended& appended) {
  return appended.spans + appended.logs + appended.exemplars + appended.gauges;
}

std::string Counts(const std::vector<Appended>& appended) {
  std::string out;
  for (const Appended& one : appended) {
    out += std::to_string(one.spans) + " " + std::to_string(one.logs) + " " +
           std::to_string(one.exemplars) + " " + std::to_string(one.gauges) + "; ";
  }
  return out;
}

std::string Counts(const std::vector<Appending>& fresh) {
  std::string out;
  for (const Appending& one : fresh) {
    out += std::to_string(one.batch->spans.size()) + " " + std::to_string(one.batch->logs.size()) +
           " " + std::to_string(one.batch->exemplars.size()) + " " +
           std::to_string(one.batch->gauges.size()) + "; ";
  }
  return out;
}

std::shared_ptr<const Batch> Without(segment::Kinds kinds, const Batch& batch) {
  auto left = std::make_shared<Batch>();
  RecordCopier copier(batch, *left);
  const auto copy = [&](const auto& records, segment::Kinds kind) {
    if ((kinds & kind) != 0) return;
    for (const auto& record : records) copier.Copy(record);
  };
  copy(batch.spans, segment::kSpanBit);
  copy(batch.logs, segment::kLineBit);
  copy(batch.exemplars, segment::kExemplarBit);
  copy(batch.gauges, segment::kGaugeBit);
  return left;
}

}  // namespace

SealedWorld::SealedWorld(std::uint64_t seed, SqliteStore::Options options)
    : random_(seed), directory_(NewDirectory()), options_(std::move(options)) {
  options_.directory = directory_ + "/data";
  options_.vfs = disk_.name();
  options_.files = &disk_.files();
  options_.on_rotate = [this] { ++active_; };
  options_.sync_point = [this](std::string_view step) {
    if (on_step) on_step(step);
  };
  options_.hot_tags.chunk_records = 20;  // Small, so that there are some.
  // The model forgets nothing but what is dropped.
  options_.dedup_horizon_ns = UINT64_MAX;
  SetHashSeed(options_.directory, random_.engine()());
  reference_ = std::make_unique<MemoryStore>(MemoryStore::Options{});
}

SealedWorld::~SealedWorld() {
  store_.reset();
  std::filesystem::remove_all(directory_);
}

void SealedWorld::Refused(const Error& error) {
  EXPECT_TRUE(error.code == Errc::kUnavailable || error.code == Errc::kOverloaded) << error.message;
  if (error.code == Errc::kUnavailable) {
    EXPECT_THAT(error.message, testing::HasSubstr(directory_));
  }
}

std::optional<Error> SealedWorld::Open(bool healthy) {
  auto opened = SqliteStore::Open(options_);
  if (!opened) {
    Refused(opened.error());
    EXPECT_FALSE(healthy) << opened.error().message;
    return opened.error();
  }
  store_ = std::move(*opened);
  sample_hash_seed = store_->hash_seed();
  active_ = 0;
  for (const std::string& name : Files()) active_ = std::max(active_, NumberOf(name, "tail-0-"));
  LookAtFiles(healthy);
  known_.clear();
  for (const auto& [tail, epoch] : epochs_) {
    if (epoch.is_dropped) continue;
    for (const Appending& appending : epoch.stored) (void)NewOf(appending, known_);
  }
  return healthy ? Retry() : std::nullopt;
}

std::optional<Error> SealedWorld::Retry(bool healthy) {
  if (!failed_) return std::nullopt;
  auto again = Append(std::vector<Appending>(failed_->group));
  if (!healthy) return again;
  // A part may wait to be sealed, and the next be full.
  if (again && again->code == Errc::kOverloaded) {
    (void)Maintain();
    again = Append(std::vector<Appending>(failed_->group));
  }
  EXPECT_FALSE(again) << again->message;
  return again;
}

std::shared_ptr<const Batch> SealedWorld::NewOf(const Appending& appending,
                                                std::set<Identity>& known) const {
  auto fresh = std::make_shared<Batch>();
  const Batch& batch = *appending.batch;
  RecordCopier copier(batch, *fresh);
  const auto add = [&](const auto& records, int kind) {
    for (const auto& record : records) {
      if (known.emplace(appending.tenant, kind, record.identity).second) copier.Copy(record);
    }
  };
  add(batch.spans, 0);
  add(batch.logs, 1);
  add(batch.exemplars, 2);
  add(batch.gauges, 3);
  return fresh;
}

void SealedWorld::Store(std::uint64_t tail, const std::vector<Appending>& fresh) {
  Epoch& epoch = epochs_[tail];
  for (const Appending& appending : fresh) {
    tenants_.insert(appending.tenant);
    epoch.stored.push_back(appending);
    if (appending.batch->record_count() > 0) {
      epoch.last_arrival_unix_ns = std::max(epoch.last_arrival_unix_ns, appending.arrival_unix_ns);
    }
    TL_CHECK(reference_->Append({&appending, 1}).has_value());
  }
}

std::optional<Error> SealedWorld::Append(std::vector<Appending> group) {
  std::set<Identity> known = known_;
  std::vector<Appending> fresh;
  for (const Appending& appending : group) {
    fresh.push_back({.tenant = appending.tenant,
                     .batch = NewOf(appending, known),
                     .arrival_unix_ns = appending.arrival_unix_ns});
  }
  const auto appended = store_->Append(group);
  if (!appended) {
    Refused(appended.error());
    // Of the others it is known that they are stored.
    const bool is_again = failed_ && failed_->group.front().batch == group.front().batch;
    failed_ = {.group = is_again ? std::move(group) : std::move(fresh), .tail = active_};
    return appended.error();
  }
  std::uint64_t tail = active_;
  if (Counts(*appended) != Counts(fresh)) {
    // The commit that was said to fail was there after all, and whole.
    const bool all_known = std::all_of(appended->begin(), appended->end(),
                                       [](const Appended& one) { return StoredOf(one) == 0; });
    const bool was_failed = failed_ && failed_->group.front().batch == group.front().batch;
    EXPECT_TRUE(all_known && was_failed)
        << "stored " << Counts(*appended) << "expected " << Counts(fresh);
    if (failed_) tail = failed_->tail;
  }
  failed_.reset();
  known_ = std::move(known);
  Store(tail, fresh);
  return std::nullopt;
}

std::optional<Error> SealedWorld::Rotate() {
  const auto rotated = store_->Rotate();
  if (rotated) return std::nullopt;
  Refused(rotated.error());
  return rotated.error();
}

std::optional<Error> SealedWorld::Age() {
  const auto aged = store_->Age(now_unix_ns);
  if (aged) return std::nullopt;
  Refused(aged.error());
  return aged.error();
}

std::optional<Error> SealedWorld::Maintain(bool healthy) {
  const auto maintained = store_->Maintain(now_unix_ns);
  if (!healthy) maintained_unwell_ = true;
  if (!maintained) {
    Refused(maintained.error());
    EXPECT_FALSE(healthy) << maintained.error().message;
    return maintained.error();
  }
  LookAtFiles(healthy);
  if (healthy) LookAtRetention();
  return std::nullopt;
}

namespace {

constexpr segment::Kinds kAllKinds[] = {segment::kSpanBit, segment::kLineBit, segment::kExemplarBit,
                                        segment::kGaugeBit};

}  // namespace

segment::Kinds SealedWorld::KindsOf(const Epoch& epoch) {
  segment::Kinds kinds = 0;
  for (const Appending& appending : epoch.stored) {
    if (!appending.batch->spans.empty()) kinds |= segment::kSpanBit;
    if (!appending.batch->logs.empty()) kinds |= segment::kLineBit;
    if (!appending.batch->exemplars.empty()) kinds |= segment::kExemplarBit;
    if (!appending.batch->gauges.empty()) kinds |= segment::kGaugeBit;
  }
  return kinds;
}

bool SealedWorld::HasAges() const {
  const SqliteStore::Ages& ages = options_.retention_of;
  return (ages.spans_ns | ages.logs_ns | ages.exemplars_ns | ages.gauges_ns) != 0;
}

std::uint64_t SealedWorld::KeptUntil(const Epoch& epoch, segment::Kinds kind) const {
  const SqliteStore::Ages& ages = options_.retention_of;
  const std::uint64_t own = kind == segment::kSpanBit       ? ages.spans_ns
                            : kind == segment::kLineBit     ? ages.logs_ns
                            : kind == segment::kExemplarBit ? ages.exemplars_ns
                                                            : ages.gauges_ns;
  const std::uint64_t age = own != 0 ? own : options_.retention_ns;
  return age == 0 ? UINT64_MAX : epoch.last_arrival_unix_ns + age;
}

bool SealedWorld::LookAtExpired() {
  bool more = false;
  for (const segment::SegmentInfo& info : store_->Segments()) {
    for (auto& [tail, epoch] : epochs_) {
      if (epoch.segment != info.id || epoch.expired == info.expired) continue;
      EXPECT_EQ(epoch.expired & ~info.expired, 0u) << "it came back, of tail " << tail;
      for (const segment::Kinds kind : kAllKinds) {
        if ((info.expired & ~epoch.expired & kind) == 0 || maintained_unwell_) continue;
        EXPECT_GT(now_unix_ns, KeptUntil(epoch, kind)) << tail;
      }
      epoch.expired = info.expired;
      more = true;
    }
  }
  return more;
}

void SealedWorld::LookAtRetention() {
  std::uint64_t bytes = 0;
  for (const auto& [tail, epoch] : epochs_) {
    if (epoch.segment == 0 || epoch.is_dropped) continue;
    bytes += std::filesystem::file_size(options_.directory + "/seg-0-" +
                                        std::to_string(epoch.segment) + ".db");
    for (const segment::Kinds kind : kAllKinds) {
      if ((KindsOf(epoch) & ~epoch.expired & kind) == 0) continue;
      EXPECT_LE(now_unix_ns, KeptUntil(epoch, kind)) << tail;
    }
  }
  if (options_.disk_bytes != 0) {
    EXPECT_LE(bytes, options_.disk_bytes);
  }
}

std::vector<std::string> SealedWorld::Files() const {
  return sqlite::SystemFiles().List(options_.directory).value();
}

std::size_t SealedWorld::segment_count() const {
  return static_cast<std::size_t>(std::count_if(
      epochs_.begin(), epochs_.end(),
      [](const auto& entry) { return entry.second.segment != 0 && !entry.second.is_dropped; }));
}

std::size_t SealedWorld::dropped_count() const {
  return static_cast<std::size_t>(std::count_if(
      epochs_.begin(), epochs_.end(), [](const auto& entry) { return entry.second.is_dropped; }));
}

void SealedWorld::LookAtFiles(bool was_healthy) {
  if (!was_healthy) return;
  std::set<std::uint64_t> tails;
  std::set<std::uint64_t> segments;
  for (const std::string& name : Files()) {
    if (const auto tail = NumberOf(name, "tail-0-")) tails.insert(tail);
    if (const auto segment = NumberOf(name, "seg-0-")) segments.insert(segment);
  }
  // The next tail may be there before it takes over.
  EXPECT_LE(tails.size(), 3u);
  for (const segment::SegmentInfo& info : store_->Segments()) {
    if (epochs_.contains(info.tail)) epochs_[info.tail].segment = info.id;
  }
  std::set<std::uint64_t> fresh = segments;
  for (const auto& [tail, epoch] : epochs_) fresh.erase(epoch.segment);
  bool dropped = false;
  // The newest last: what is sealed and dropped at once is the oldest.
  for (auto entry = epochs_.rbegin(); entry != epochs_.rend(); ++entry) {
    auto& [tail, epoch] = *entry;
    if (epoch.is_dropped || tails.contains(tail)) continue;
    if (epoch.segment == 0 && !fresh.empty()) {
      epoch.segment = *fresh.rbegin();
      fresh.erase(std::prev(fresh.end()));
    }
    if (segments.contains(epoch.segment)) continue;
    // Under a bound of bytes only the order is checked: by arrival, which rises with tails.
    if (options_.disk_bytes == 0 && !maintained_unwell_) {
      for (const segment::Kinds kind : kAllKinds) {
        if ((KindsOf(epoch) & ~epoch.expired & kind) == 0) continue;
        EXPECT_GT(now_unix_ns, KeptUntil(epoch, kind)) << tail;
      }
    }
    for (const auto& [other, older] : epochs_) {
      if (HasAges()) break;  // Which of two goes first is a matter of what they hold.
      EXPECT_TRUE(other >= tail || older.is_dropped || !segments.contains(older.segment)) << tail;
    }
    epoch.is_dropped = true;
    epoch.is_remembered = !maintained_unwell_;
    epoch.dropped_unix_ns = now_unix_ns;
    dropped = true;
  }
  EXPECT_TRUE(fresh.empty()) << "a segment of no tail: " << *fresh.begin();
  const bool expired = LookAtExpired();
  if (dropped || expired) Rebuild();
  maintained_unwell_ = false;
  for (const std::string& name : Files()) {
    bool is_known = name == "LOCK" || name.starts_with("catalog.db");
    for (const std::uint64_t tail : tails) {
      const bool is_live = tail == active_ || tail == active_ + 1 ||
                           (epochs_.contains(tail) && !epochs_[tail].is_dropped);
      is_known =
          is_known || (is_live && name.starts_with("tail-0-" + std::to_string(tail) + ".db"));
    }
    for (const std::uint64_t segment : segments) {
      is_known = is_known || name == "seg-0-" + std::to_string(segment) + ".db" ||
                 name == "seen-0-" + std::to_string(segment) + ".db";
    }
    EXPECT_TRUE(is_known) << "nobody needs " << name;
  }
}

void SealedWorld::Rebuild() {
  reference_ = std::make_unique<MemoryStore>(MemoryStore::Options{});
  for (const std::string& tenant : tenants_) {
    const Appending none{.tenant = tenant, .batch = std::make_shared<Batch>()};
    TL_CHECK(reference_->Append({&none, 1}).has_value());
  }
  for (const auto& [tail, epoch] : epochs_) {
    if (epoch.is_dropped) continue;
    for (Appending appending : epoch.stored) {
      if (epoch.expired != 0) appending.batch = Without(epoch.expired, *appending.batch);
      TL_CHECK(reference_->Append({&appending, 1}).has_value());
    }
  }
}

std::vector<Appending> SealedWorld::GroupOf(std::shared_ptr<const Batch> batch,
                                            std::string tenant) {
  return {
      {.tenant = std::move(tenant), .batch = std::move(batch), .arrival_unix_ns = now_unix_ns++}};
}

std::vector<Appending> SealedWorld::RandomGroup() {
  if (requests_of_ != generation_) requests_.clear();
  requests_of_ = generation_;
  std::vector<Appending> group;
  for (std::uint64_t i = random_.Below(3) + 1; i > 0; --i) {
    if (!requests_.empty() && random_.OneIn(5)) {
      Appending again = requests_[random_.Below(requests_.size())];
      again.arrival_unix_ns = now_unix_ns++;
      group.push_back(std::move(again));
    } else {
      const auto batch = RandomBatch(random_, generation_);
      group.push_back(GroupOf(batch, random_.OneIn(4) ? "other" : "default").front());
      requests_.push_back(group.back());
    }
  }
  return group;
}

void SealedWorld::Check(int rounds) {
  const Asked asked{.rounds = rounds, .page_factor = 30, .traces = false, .in_expired = false};
  Random questions(random_.engine()());
  EXPECT_EQ(Difference(Answers(questions, *store_, asked), Answers(questions, *reference_, asked)),
            "");
}

void SealedWorld::CheckWhatIsComplete() {
  for (int i = 0; i < 6; ++i) {
    const Scope scope = AsTenant(random_.OneIn(4) ? "other" : "default");
    const TraceId id = random_.Trace();
    auto trace = store_->FindTrace(scope, id, {});
    if (!trace) {
      Refused(trace.error());
    } else if (trace->complete) {
      trace->evidence.in_expired = false;
      EXPECT_EQ(Difference(Dump(*trace), Dump(*reference_->FindTrace(scope, id, {}))), "");
    }
    LogQuery lines = RandomLogQuery(random_);
    lines.limit = 1000;
    const auto found = store_->FindLogs(scope, lines);
    if (!found) {
      Refused(found.error());
    } else if (found->complete) {
      EXPECT_EQ(Difference(Dump(*found), Dump(*reference_->FindLogs(scope, lines))), "");
    }
    TraceQuery traces = RandomTraceQuery(random_);
    traces.limit = 1000;
    const auto page = store_->FindTraces(scope, traces);
    if (!page) {
      Refused(page.error());
    } else if (page->complete) {
      EXPECT_EQ(Difference(Dump(*page), Dump(*reference_->FindTraces(scope, traces))), "");
    }
    ExemplarQuery exemplars = RandomExemplarQuery(random_);
    exemplars.limit = 1000;
    const auto taken = store_->FindExemplars(scope, exemplars);
    if (!taken) {
      Refused(taken.error());
    } else if (taken->complete) {
      EXPECT_EQ(Difference(Dump(*taken), Dump(*reference_->FindExemplars(scope, exemplars))), "");
    }
    GaugeQuery gauges = RandomGaugeQuery(random_);
    gauges.limit = 1000;
    const auto points = store_->FindGauges(scope, gauges);
    const auto expected = reference_->FindGauges(scope, gauges);
    ASSERT_EQ(points.has_value(), expected.has_value());
    if (points && points->complete) {
      EXPECT_EQ(Difference(Dump(*points), Dump(*expected)), "");
    }
  }
}

void SealedWorld::CheckExpired() {
  for (const auto& [tail, epoch] : epochs_) {
    const bool is_dropped = epoch.is_dropped && epoch.is_remembered &&
                            now_unix_ns - epoch.dropped_unix_ns <= options_.expired_ns;
    const bool is_expired = !epoch.is_dropped && (epoch.expired & segment::kSpanBit) != 0;
    if (!is_dropped && !is_expired) continue;
    for (const Appending& appending : epoch.stored) {
      for (const Span& span : appending.batch->spans) {
        const auto found = store_->FindTrace(AsTenant(appending.tenant), span.trace_id, {});
        ASSERT_TRUE(found);
        if (found->matches.size() > 1) continue;
        EXPECT_TRUE(found->evidence.span_count > 0 || found->evidence.in_expired)
            << ToHex(span.trace_id);
      }
    }
  }
}

}  // namespace throughline::store
