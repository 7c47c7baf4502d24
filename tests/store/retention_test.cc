// What retention drops, whole segments at a time, and what is remembered of it.
#include <gtest/gtest.h>

#include <string>

#include "tests/store/sealed_world.h"

namespace throughline::store {
namespace {

SqliteStore::Options Options() {
  SqliteStore::Options options;
  options.hot_bytes = 4U << 20U;
  return options;
}

class RetentionTest : public testing::Test {
 protected:
  // A segment with traces {part, 1…5}, which arrived now.
  void SealOne(SealedWorld& world) {
    Sample sample;
    sample.From({{"service.name", "pay"}});
    for (std::uint64_t i = 1; i <= 5; ++i) {
      sample.Add(SampleSpan{.trace = {1, Low(parts_ + 1, i)}, .span = {i}});
    }
    ++parts_;
    ASSERT_FALSE(world.Append(world.GroupOf(sample.Finish(), "default")));
    ASSERT_FALSE(world.Rotate());
    ASSERT_FALSE(world.Maintain());
  }
  void Reopen(SealedWorld& world) {
    world.Close();
    ASSERT_FALSE(world.Open());
  }
  static std::uint64_t Low(std::uint64_t part, std::uint64_t i) { return part * 1000 + i; }
  static TraceRecords Find(SealedWorld& world, std::uint64_t part) {
    return world.store().FindTrace(AsTenant("default"), {1, Low(part, 3)}, {}).value();
  }
  // Of each part from the first: s, its spans are there; e, it says that they expired; -, neither.
  std::string States(SealedWorld& world) {
    std::string states;
    for (std::uint64_t part = 1; part <= parts_; ++part) {
      const TraceRecords found = Find(world, part);
      EXPECT_FALSE(found.evidence.span_count > 0 && found.evidence.in_expired);
      states += found.evidence.span_count > 0 ? 's' : found.evidence.in_expired ? 'e' : '-';
    }
    return states;
  }

  std::uint64_t parts_ = 0;
};

TEST_F(RetentionTest, ByTheAgeOfTheLatestArrival) {
  SqliteStore::Options options = Options();
  options.retention_ns = kHour;
  SealedWorld world(1, options);
  ASSERT_FALSE(world.Open());
  SealOne(world);
  world.now_unix_ns += kHour / 2;
  SealOne(world);
  EXPECT_EQ(States(world), "ss");
  world.now_unix_ns += kHour / 2 - kSecond;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "ss");
  world.now_unix_ns += 2 * kSecond;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "es");
  Reopen(world);
  EXPECT_EQ(States(world), "es");
  // Nobody else's ids have expired.
  const auto other = world.store().FindTrace(AsTenant("other"), {1, Low(1, 3)}, {});
  EXPECT_FALSE(other->evidence.in_expired);
  world.Check();
}

TEST_F(RetentionTest, ByBytesTheOldestArrivalFirst) {
  SealedWorld world(2, Options());
  ASSERT_FALSE(world.Open());
  for (int i = 0; i < 4; ++i) SealOne(world);
  const std::uint64_t bytes = sqlite::SystemFiles().SizeOf(world.data() + "/seg-0-4.db").value();
  // As it is when the settings change, also for what is stored already.
  world.options().disk_bytes = 2 * bytes + bytes / 2;
  Reopen(world);
  EXPECT_EQ(States(world), "ssss");
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "eess");
  SealOne(world);
  EXPECT_EQ(States(world), "eeess");
  world.options().disk_bytes = 1;
  Reopen(world);
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "eeeee");
  SealOne(world);
  world.Check();
}

TEST_F(RetentionTest, AChangedAgeAppliesToWhatIsStored) {
  SealedWorld world(3, Options());
  ASSERT_FALSE(world.Open());
  SealOne(world);
  world.now_unix_ns += 2 * kHour;
  SealOne(world);
  world.options().retention_ns = 3 * kHour;
  Reopen(world);
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "ss");
  world.options().retention_ns = kHour;
  Reopen(world);
  EXPECT_EQ(States(world), "ss");
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "es");
}

TEST_F(RetentionTest, ExpiredIdsAreForgottenInTime) {
  SqliteStore::Options options = Options();
  options.retention_ns = kHour;
  options.expired_ns = 5 * kHour;
  SealedWorld world(4, options);
  ASSERT_FALSE(world.Open());
  SealOne(world);
  world.now_unix_ns += 2 * kHour;
  SealOne(world);
  EXPECT_EQ(States(world), "es");
  world.now_unix_ns += 4 * kHour;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "ee");
  world.now_unix_ns += 2 * kHour;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "-e");
  Reopen(world);
  EXPECT_EQ(States(world), "-e");
}

// Also where all went at one moment: after a long night, or with a smaller bound.
TEST_F(RetentionTest, ExpiredIdsAreBoundedTheOldestFirst) {
  SqliteStore::Options options = Options();
  options.expired_bytes = 64;  // A filter of five traces takes 32.
  SealedWorld world(5, options);
  ASSERT_FALSE(world.Open());
  for (int i = 0; i < 4; ++i) SealOne(world);
  world.options().retention_ns = kHour;
  Reopen(world);
  world.now_unix_ns += 2 * kHour;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "--ee");
  Reopen(world);
  EXPECT_EQ(States(world), "--ee");
}

// A late span of a trace that expired is there, and the trace is no longer said to be expired.
TEST_F(RetentionTest, WhatComesLateIsThere) {
  SqliteStore::Options options = Options();
  options.retention_ns = kHour;
  SealedWorld world(6, options);
  ASSERT_FALSE(world.Open());
  SealOne(world);
  world.now_unix_ns += 2 * kHour;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "e");
  Sample sample;
  sample.Add(SampleSpan{.trace = {1, Low(1, 3)}, .span = {99}});
  ASSERT_FALSE(world.Append(world.GroupOf(sample.Finish(), "default")));
  EXPECT_EQ(States(world), "s");
}

// Where only the lines of a trace are left, its summary says the same as its records.
TEST_F(RetentionTest, SummariesSayItToo) {
  SqliteStore::Options options = Options();
  options.retention_ns = kHour;
  SealedWorld world(7, options);
  ASSERT_FALSE(world.Open());
  SealOne(world);
  world.now_unix_ns += 2 * kHour;
  ASSERT_FALSE(world.Maintain());
  const TraceId id{1, Low(1, 3)};
  Sample sample;
  sample.Add(SampleLine{.trace = id});
  ASSERT_FALSE(world.Append(world.GroupOf(sample.Finish(), "default")));
  EXPECT_EQ(States(world), "e");
  const auto summaries = world.store().Summarize(AsTenant("default"), id);
  ASSERT_EQ(summaries->size(), 1u);
  EXPECT_TRUE(summaries->front().evidence.in_expired);
  // Who asks for no spans learns nothing of them, and neither who names several traces.
  const auto lines = world.store().FindTrace(AsTenant("default"), id, {.hint = {}, .spans = false});
  EXPECT_FALSE(lines->evidence.in_expired);
  sample.Add(SampleLine{.trace = {2, id.low}});
  ASSERT_FALSE(world.Append(world.GroupOf(sample.Finish(), "default")));
  const auto several = world.store().FindTrace(AsTenant("default"), {0, id.low}, {});
  ASSERT_EQ(several->matches.size(), 2u);
  EXPECT_FALSE(several->evidence.in_expired);
}

}  // namespace
}  // namespace throughline::store
