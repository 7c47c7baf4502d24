// What is hot gets old though nothing comes: it is sealed, and expires.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>

#include "store/maintainer.h"
#include "store/writer.h"
#include "tests/store/sealed_world.h"
#include "tests/test_clock.h"

namespace throughline::store {
namespace {

SqliteStore::Options Options() {
  SqliteStore::Options options;
  options.hot_bytes = 8U << 20U;
  options.seal_bytes = 6U << 20U;
  return options;
}

std::vector<Appending> OneSpan(SealedWorld& world) {
  Sample sample;
  sample.Add(SampleSpan{.trace = {1, 7}, .span = {world.now_unix_ns}});
  return world.GroupOf(sample.Finish(), "default");
}

TEST(Aging, APartThatIsOldIsSealedThoughNothingComes) {
  SqliteStore::Options options = Options();
  options.seal_age_ns = 600 * kSecond;
  SealedWorld world(1, options);
  ASSERT_FALSE(world.Open());
  ASSERT_FALSE(world.Age());  // Nothing is hot.
  const std::uint64_t came = world.now_unix_ns;
  ASSERT_FALSE(world.Append(OneSpan(world)));
  world.now_unix_ns = came + 300 * kSecond;
  ASSERT_FALSE(world.Append(OneSpan(world)));  // The first record counts.
  world.now_unix_ns = came + 600 * kSecond - 1;
  ASSERT_FALSE(world.Age());
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(world.segment_count(), 0u);
  // Also where the part was replayed.
  world.Close();
  ASSERT_FALSE(world.Open());
  world.now_unix_ns = came + 600 * kSecond;
  ASSERT_FALSE(world.Age());
  ASSERT_FALSE(world.Age());  // One waits.
  EXPECT_EQ(world.store().Usage().parts, 2u);
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(world.segment_count(), 1u);
  world.Check();
  world.now_unix_ns += kHour;
  ASSERT_FALSE(world.Age());  // Nothing is hot any more.
  EXPECT_EQ(world.store().Usage().parts, 2u);
}

// However long it may stay hot.
TEST(Aging, WhatIsHotExpires) {
  SqliteStore::Options options = Options();
  options.retention_ns = kHour;
  SealedWorld world(2, options);
  ASSERT_FALSE(world.Open());
  ASSERT_FALSE(world.Append(OneSpan(world)));
  world.now_unix_ns += 2 * kHour;
  ASSERT_FALSE(world.Age());
  ASSERT_FALSE(world.Maintain());
  EXPECT_EQ(world.store().Usage().spans, 0u);
  const auto found = world.store().FindTrace(AsTenant("default"), {1, 7}, {});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->evidence.in_expired);
}

// Steps of the store, as they come.
class Steps {
 public:
  void Note(std::string_view step) {
    const std::lock_guard lock(mutex_);
    seen_.emplace(step);
    changed_.notify_all();
  }
  void Await(const std::string& step) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return seen_.contains(step); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> seen_;
};

// As the gateway puts it together: the maintainer's period is all that drives it.
TEST(Aging, TheMaintainerAndTheWriterDoItTogether) {
  const std::string directory = testing::TempDir() + "throughline-aging-" +
                                std::to_string(::testing::UnitTest::GetInstance()->random_seed());
  std::filesystem::remove_all(directory);
  TestClock clock{kNow};
  Steps steps;
  Maintainer maintainer({.period = std::chrono::milliseconds(1)});
  SqliteStore::Options options = Options();
  options.directory = directory;
  options.seal_age_ns = 600 * kSecond;
  options.retention_ns = kHour;
  options.on_rotate = [&] { maintainer.Wake(); };
  options.sync_point = [&](std::string_view step) { steps.Note(step); };
  auto store = SqliteStore::Open(options);
  ASSERT_TRUE(store);
  Writer writer(**store, {});
  maintainer.Start(**store, clock, [&](const Result<void>& maintained, std::uint64_t now) {
    EXPECT_TRUE(maintained);
    (void)writer.Do([&, now] { EXPECT_TRUE((*store)->Age(now)); });
  });
  Sample sample((*store)->hash_seed());
  sample.Add(SampleSpan{.trace = {1, 7}, .span = {1}});
  ASSERT_TRUE(writer.Submit(
      {.tenant = "default", .batch = sample.Finish(), .arrival_unix_ns = clock.NowUnixNs()},
      [&](const Result<Appended>&) { steps.Note("appended"); }));
  steps.Await("appended");
  clock.Advance(601 * kSecond);
  steps.Await("seal:unlinked");
  EXPECT_EQ((*store)->FindTrace(AsTenant("default"), {1, 7}, {})->records.spans.size(), 1u);
  clock.Advance(kHour);
  steps.Await("retain:unlinked");
  EXPECT_TRUE((*store)->FindTrace(AsTenant("default"), {1, 7}, {})->evidence.in_expired);
  writer.Stop();
  maintainer.Stop();
  store->reset();
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace throughline::store
