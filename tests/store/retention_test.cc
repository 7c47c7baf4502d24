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
  const std::uint64_t revision = world.store().Revision({});
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(world.store().Revision({}), revision);
  world.now_unix_ns += 2 * kSecond;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(States(world), "es");
  EXPECT_NE(world.store().Revision({}), revision);
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

class KindRetentionTest : public RetentionTest {
 protected:
  // A segment of traces with a span, a line and an exemplar each, of others with one of them, and
  // of gauge points.
  void SealMixed(SealedWorld& world) {
    ++part_;
    Sample sample;
    sample.From({{"service.name", "pay"}});
    for (std::uint64_t i = 1; i <= 40; ++i) {
      sample.Add(SampleSpan{.trace = Trace(1, i), .span = {i}, .status = 2});
      sample.Add(SampleSpan{.trace = Trace(2, i), .span = {i}});
      sample.Add(SampleLine{.trace = Trace(1, i), .span = {i}, .body = Filler(i)});
      sample.Add(SampleLine{.trace = Trace(3, i), .body = Filler(i)});
      sample.Add(SampleExemplar{.trace = Trace(1, i), .span = {i}});
      sample.Add(SampleExemplar{.trace = Trace(4, i), .span = {i}});
      sample.Add(SampleGauge{.time = kNow + (40 * part_ + i) * 10 * kSecond});
    }
    ASSERT_FALSE(world.Append(world.GroupOf(sample.Finish(), "default")));
    ASSERT_FALSE(world.Rotate());
    ASSERT_FALSE(world.Maintain());
  }
  TraceId Trace(std::uint64_t sort, std::uint64_t i) const { return {sort, Low(part_ * 10, i)}; }
  std::string Filler(std::uint64_t i) {
    std::string text;
    while (text.size() < 300) text += std::to_string((i + text.size()) * 7919 * part_);
    return text;
  }
  // Spans, lines, exemplars and gauge points that are stored.
  static std::string Counts(const SealedWorld& world) {
    const StoreUsage usage = const_cast<SealedWorld&>(world).store().Usage();
    return std::to_string(usage.spans) + " " + std::to_string(usage.logs) + " " +
           std::to_string(usage.exemplars) + " " + std::to_string(usage.gauges);
  }
  static std::uint64_t BytesOf(const SealedWorld& world, const char* file) {
    return sqlite::SystemFiles().SizeOf(world.data() + "/" + file).value();
  }

  std::uint64_t part_ = 0;
};

TEST_F(KindRetentionTest, AKindThatExpiresIsInNoAnswerAndItsBytesAreGivenBack) {
  SqliteStore::Options options = Options();
  options.retention_of.logs_ns = kHour;
  SealedWorld world(31, options);
  ASSERT_FALSE(world.Open());
  SealMixed(world);
  world.now_unix_ns += kHour / 2;
  SealMixed(world);
  EXPECT_EQ(Counts(world), "160 160 160 80");
  const std::uint64_t before = BytesOf(world, "seg-0-1.db");
  world.now_unix_ns += kHour / 2 + kSecond;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(Counts(world), "160 80 160 80");
  const segment::SegmentInfo info = world.store().Segments()[0];
  EXPECT_LT(info.bytes, before - 4096);
  EXPECT_EQ(BytesOf(world, info.file.c_str()), info.bytes);
  EXPECT_NE(info.file, "seg-0-1.db");  // A name stands for one content.
  world.Check();
  Reopen(world);
  EXPECT_EQ(Counts(world), "160 80 160 80");
  world.Check();
  // What had lines only is not there at all; what has a span left has not expired.
  const TraceId lines_only{3, Low(10, 7)};
  const auto nothing = world.store().FindTrace(AsTenant("default"), lines_only, {});
  EXPECT_TRUE(nothing->matches.empty());
  const TraceId mixed{1, Low(10, 7)};
  const auto found = world.store().FindTrace(AsTenant("default"), mixed, {});
  EXPECT_EQ(found->records.spans.size(), 1u);
  EXPECT_EQ(found->records.exemplars.size(), 1u);
  EXPECT_EQ(found->records.exemplars[0].span_id, SpanId{7});
  EXPECT_FALSE(found->evidence.in_expired);
}

TEST_F(KindRetentionTest, SpansThatExpiredSaySo) {
  SqliteStore::Options options = Options();
  options.retention_of.spans_ns = kHour;
  SealedWorld world(32, options);
  ASSERT_FALSE(world.Open());
  SealMixed(world);
  world.now_unix_ns += 2 * kHour;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(Counts(world), "0 80 80 40");
  world.CheckExpired();
  // Lines and exemplars still name the spans that they were written in.
  const TraceId mixed{1, Low(10, 7)};
  const auto found = world.store().FindTrace(AsTenant("default"), mixed, {});
  EXPECT_TRUE(found->evidence.in_expired);
  ASSERT_EQ(found->records.logs.size(), 1u);
  EXPECT_EQ(found->records.logs[0].span_id, SpanId{7});
  const auto spans_only = world.store().FindTrace(AsTenant("default"), {2, Low(10, 7)}, {});
  EXPECT_TRUE(spans_only->matches.empty());
  EXPECT_TRUE(spans_only->evidence.in_expired);
  EXPECT_TRUE(world.store().Operations(AsTenant("default"), "pay")->empty());
  world.Check();
}

TEST_F(KindRetentionTest, AChangeAppliesToWhatIsStoredAndNothingComesBack) {
  SealedWorld world(33, Options());
  ASSERT_FALSE(world.Open());
  SealMixed(world);
  world.now_unix_ns += 2 * kHour;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(Counts(world), "80 80 80 40");
  world.options().retention_of = {.exemplars_ns = kHour, .gauges_ns = kHour};
  Reopen(world);
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(Counts(world), "80 80 0 0");
  world.options().retention_of = {.spans_ns = kHour};
  Reopen(world);
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(Counts(world), "0 80 0 0");
  world.Check();
  // The last kind takes the segment with it.
  world.options().retention_of = {.logs_ns = kHour};
  Reopen(world);
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(Counts(world), "0 0 0 0");
  EXPECT_EQ(world.dropped_count(), 1u);
  world.CheckExpired();
}

// Little is not worth writing a file again; it is in no answer all the same.
TEST_F(KindRetentionTest, AFewRecordsAreHiddenOnly) {
  SqliteStore::Options options = Options();
  options.retention_of.logs_ns = kHour;
  SealedWorld world(34, options);
  ASSERT_FALSE(world.Open());
  Sample sample;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    sample.Add(SampleSpan{.trace = {1, i}, .span = {i}});
  }
  sample.Add(SampleLine{.trace = {1, 4}});
  ASSERT_FALSE(world.Append(world.GroupOf(sample.Finish(), "default")));
  ASSERT_FALSE(world.Rotate());
  ASSERT_FALSE(world.Maintain());
  world.now_unix_ns += 2 * kHour;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(Counts(world), "30 0 0 0");
  EXPECT_EQ(world.store().Segments()[0].removed, 0u);
  world.Check();
}

// A run writes so many bytes again, and the next one goes on.
TEST_F(KindRetentionTest, WhatARunWritesIsBounded) {
  SqliteStore::Options options = Options();
  options.rewrite_bytes = 1;
  SealedWorld world(35, options);
  ASSERT_FALSE(world.Open());
  for (int i = 0; i < 3; ++i) SealMixed(world);
  world.options().retention_of.logs_ns = kHour;
  Reopen(world);
  world.now_unix_ns += 2 * kHour;
  const auto removed = [&] {
    std::uint64_t count = 0;
    for (const auto& info : world.store().Segments()) count += info.removed != 0 ? 1 : 0;
    return count;
  };
  for (std::uint64_t run = 1; run <= 3; ++run) {
    ASSERT_FALSE(world.Maintain());
    EXPECT_EQ(Counts(world), "240 0 240 120");
    EXPECT_EQ(removed(), run);
    world.Check();
  }
}

// One that is damaged is left as it is, and goes when all of it is due.
TEST_F(KindRetentionTest, ADamagedSegmentIsNotWrittenAgain) {
  SqliteStore::Options options = Options();
  options.retention_ns = 10 * kHour;
  options.retention_of.logs_ns = kHour;
  SealedWorld world(36, options);
  ASSERT_FALSE(world.Open());
  SealMixed(world);
  SealMixed(world);
  world.now_unix_ns += 2 * kHour;
  world.disk().FlipOnRead("seg-0-1.db", 3 * 4096 + 77, 1);
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(world.store().Segments()[0].removed, 0u);
  EXPECT_EQ(world.store().Segments()[1].removed, segment::kLineBit);
  EXPECT_EQ(Counts(world), "160 0 160 80");
  world.disk().Heal();
  world.now_unix_ns += 9 * kHour;
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(world.dropped_count(), 2u);
}

}  // namespace
}  // namespace throughline::store
