// Segments that cannot be read, for good or for now: what does not need them is unaffected, and
// what does says that it is incomplete.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "store/sqlite/page_check.h"
#include "tests/store/sealed_world.h"

namespace throughline::store {
namespace {

SqliteStore::Options Quiet() {
  SqliteStore::Options options;
  options.hot_bytes = 4U << 20U;
  options.full_durability = true;
  return options;
}

void AppendSome(SealedWorld& world) {
  for (int i = 0; i < 2; ++i) ASSERT_FALSE(world.Append(world.RandomGroup()));
}

void Seal(SealedWorld& world) {
  ASSERT_FALSE(world.Rotate());
  ASSERT_FALSE(world.Maintain());
}

struct Damage {
  const char* name;
  std::function<void(const std::string& path)> make;
};

void Overwrite(const std::string& path, std::uint64_t offset, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file << bytes;
}

const std::vector<Damage>& Damages() {
  static const std::vector<Damage> damages = {
      {"missing", [](const std::string& path) { std::filesystem::remove(path); }},
      {"empty", [](const std::string& path) { std::filesystem::resize_file(path, 0); }},
      {"half",
       [](const std::string& path) {
         std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
       }},
      {"without its last page",
       [](const std::string& path) {
         std::filesystem::resize_file(path, std::filesystem::file_size(path) - 4096);
       }},
      {"another kind of file", [](const std::string& path) { Overwrite(path, 68, "abcd"); }},
      // user_version
      {"of a newer format",
       [](const std::string& path) { Overwrite(path, 60, std::string("\0\0\0\x63", 4)); }},
      {"no database", [](const std::string& path) { Overwrite(path, 0, std::string(4096, 'x')); }},
      {"zeros behind the first page",
       [](const std::string& path) {
         Overwrite(path, 4096, std::string(std::filesystem::file_size(path) - 4096, '\0'));
       }},
  };
  return damages;
}

// Three segments, of which the second is damaged, and a hot part.
class DamagedSegment {
 public:
  DamagedSegment() : world_(11, Quiet()) {
    EXPECT_FALSE(world_.Open());
    for (std::uint64_t part = 1; part <= 4; ++part) {
      Sample sample;
      sample.From({{"service.name", "of part " + std::to_string(part)}});
      for (std::uint64_t i = 0; i < 400; ++i) {
        sample.Add(SampleSpan{.trace = {part, i + 1},
                              .span = {i + 1},
                              .attributes = {{"n", std::to_string(i * 7919)}}});
        sample.Add(SampleSpan{.trace = {9, i + 1}, .span = {1000 * part + i}});
        sample.Add(SampleLine{.trace = {part, i + 1}, .body = std::to_string(i * 104'729)});
        sample.Add(SampleExemplar{.trace = {part, i + 1}, .value = static_cast<double>(i)});
        sample.Add(SampleGauge{.time = kNow + i * 10 * kSecond,
                               .metric = "of.part." + std::to_string(part)});
      }
      EXPECT_FALSE(world_.Append(world_.GroupOf(sample.Finish(), "default")));
      if (part < 4) Seal(world_);
    }
    world_.Close();
  }
  SealedWorld& world() { return world_; }
  std::string path() const { return world_.data() + "/seg-0-2.db"; }

  // Each part's own records, and what all have of one trace.
  void Check() {
    const SqliteStore& store = world_.store();
    const Scope scope = AsTenant("default");
    for (std::uint64_t part = 1; part <= 4; ++part) {
      for (const std::uint64_t i : {1U, 200U, 400U}) {
        const TraceId id{.high = part, .low = i};
        const auto found = store.FindTrace(scope, id, {});
        ASSERT_TRUE(found) << found.error().message;
        if (part != 2) {
          EXPECT_EQ(found->records.spans.size(), 1u);
          EXPECT_EQ(found->records.logs.size(), 1u);
          EXPECT_EQ(found->records.exemplars.size(), 1u);
        } else if (found->records.record_count() < 3) {
          EXPECT_FALSE(found->complete);
        }
        if (!found->complete) {
          EXPECT_EQ(found->incomplete_reason, "damaged");
        }
      }
      LogQuery lines;
      lines.service = "of part " + std::to_string(part);
      lines.limit = 1000;
      const auto found = store.FindLogs(scope, lines);
      ASSERT_TRUE(found);
      if (part != 2) {
        EXPECT_EQ(found->records.logs.size(), 400u);
      }
      if (part == 2 && found->complete) {
        EXPECT_EQ(found->records.logs.size(), 400u);
      }
      GaugeQuery gauges;
      gauges.metric = "of.part." + std::to_string(part);
      gauges.limit = 1000;
      const auto points = store.FindGauges(scope, gauges);
      ASSERT_TRUE(points);
      if (part != 2 || points->complete) {
        EXPECT_EQ(points->records.gauges.size(), 400u);
      }
    }
    const auto all = store.FindTrace(scope, {.high = 9, .low = 7}, {});
    ASSERT_TRUE(all);
    EXPECT_EQ(all->records.spans.size(), all->complete ? 4u : 3u);
    const auto services = store.Services(scope);
    ASSERT_TRUE(services);
    EXPECT_GE(services->size(), 3u);
    for (const ServiceInfo& info : *services) {
      EXPECT_EQ(info.span_count, 800u);
      const auto operations = store.Operations(scope, info.service);
      ASSERT_TRUE(operations);
      if (info.service != "of part 2") {
        EXPECT_EQ(operations->size(), 1u);
      }
    }
    // As the catalog has it.
    EXPECT_EQ(store.Usage().spans, 3200u);
    TraceQuery traces;
    traces.service = "of part 3";
    traces.limit = 1000;
    const auto page = store.FindTraces(scope, traces);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->items.size(), 800u);
  }

 private:
  SealedWorld world_;
};

TEST(SealingDamage, OtherSegmentsAnswer) {
  for (const Damage& damage : Damages()) {
    SCOPED_TRACE(damage.name);
    DamagedSegment damaged;
    SealedWorld& world = damaged.world();
    damage.make(damaged.path());
    // Not healthy: a segment that is missing looks like one that retention took.
    ASSERT_FALSE(world.Open(false));
    damaged.Check();
    const auto found = world.store().FindTrace(AsTenant("default"), {.high = 2, .low = 200}, {});
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->complete);
    EXPECT_EQ(found->incomplete_reason, "damaged");
    // It goes when it is due.
    world.Close();
    SqliteStore::Options& options = world.options();
    options.retention_ns = kHour;
    world.now_unix_ns += 2 * kHour;
    ASSERT_FALSE(world.Open(false));
    ASSERT_FALSE(world.Maintain());
    EXPECT_FALSE(std::filesystem::exists(damaged.path()));
    EXPECT_EQ(world.dropped_count(), 3u);
    EXPECT_EQ(world.store().Usage().spans, 800u);
    if (HasFailure()) return;
  }
}

// Of a page that went bad only those answers suffer that need it.
TEST(SealingDamage, AnyPageThatIsGone) {
  const DamagedSegment sizes;
  const std::uint64_t pages = std::filesystem::file_size(sizes.path()) / 4096;
  ASSERT_GT(pages, 10u);
  for (std::uint64_t page = 0; page < pages; ++page) {
    SCOPED_TRACE(page);
    DamagedSegment damaged;
    Overwrite(damaged.path(), page * 4096, std::string(4096, '\xff'));
    ASSERT_FALSE(damaged.world().Open());
    damaged.Check();
    if (HasFailure()) return;
  }
}

// Whatever bit of a segment a disk turns: an answer is right, or says that it is damaged.
TEST(SealingDamage, AnyBitThatIsTurned) {
  SealedWorld world(21, Quiet());
  ASSERT_FALSE(world.Open());
  for (int part = 0; part < 3; ++part) {
    for (int i = 0; i < 8; ++i) ASSERT_FALSE(world.Append(world.RandomGroup()));
    Seal(world);
  }
  const std::string path = world.data() + "/seg-0-2.db";
  const std::uint64_t bytes = std::filesystem::file_size(path);
  for (int round = 0; round < 200; ++round) {
    // Each page several times.
    const std::uint64_t pages = bytes / sqlite::kCheckedPageBytes;
    const std::uint64_t offset = static_cast<std::uint64_t>(round) % pages * 4096 +
                                 world.random().Below(sqlite::kCheckedPageBytes);
    const auto mask = static_cast<std::uint8_t>(1U << world.random().Below(8));
    SCOPED_TRACE(std::to_string(offset) + ", mask " + std::to_string(mask));
    world.Close();
    world.disk().Heal();
    ASSERT_FALSE(world.Open());
    world.disk().FlipOnRead("seg-0-2.db", offset, mask);
    world.CheckWhatIsComplete();
    if (HasFailure()) return;
  }
}

TEST(SealingDamage, EveryBitOfAPageCounts) {
  Random random(5);
  std::string page(sqlite::kCheckedPageBytes, '\0');
  for (char& byte : page) byte = random.OneIn(2) ? '\0' : static_cast<char>(random.Below(256));
  constexpr std::uint64_t kOffset = 7 * sqlite::kCheckedPageBytes;
  sqlite::StampPage(page.data(), kOffset);
  ASSERT_TRUE(sqlite::IsPageWhole(page.data(), kOffset));
  EXPECT_FALSE(sqlite::IsPageWhole(page.data(), kOffset + sqlite::kCheckedPageBytes));
  for (std::size_t bit = 0; bit < 8 * page.size(); ++bit) {
    page[bit / 8] = static_cast<char>(page[bit / 8] ^ (1 << bit % 8));
    ASSERT_FALSE(sqlite::IsPageWhole(page.data(), kOffset)) << bit;
    page[bit / 8] = static_cast<char>(page[bit / 8] ^ (1 << bit % 8));
  }
  // Zeros are no page: a hole in a file is found.
  page.assign(page.size(), '\0');
  EXPECT_FALSE(sqlite::IsPageWhole(page.data(), kOffset));
}

// What came before stays readable, whatever sealing meets; what cannot be read now says so.
TEST(SealingDamage, OfADiskThatFailsForNow) {
  for (int operation = 0; operation <= static_cast<int>(kLastOperation); ++operation) {
    for (std::uint64_t first = 1; first < 40; first += 3) {
      const Fault fault{
          .operation = static_cast<Operation>(operation), .first = first, .count = kForGood};
      SCOPED_TRACE(std::string(OperationName(*fault.operation)) + " " + std::to_string(first));
      SqliteStore::Options options = Quiet();
      options.pool.open_files = 1;
      options.pool.row_bytes = 0;
      SealedWorld world(100 + first, options);
      ASSERT_FALSE(world.Open());
      for (int i = 0; i < 2; ++i) {
        AppendSome(world);
        Seal(world);
      }
      AppendSome(world);
      ASSERT_FALSE(world.Rotate());
      world.disk().Fail(fault);
      world.CheckWhatIsComplete();
      (void)world.Maintain(false);
      world.CheckWhatIsComplete();
      (void)world.Maintain(false);
      world.disk().Heal();
      world.Check(2);
      ASSERT_FALSE(world.Maintain());
      world.Check(2);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace throughline::store
