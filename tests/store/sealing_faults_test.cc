// Sealing and retention on a disk that fails or is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/store/fault_matrix.h"
#include "tests/store/sealed_world.h"

namespace throughline::store {
namespace {

using testing::StartsWith;

SqliteStore::Options Options() {
  SqliteStore::Options options;
  options.hot_bytes = 4U << 20U;
  options.full_durability = true;
  options.retention_ns = kHour;
  return options;
}

void AppendSome(SealedWorld& world, int count = 2) {
  for (int i = 0; i < count; ++i) ASSERT_FALSE(world.Append(world.RandomGroup()));
}

void Seal(SealedWorld& world) {
  ASSERT_FALSE(world.Rotate());
  ASSERT_FALSE(world.Maintain());
}

std::string Describe(const Fault& fault) {
  return std::string(fault.operation.has_value() ? OperationName(*fault.operation) : "any call") +
         " " + std::to_string(fault.first) + (fault.count == kForGood ? " and on" : "") +
         ", effect " + std::to_string(static_cast<int>(fault.effect));
}

// With the fault: a part takes over, is sealed, two old segments go, and records come in.
struct Outcome {
  bool met = false;  // A call failed.
  bool refused = false;
};

void RunWith(const Fault& fault, bool ends, Outcome& outcome) {
  SealedWorld world(7 + fault.first, Options());
  ASSERT_FALSE(world.Open());
  for (int i = 0; i < 2; ++i) {
    AppendSome(world);
    Seal(world);
  }
  world.now_unix_ns += 2 * kHour;
  AppendSome(world);
  world.disk().Fail(fault);
  const bool is_rotated = !world.Rotate();
  const bool is_appended = !world.Append(world.RandomGroup());
  const bool is_maintained = !world.Maintain(false);
  outcome = {.met = world.disk().failed_calls() > 0,
             .refused = !is_rotated || !is_appended || !is_maintained};
  // Retention may or may not have got to it, so the reference must not answer yet.
  if (ends) {
    world.disk().PowerOff();
    world.Close();
    world.disk().Restart();
    world.NewGeneration();  // Identities are written as best the disk can.
    ASSERT_FALSE(world.Open());
  } else {
    world.disk().Heal();
  }
  ASSERT_FALSE(world.Maintain());
  if (!ends) {
    AppendSome(world, 1);
  }
  world.Check(2);
  ASSERT_FALSE(world.Rotate());
  ASSERT_FALSE(world.Maintain());
  world.Check(2);
  world.NewGeneration();
  world.Close();
  ASSERT_FALSE(world.Open());
  world.Check(2);
}

void AtEveryCall(Fault fault, bool ends) {
  FaultRow row{ends ? "sealing and retention, then a power loss" : "sealing and retention"};
  for (fault.first = 1;; ++fault.first) {
    SCOPED_TRACE(Describe(fault) + (ends ? ", and the process ends" : ""));
    Outcome outcome;
    RunWith(fault, ends, outcome);
    if (testing::Test::HasFailure()) return;
    if (!outcome.met) return row.Print(fault);
    ++row.places;
    row.refused += outcome.refused ? 1U : 0U;
  }
}

TEST(SealingFaults, ACallThatFailsOnce) {
  for (int operation = 0; operation <= static_cast<int>(kLastOperation); ++operation) {
    AtEveryCall({.operation = static_cast<Operation>(operation)}, false);
    AtEveryCall({.operation = static_cast<Operation>(operation)}, true);
    if (HasFailure()) return;
  }
}

TEST(SealingFaults, ACallThatFailsFromThenOn) {
  for (int operation = 0; operation <= static_cast<int>(kLastOperation); ++operation) {
    AtEveryCall({.operation = static_cast<Operation>(operation), .count = kForGood}, false);
    if (HasFailure()) return;
  }
  AtEveryCall({.count = kForGood}, true);
}

TEST(SealingFaults, OtherEffects) {
  for (const Fault& fault :
       std::vector<Fault>{{.operation = Operation::kWrite, .effect = Effect::kTears},
                          {.operation = Operation::kWrite, .effect = Effect::kComesLate},
                          {.operation = Operation::kSync, .effect = Effect::kComesLate},
                          {.operation = Operation::kRename, .effect = Effect::kComesLate},
                          {.operation = Operation::kDelete, .effect = Effect::kComesLate},
                          {.operation = Operation::kSyncDirectory, .effect = Effect::kComesLate}}) {
    AtEveryCall(fault, false);
    AtEveryCall(fault, true);
    if (HasFailure()) return;
  }
}

TEST(SealingFaults, AFullDiskIsLeftToWhatComesIn) {
  SealedWorld world(3, Options());
  ASSERT_FALSE(world.Open());
  AppendSome(world, 20);
  ASSERT_FALSE(world.Rotate());
  AppendSome(world);
  const std::uint64_t used = world.disk().used_bytes();
  // Half a segment, all of it and no catalog, everything but the identities.
  for (const std::uint64_t room : {2'000U, 30'000U, 60'000U, 90'000U, 120'000U}) {
    SCOPED_TRACE(room);
    world.disk().LimitBytes(used + room);
    const auto error = world.Maintain(false);
    if (!error) break;
    EXPECT_THAT(error->message, StartsWith("disk full: " + world.data()));
    for (const std::string& file : world.Files()) {
      EXPECT_FALSE(file.ends_with(".tmp")) << file;
    }
    world.Check();
  }
  world.disk().LimitBytes(UINT64_MAX);
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(world.segment_count(), 1u);
  AppendSome(world);
  world.Check();
}

// A commit that seemed to fail cannot come back beside its retry, which the next part took.
TEST(SealingFaults, ARetryInTheNextPartIsTheOnlyOne) {
  for (const Operation operation : {Operation::kWrite, Operation::kSync}) {
    for (std::uint64_t first = 1; first < 12; ++first) {
      SCOPED_TRACE(OperationName(operation) + (" " + std::to_string(first)));
      SealedWorld world(300 + first, Options());
      ASSERT_FALSE(world.Open());
      AppendSome(world);
      world.disk().Fail({.operation = operation, .first = first, .effect = Effect::kComesLate});
      (void)world.Append(world.RandomGroup());
      world.disk().Heal();
      ASSERT_FALSE(world.Rotate());
      (void)world.Retry();
      AppendSome(world, 1);
      world.disk().PowerOff();
      world.Close();
      world.disk().Restart();
      ASSERT_FALSE(world.Open());
      world.Check();
      if (HasFailure()) return;
    }
  }
}

// The room for one segment is enough, whatever happens between its last byte and the catalog.
TEST(SealingFaults, ASegmentIsNotWrittenTwice) {
  SealedWorld world(4, Options());
  ASSERT_FALSE(world.Open());
  AppendSome(world, 20);
  ASSERT_FALSE(world.Rotate());
  world.disk().Fail({.operation = Operation::kWrite, .path = "catalog.db", .count = kForGood});
  EXPECT_TRUE(world.Maintain(false));
  world.disk().Heal();
  world.disk().Fail({.operation = Operation::kOpen, .path = ".tmp", .count = kForGood});
  EXPECT_FALSE(world.Maintain());
  EXPECT_EQ(world.disk().failed_calls(), 0u);
  world.Check();
}

TEST(SealingFaults, WhatCannotBeRemovedNowGoesLater) {
  SealedWorld world(5, Options());
  ASSERT_FALSE(world.Open());
  AppendSome(world);
  ASSERT_FALSE(world.Rotate());
  world.disk().Fail({.operation = Operation::kDelete, .path = ".db", .count = kForGood});
  EXPECT_TRUE(world.Maintain(false));
  world.now_unix_ns += 2 * kHour;
  EXPECT_TRUE(world.Maintain(false));
  EXPECT_GT(world.Files().size(), 5u);
  AppendSome(world);
  world.disk().Heal();
  EXPECT_FALSE(world.Maintain());  // Looks for files that nobody needs.
  EXPECT_EQ(world.dropped_count(), 1u);
  world.Check();
}

// Its tail is a copy, and cannot bring it back.
TEST(SealingFaults, WhatRetentionTookStaysAway) {
  SealedWorld world(6, Options());
  ASSERT_FALSE(world.Open());
  AppendSome(world);
  ASSERT_FALSE(world.Rotate());
  world.disk().Fail({.operation = Operation::kDelete, .path = "tail-", .count = kForGood});
  EXPECT_TRUE(world.Maintain(false));
  world.now_unix_ns += 2 * kHour;
  EXPECT_TRUE(world.Maintain(false));
  world.disk().PowerOff();
  world.Close();
  world.disk().Restart();
  ASSERT_FALSE(world.Open());
  EXPECT_EQ(world.store().Usage().spans, 0u);
  EXPECT_EQ(world.store().Usage().parts, 1u);
}

// The process ends between the removal of a tail and that of what SQLite keeps beside it.
TEST(SealingFaults, WhatStandsBesideATailThatIsGoneGoesToo) {
  SealedWorld world(8, Options());
  ASSERT_FALSE(world.Open());
  AppendSome(world);
  ASSERT_FALSE(world.Rotate());
  world.disk().Fail({.operation = Operation::kDelete, .path = "-wal", .count = kForGood});
  EXPECT_TRUE(world.Maintain(false));
  EXPECT_THAT(world.Files(), testing::Not(testing::Contains("tail-0-1.db")));
  EXPECT_THAT(world.Files(), testing::Contains("tail-0-1.db-wal"));
  world.disk().PowerOff();
  world.Close();
  world.disk().Restart();
  ASSERT_FALSE(world.Open());
  EXPECT_THAT(world.Files(), testing::Not(testing::Contains(StartsWith("tail-0-1."))));
  world.Check();
}

// There is no room for the segment, and none is needed to open.
TEST(SealingFaults, AFullDiskDoesNotKeepTheStoreFromOpening) {
  SealedWorld world(9, Options());
  ASSERT_FALSE(world.Open());
  AppendSome(world, 10);
  ASSERT_FALSE(world.Rotate());
  AppendSome(world);
  world.disk().PowerOff();
  world.Close();
  world.disk().Restart();
  world.disk().LimitBytes(world.disk().used_bytes() + 40'000);
  const auto error = world.Open(false);
  EXPECT_FALSE(error) << error->message;
  world.Check();
  EXPECT_TRUE(world.Maintain(false));
  world.disk().LimitBytes(UINT64_MAX);
  EXPECT_FALSE(world.Maintain());
  world.Check();
}

}  // namespace
}  // namespace throughline::store
