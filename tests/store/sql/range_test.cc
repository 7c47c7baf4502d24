// Where a range of the records' own time is looked for, by the time that they are searched by.
#include <gtest/gtest.h>

#include "store/sqlite/record_scan.h"
#include "tests/store/sample.h"
#include "tests/store/sql/world.h"

namespace throughline::store::sqlite {
namespace {

constexpr std::uint64_t kDay = 24 * kHour;
constexpr TimeRange kArrivals = {kNow, kNow + kHour};
constexpr TimeRange kAll = {};

struct Case {
  const char* name;
  TimeRange sent;
  TimeRange effective;
};

const Case kCases[] = {
    {"Believable", {kNow - kHour, kNow + kDay}, {kNow - kHour, kNow + kDay}},
    {"Before", {kNow - kDay, kNow - kHour}, {kNow - kDay, kNow - kHour}},
    // Too old to be believed, or not sent at all: such records stand where they arrived.
    {"FromZero", {0, kNow}, kAll},
    {"FromLongAgo", {kHour, kNow}, kAll},
    // What is ahead of its arrival stands there too, so the arrivals are looked at as well.
    {"OpenFromWithin", {kNow + 5, UINT64_MAX}, {kNow, UINT64_MAX}},
    {"OpenFromBefore", {kNow - 5, UINT64_MAX}, {kNow - 5, UINT64_MAX}},
    {"AheadFromWithin", {kNow + 5, kNow + 3 * kDay}, {kNow, kNow + 3 * kDay}},
    // But not where all of them came before.
    {"OpenFromBehind", {kNow + 2 * kHour, UINT64_MAX}, {kNow + 2 * kHour, UINT64_MAX}},
};

TEST(EffectiveRange, Cases) {
  for (const Case& one : kCases) {
    const TimeRange range = EffectiveRange(one.sent, kArrivals);
    EXPECT_EQ(range.start_unix_ns, one.effective.start_unix_ns) << one.name;
    EXPECT_EQ(range.end_unix_ns, one.effective.end_unix_ns) << one.name;
  }
}

}  // namespace
}  // namespace throughline::store::sqlite

namespace throughline::store::sql {
namespace {

// The limit that docs/sql.md names, and the way round it.
TEST(Range, WhatIsAheadOfItsArrival) {
  World world(13);
  Sample sample(world.store()->hash_seed());
  sample.Add(SampleSpan{.trace = {9, 9}, .span = {9}, .start = kNow + 72 * kHour, .name = "ahead"});
  const std::vector<Appending> group = {
      {.tenant = "default", .batch = sample.Finish(), .arrival_unix_ns = kNow}};
  ASSERT_TRUE(world.store()->Append(group));
  const std::string select = "SELECT count(*) FROM span WHERE name = 'ahead' AND ";
  const std::string from = "start_unix_ns >= " + std::to_string(kNow + 71 * kHour);
  EXPECT_EQ(world.Here(select + from), std::vector<std::string>{"0 | "});
  EXPECT_EQ(world.Here(select + "+" + from), std::vector<std::string>{"1 | "});
  EXPECT_EQ(world.Here(select + "trace_id = '" + ToHex(TraceId{9, 9}) + "' AND " + from),
            std::vector<std::string>{"1 | "});
}

}  // namespace
}  // namespace throughline::store::sql
