// Backups and restores that end at any step, by the end of the process or a loss of power, and on
// disks that fail at any call: a backup is whole at every instant, a restored store is whole or not
// there, and the same call goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "store/sqlite/sqlite_store.h"
#include "tests/store/backup/backup_place.h"
#include "tests/store/faulty_vfs.h"

namespace throughline::store::backup {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

constexpr const char* kBackupSteps[] = {
    "copied",         "synced",        "named",         "segments:synced", "catalog:copied",
    "catalog:synced", "catalog:named", "catalog:there", "removed",
};
constexpr const char* kRestoreSteps[] = {"catalog:copied",  "catalog:synced", "begun",
                                         "copied",          "synced",         "named",
                                         "segments:synced", "catalog:named",  "catalog:there"};

class BackupCrashTest : public testing::Test {
 protected:
  BackupCrashTest() {
    // The second has new segments, and lacks the first of the earlier one.
    first_ = place_.Snapshot(1);
    first_answers_ = place_.data().Answers();
    SqliteStore::Options options{.directory = place_.data().path(), .hot_bytes = 64U << 20U};
    const auto checked = CheckBackup(first_, {});
    for (const auto& segment : checked->content.segments) options.disk_bytes += segment.bytes;
    --options.disk_bytes;
    EXPECT_TRUE((*SqliteStore::Open(options))->Maintain(0));
    second_ = place_.SnapshotWith(151, 170, 2);
    second_answers_ = place_.data().Answers();
    EXPECT_NE(first_answers_, second_answers_);
    EXPECT_TRUE(Backup(first_, kept_, {}));
  }
  // A backup of the first snapshot, as a disk has it that nothing ever failed on.
  void Prepare() {
    fs::remove_all(target_);
    fs::copy(kept_, target_);
  }
  static Options OptionsOn(FaultyVfs& disk) {
    Options options;
    options.files = &disk.files();
    return options;
  }
  // It is the first backup, or the second; never less, never both.
  void ExpectWhole() {
    EXPECT_EQ(BackupPlace::Wrong(target_), "");
    EXPECT_THAT(place_.AnswersOf(target_), AnyOf(first_answers_, second_answers_));
  }
  void ExpectTheSecond() {
    EXPECT_EQ(BackupPlace::Wrong(target_), "");
    EXPECT_TRUE(place_.AnswersOf(target_) == second_answers_);
    for (const std::string& name : BackupPlace::Names(target_)) {
      EXPECT_FALSE(name.ends_with(".tmp") || name == "seg-0-1.db") << name;
    }
  }
  // What a process that starts there finds: no store, none yet, or all of it.
  void ExpectAllOrNothing() {
    const std::string copy = place_.Beside("started");
    fs::remove_all(copy);
    fs::copy(target_, copy);
    if (fs::exists(copy + "/restoring")) {
      const auto store = SqliteStore::Open({.directory = copy});
      ASSERT_FALSE(store);
      EXPECT_EQ(store.error().code, Errc::kConflict);
    } else if (fs::exists(copy + "/catalog.db")) {
      EXPECT_TRUE(place_.data().Answers(copy) == first_answers_);
    } else {
      EXPECT_NE(place_.data().Open(copy), nullptr);  // An empty one.
    }
  }

  BackupPlace place_;
  std::string first_;
  std::string second_;
  std::string first_answers_;
  std::string second_answers_;
  const std::string kept_ = place_.Beside("kept");
  const std::string target_ = place_.Beside("target");
};

TEST_F(BackupCrashTest, TheStepsAreAllThere) {
  std::set<std::string> steps;
  Options options;
  options.sync_point = [&](std::string_view step) { steps.emplace(step); };
  Prepare();
  ASSERT_TRUE(Backup(second_, target_, options));
  EXPECT_EQ(steps, std::set<std::string>(std::begin(kBackupSteps), std::end(kBackupSteps)));
  ExpectTheSecond();
  steps.clear();
  ASSERT_TRUE(Restore(kept_, place_.Beside("restored"), options));
  EXPECT_EQ(steps, std::set<std::string>(std::begin(kRestoreSteps), std::end(kRestoreSteps)));
}

TEST_F(BackupCrashTest, AStoreThatEndsWhileItMakesASnapshot) {
  std::uint64_t seed = 200;
  for (const char* const step : {"snapshot:created", "snapshot:linked", "snapshot:written"}) {
    for (int round = 0; round < 4; ++round) {
      SCOPED_TRACE(std::string(step) + ", seed " + std::to_string(++seed));
      const std::string directory = place_.Beside("store-" + std::to_string(seed));
      FaultyVfs disk;
      SqliteStore::Options options{.directory = directory,
                                   .hot_bytes = 4U << 20U,
                                   .full_durability = true,
                                   .vfs = disk.name(),
                                   .files = &disk.files()};
      options.sync_point = [&](std::string_view at) {
        if (at == step) disk.PowerOff();
      };
      {
        const auto store = SqliteStore::Open(options);
        ASSERT_TRUE(store);
        for (std::uint64_t number = 1; number <= 5; ++number) {
          care::DataDirectory::Append(**store, number);
        }
        ASSERT_TRUE((*store)->SealAll(0));
        (void)(*store)->WriteSnapshot(1, 1);
        ASSERT_TRUE(disk.is_off());
      }
      if (round == 0) {
        disk.Restart();
      } else {
        disk.PowerOn(round == 1 ? std::nullopt : std::optional(seed));
      }
      options.sync_point = nullptr;
      const auto store = SqliteStore::Open(options);
      ASSERT_TRUE(store) << store.error().message;
      EXPECT_FALSE(fs::exists(directory + "/snapshot"));
      EXPECT_EQ((*store)->Usage().spans, 15u);
      ASSERT_TRUE((*store)->WriteSnapshot(2, 2));
      EXPECT_EQ(BackupPlace::Wrong(directory + "/snapshot"), "");
    }
  }
}

TEST_F(BackupCrashTest, ABackupThatEndsAtAnyStep) {
  std::uint64_t seed = 0;
  for (const char* const step : kBackupSteps) {
    for (int round = 0; round < 6; ++round) {
      SCOPED_TRACE(std::string(step) + ", seed " + std::to_string(++seed));
      Prepare();
      FaultyVfs disk;
      Options options = OptionsOn(disk);
      options.sync_point = [&](std::string_view at) {
        if (at == step) disk.PowerOff();
      };
      EXPECT_EQ(Backup(second_, target_, options).has_value(), false);
      if (round == 0) {
        disk.Restart();  // The end of the process only.
      } else {
        disk.PowerOn(round == 1 ? std::nullopt : std::optional(seed));
      }
      ExpectWhole();
      const auto again = Backup(second_, target_, OptionsOn(disk));
      ASSERT_TRUE(again) << again.error().message;
      ExpectTheSecond();
      if (HasFailure()) return;
    }
  }
}

TEST_F(BackupCrashTest, ARestoreThatEndsAtAnyStep) {
  std::uint64_t seed = 100;
  for (const char* const step : kRestoreSteps) {
    for (int round = 0; round < 6; ++round) {
      SCOPED_TRACE(std::string(step) + ", seed " + std::to_string(++seed));
      fs::remove_all(target_);
      FaultyVfs disk;
      Options options = OptionsOn(disk);
      options.sync_point = [&](std::string_view at) {
        if (at == step) disk.PowerOff();
      };
      const bool is_done = std::string_view(step) == "catalog:there";
      EXPECT_EQ(Restore(kept_, target_, options).has_value(), is_done);
      if (round == 0) {
        disk.Restart();
      } else {
        disk.PowerOn(round == 1 ? std::nullopt : std::optional(seed));
      }
      ExpectAllOrNothing();
      if (!fs::exists(target_ + "/catalog.db")) {
        const auto again = Restore(kept_, target_, OptionsOn(disk));
        ASSERT_TRUE(again) << again.error().message;
      }
      EXPECT_FALSE(fs::exists(target_ + "/restoring"));
      EXPECT_TRUE(place_.data().Answers(target_) == first_answers_);
      if (HasFailure()) return;
    }
  }
}

// One fault at the n-th call of each kind, for every n.
template <typename Run>
void AtEveryCall(const Run& run) {
  for (int operation = 0; operation <= static_cast<int>(kLastOperation); ++operation) {
    for (const Effect effect : {Effect::kFails, Effect::kComesLate}) {
      for (std::uint64_t first = 1;; ++first) {
        const Fault fault{
            .operation = static_cast<Operation>(operation), .first = first, .effect = effect};
        SCOPED_TRACE(OperationName(*fault.operation) + (" " + std::to_string(first)) + ", effect " +
                     std::to_string(static_cast<int>(effect)));
        FaultyVfs disk;
        disk.Fail(fault);
        const bool met = run(disk);
        if (!met || testing::Test::HasFailure()) break;
      }
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST_F(BackupCrashTest, ABackupOnADiskThatFails) {
  AtEveryCall([&](FaultyVfs& disk) {
    Prepare();
    const auto failed = Backup(second_, target_, OptionsOn(disk));
    const bool met = disk.failed_calls() > 0;
    EXPECT_EQ(failed.has_value(), !met);
    if (!met) return false;
    EXPECT_THAT(failed.error().message,
                AnyOf(HasSubstr("cannot "), StartsWith("disk full: "), StartsWith("damaged: ")));
    ExpectWhole();
    disk.Heal();
    const auto again = Backup(second_, target_, OptionsOn(disk));
    EXPECT_TRUE(again) << again.error().message;
    ExpectTheSecond();
    return true;
  });
}

TEST_F(BackupCrashTest, ARestoreOnADiskThatFails) {
  AtEveryCall([&](FaultyVfs& disk) {
    fs::remove_all(target_);
    const auto failed = Restore(kept_, target_, OptionsOn(disk));
    const bool met = disk.failed_calls() > 0;
    EXPECT_EQ(failed.has_value(), !met);
    if (!met) return false;
    if (fs::exists(target_)) ExpectAllOrNothing();
    disk.Heal();
    if (!fs::exists(target_ + "/catalog.db")) {
      const auto again = Restore(kept_, target_, OptionsOn(disk));
      EXPECT_TRUE(again) << again.error().message;
    }
    EXPECT_TRUE(place_.data().Answers(target_) == first_answers_);
    return true;
  });
}

TEST_F(BackupCrashTest, AFullDisk) {
  Prepare();
  FaultyVfs disk;
  ASSERT_TRUE(disk.files().SizeOf(target_ + "/catalog.db"));
  for (std::uint64_t room = 0;; room += 5000) {
    SCOPED_TRACE(room);
    disk.LimitBytes(disk.used_bytes() + room);
    const auto copied = Backup(second_, target_, OptionsOn(disk));
    if (copied) break;
    EXPECT_THAT(copied.error().message, StartsWith("disk full: " + target_));
    for (const std::string& name : BackupPlace::Names(target_)) {
      EXPECT_FALSE(name.ends_with(".tmp")) << name;
    }
    ASSERT_LT(room, 1'000'000u);
  }
  ExpectTheSecond();
}

}  // namespace
}  // namespace throughline::store::backup
