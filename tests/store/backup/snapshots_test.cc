// Snapshots of a store that takes records meanwhile, with the real writer and maintainer.
#include "store/backup/snapshots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/store/backup/backup_place.h"
#include "tests/store/faulty_vfs.h"
#include "tests/store/sample.h"
#include "tests/test_clock.h"

namespace throughline::store::backup {
namespace {

using testing::StartsWith;
namespace fs = std::filesystem;

// A store with all that runs it.
class RunningStore {
 public:
  explicit RunningStore(std::string directory, SqliteStore::Options options = {})
      : directory_(std::move(directory)) {
    options.directory = directory_;
    options.hot_bytes = 64U << 20U;
    options.on_rotate = [this] { maintainer_.Wake(); };
    store_ = SqliteStore::Open(std::move(options)).value();
    writer_.emplace(*store_, Writer::Limits());
    snapshots_.emplace(*store_, *writer_, maintainer_,
                       Snapshots::Options{.lease_ns = 10 * kSecond, .on_error = {}});
    maintainer_.Start(*store_, clock,
                      [this](const Result<void>& maintained, std::uint64_t now_unix_ns) {
                        snapshots_->AfterMaintain(maintained, now_unix_ns);
                        const std::lock_guard lock(mutex_);
                        ++runs_;
                        changed_.notify_all();
                      });
  }
  ~RunningStore() {
    writer_->Stop();
    maintainer_.Stop();
  }
  RunningStore(const RunningStore&) = delete;
  RunningStore& operator=(const RunningStore&) = delete;

  SqliteStore& store() { return *store_; }
  Snapshots& snapshots() { return *snapshots_; }
  Writer& writer() { return *writer_; }
  std::string folder() const { return directory_ + "/snapshot"; }

  // A request of one span, and the answer.
  Result<void> Append(std::uint64_t number) {
    Sample sample(store_->hash_seed());
    sample.Add(SampleSpan{.trace = {.high = 1, .low = number}, .span = {number}});
    std::mutex mutex;
    std::condition_variable done;
    std::optional<Result<void>> answer;
    const auto submitted = writer_->Submit(
        {.tenant = "default", .batch = sample.Finish(), .arrival_unix_ns = clock.NowUnixNs()},
        [&](const Result<Appended>& appended) {
          const std::lock_guard lock(mutex);
          answer = appended ? Result<void>() : Result<void>(appended.error());
          done.notify_all();
        });
    if (!submitted) return submitted;
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return answer.has_value(); });
    return *answer;
  }
  // Runs of the maintainer, waking it, until `is_so`.
  template <typename IsSo>
  void RunUntil(const IsSo& is_so) {
    while (!is_so()) {
      std::unique_lock lock(mutex_);
      const std::uint64_t before = runs_;
      maintainer_.Wake();
      changed_.wait(lock, [&] { return runs_ != before; });
    }
  }
  Result<Snapshots::State> Await(std::uint64_t id) {
    Result<Snapshots::State> state = Snapshots::State::kMaking;
    RunUntil([&] {
      state = snapshots_->Look(id, clock.NowUnixNs());
      return !state || *state == Snapshots::State::kReady;
    });
    return state;
  }

  TestClock clock{kNow};

 private:
  const std::string directory_;
  Maintainer maintainer_{{}};
  std::unique_ptr<SqliteStore> store_;
  std::optional<Writer> writer_;
  std::optional<Snapshots> snapshots_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t runs_ = 0;  // Guarded by mutex_.
};

class SnapshotsTest : public testing::Test {
 protected:
  // The spans that a snapshot holds, of those with numbers up to `last`.
  std::size_t SpansIn(const std::string& snapshot, std::uint64_t last) {
    const std::string restored = place_.Beside("restored");
    fs::remove_all(restored);
    const auto done = Restore(snapshot, restored, {});
    EXPECT_TRUE(done) << done.error().message;
    const auto store = place_.data().Open(restored);
    if (store == nullptr) return 0;
    std::size_t found = 0;
    for (std::uint64_t number = 1; number <= last; ++number) {
      const auto trace =
          store->FindTrace(AsTenant("default"), {.high = 1, .low = number}, FindOptions());
      found += trace ? trace->evidence.span_count : 0;
    }
    return found;
  }

  BackupPlace place_;
  const std::string data_ = place_.Beside("running");
};

TEST_F(SnapshotsTest, HoldsWhatWasAcknowledgedBefore) {
  RunningStore running(data_);
  for (std::uint64_t number = 1; number <= 20; ++number) ASSERT_TRUE(running.Append(number));
  ASSERT_TRUE(running.snapshots().Begin(5, kNow));
  ASSERT_TRUE(running.Await(5));
  EXPECT_EQ(SpansIn(running.folder(), 20), 20u);
  EXPECT_EQ(CheckBackup(running.folder(), {})->content.snapshot, 5u);
  // One at a time, until it is released.
  EXPECT_EQ(running.snapshots().Begin(6, kNow).error().code, Errc::kConflict);
  EXPECT_FALSE(running.snapshots().Release(6));
  EXPECT_TRUE(running.snapshots().Release(5));
  EXPECT_EQ(running.snapshots().Look(5, kNow).error().code, Errc::kNotFound);
  running.RunUntil([&] { return !fs::exists(running.folder()); });
  // Nothing new, then a little.
  ASSERT_TRUE(running.snapshots().Begin(6, kNow));
  ASSERT_TRUE(running.Await(6));
  EXPECT_EQ(SpansIn(running.folder(), 20), 20u);
  EXPECT_TRUE(running.snapshots().Release(6));
  ASSERT_TRUE(running.Append(21));
  ASSERT_TRUE(running.snapshots().Begin(7, kNow));
  ASSERT_TRUE(running.Await(7));
  EXPECT_EQ(SpansIn(running.folder(), 21), 21u);
}

// Parts take over all the time, so that one nearly always waits when the snapshot is asked for.
TEST_F(SnapshotsTest, UnderLoad) {
  RunningStore running(data_, {.directory = data_, .seal_bytes = 1});
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> acknowledged{0};
  std::thread sender([&] {
    for (std::uint64_t number = 1; !stop; ++number) {
      if (!running.Append(number)) return;
      acknowledged = number;
      acknowledged.notify_all();
    }
  });
  for (std::uint64_t id = 1; id <= 5; ++id) {
    acknowledged.wait(acknowledged.load());
    const std::uint64_t before = acknowledged;
    ASSERT_TRUE(running.snapshots().Begin(id, kNow));
    ASSERT_TRUE(running.Await(id));
    EXPECT_EQ(SpansIn(running.folder(), before), before);
    EXPECT_TRUE(running.snapshots().Release(id));
  }
  stop = true;
  sender.join();
}

TEST_F(SnapshotsTest, OneThatNobodyLooksAtGoes) {
  RunningStore running(data_);
  ASSERT_TRUE(running.Append(1));
  ASSERT_TRUE(running.snapshots().Begin(1, kNow));
  ASSERT_TRUE(running.Await(1));
  running.clock.Advance(9 * kSecond);
  ASSERT_TRUE(running.snapshots().Look(1, running.clock.NowUnixNs()));  // Renews it.
  running.clock.Advance(9 * kSecond);
  ASSERT_TRUE(running.snapshots().Look(1, running.clock.NowUnixNs()));
  running.clock.Advance(11 * kSecond);
  running.RunUntil([&] { return !fs::exists(running.folder()); });
  EXPECT_EQ(running.snapshots().Look(1, running.clock.NowUnixNs()).error().code, Errc::kNotFound);
  // Nor does it keep others out.
  ASSERT_TRUE(running.snapshots().Begin(2, running.clock.NowUnixNs()));
  running.clock.Advance(11 * kSecond);
  ASSERT_TRUE(running.snapshots().Begin(3, running.clock.NowUnixNs()));
  ASSERT_TRUE(running.Await(3));
}

TEST_F(SnapshotsTest, WhatACrashLeftGoesAtTheNextStart) {
  {
    RunningStore running(data_);
    ASSERT_TRUE(running.Append(1));
    ASSERT_TRUE(running.snapshots().Begin(1, kNow));
    ASSERT_TRUE(running.Await(1));
  }
  EXPECT_TRUE(fs::exists(data_ + "/snapshot/catalog.db"));
  const RunningStore running(data_);
  EXPECT_FALSE(fs::exists(data_ + "/snapshot"));
}

TEST_F(SnapshotsTest, ADiskThatRefusesIsTheAnswer) {
  FaultyVfs disk;
  {
    RunningStore running(data_, {.directory = data_, .vfs = disk.name(), .files = &disk.files()});
    ASSERT_TRUE(running.Append(1));
    disk.Fail({.operation = Operation::kRename, .path = "snapshot", .code = 13 /* SQLITE_FULL */});
    ASSERT_TRUE(running.snapshots().Begin(1, kNow));
    const auto failed = running.Await(1);
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, StartsWith("disk full: "));
    // Said once; then there is none, and nothing is left of it.
    EXPECT_EQ(running.snapshots().Look(1, kNow).error().code, Errc::kNotFound);
    running.RunUntil([&] { return !fs::exists(running.folder()); });
    ASSERT_TRUE(running.snapshots().Begin(2, kNow));
    ASSERT_TRUE(running.Await(2));
    EXPECT_EQ(SpansIn(running.folder(), 1), 1u);
  }
}

TEST_F(SnapshotsTest, AWriterThatHasStoppedMakesNone) {
  RunningStore running(data_);
  running.writer().Stop();
  EXPECT_EQ(running.snapshots().Begin(1, kNow).error().code, Errc::kUnavailable);
  EXPECT_EQ(running.snapshots().Look(1, kNow).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace throughline::store::backup
