// Backups and restores on disks that work: what comes back is what was there, nothing is copied
// twice, and whatever is no backup of this store is left alone.
#include "store/backup/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "store/care/check.h"
#include "store/sqlite/catalog.h"
#include "tests/store/backup/backup_place.h"

namespace throughline::store::backup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

std::uint64_t InodeOf(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
  return found.st_ino;
}

class BackupTest : public testing::Test {
 protected:
  // Expects it to work.
  Copied BackUp(const std::string& snapshot, const std::string& target, Options options = {}) {
    const auto copied = Backup(snapshot, target, options);
    EXPECT_TRUE(copied) << copied.error().message;
    return copied ? *copied : Copied();
  }
  Error ExpectRefused(const std::string& snapshot, const std::string& target) {
    const auto copied = Backup(snapshot, target, {});
    EXPECT_FALSE(copied);
    return copied ? Error() : copied.error();
  }

  BackupPlace place_;
  const std::string target_ = place_.Beside("a/b/backup");
};

TEST_F(BackupTest, WhatComesBackIsWhatWasThere) {
  const std::string before = place_.data().Answers();
  const std::string snapshot = place_.Snapshot(7);
  const Copied copied = BackUp(snapshot, target_);
  EXPECT_EQ(copied.segments, 3u);
  EXPECT_EQ(copied.new_segments, 3u);
  EXPECT_EQ(copied.snapshot_unix_ns, 7000u);
  EXPECT_THAT(BackupPlace::Names(target_),
              ElementsAre("LOCK", "catalog.db", "seg-0-1.db", "seg-0-2.db", "seg-0-3.db"));
  EXPECT_EQ(BackupPlace::Wrong(target_), "");
  const auto report = care::Check(target_, {});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->findings.empty()) << care::Line(report->findings[0]);
  EXPECT_EQ(place_.AnswersOf(target_), before);
  for (const char* const file : {"seg-0-1.db", "catalog.db"}) {
    EXPECT_NE(InodeOf(target_ + '/' + file), InodeOf(snapshot + '/' + file));
  }
}

TEST_F(BackupTest, AnEmptyStoreToo) {
  const std::string empty = place_.Beside("empty");
  {
    const auto store = place_.data().Open(empty);
    ASSERT_TRUE(store->SealAll(0));
    ASSERT_TRUE(store->WriteSnapshot(1, 1));
    BackUp(empty + "/snapshot", target_);
  }
  EXPECT_FALSE(place_.data().Open(empty) == nullptr);
  EXPECT_FALSE(fs::exists(empty + "/snapshot"));  // The next start has removed it.
  EXPECT_THAT(BackupPlace::Names(target_), ElementsAre("LOCK", "catalog.db"));
  EXPECT_EQ(place_.AnswersOf(target_), place_.data().Answers(empty));
}

TEST_F(BackupTest, TheNextOneCopiesWhatIsNew) {
  BackUp(place_.Snapshot(1), target_);
  const std::string snapshot = place_.SnapshotWith(151, 180, 2);
  const std::uint64_t inode = InodeOf(target_ + "/seg-0-1.db");
  const Copied copied = BackUp(snapshot, target_);
  EXPECT_EQ(copied.segments, 4u);
  EXPECT_EQ(copied.new_segments, 1u);
  EXPECT_EQ(copied.removed_segments, 0u);
  EXPECT_EQ(InodeOf(target_ + "/seg-0-1.db"), inode);
  EXPECT_EQ(place_.AnswersOf(target_), place_.data().Answers());
  EXPECT_EQ(BackUp(snapshot, target_).new_segments, 0u);
}

TEST_F(BackupTest, WhatRetentionTookGoesFromTheBackupToo) {
  BackUp(place_.Snapshot(1), target_);
  // Nothing of the first snapshot is lost while it is held, though the store has dropped it.
  auto options = SqliteStore::Options{.directory = place_.data().path(), .retention_ns = 1};
  std::string snapshot;
  {
    const auto store = SqliteStore::Open(options);
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->WriteSnapshot(2, 2));
    ASSERT_TRUE((*store)->Maintain(UINT64_MAX / 2));
    EXPECT_FALSE(fs::exists(place_.data().PathOf("seg-0-1.db")));
    EXPECT_EQ(BackupPlace::Wrong(place_.data().PathOf("snapshot")), "");
    ASSERT_TRUE((*store)->WriteSnapshot(3, 3));
    EXPECT_EQ(BackUp(place_.data().PathOf("snapshot"), target_).removed_segments, 3u);
  }
  EXPECT_THAT(BackupPlace::Names(target_), ElementsAre("LOCK", "catalog.db"));
  EXPECT_EQ(place_.AnswersOf(target_), place_.data().Answers());
}

// Lines that expired are hidden in all segments, and one of these was written again without them.
TEST_F(BackupTest, KindsThatExpiredStayExpired) {
  BackUp(place_.Snapshot(1), target_);
  const std::string before = place_.data().Answers();
  SqliteStore::Options options{.directory = place_.data().path(), .rewrite_bytes = 1};
  options.retention_of.logs_ns = 1;
  {
    const auto store = SqliteStore::Open(options);
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->Maintain(UINT64_MAX / 2));
    ASSERT_TRUE((*store)->WriteSnapshot(2, 2));
    const Copied copied = BackUp(place_.data().PathOf("snapshot"), target_);
    EXPECT_EQ(copied.segments, 3u);
    EXPECT_EQ(copied.new_segments, 1u);
    EXPECT_EQ(copied.removed_segments, 1u);
  }
  EXPECT_EQ(BackupPlace::Wrong(target_), "");
  const std::string after = place_.data().Answers();
  EXPECT_NE(after, before);
  EXPECT_EQ(place_.AnswersOf(target_), after);
}

// After each file the work is stopped: the next run goes on, and nothing is copied twice.
TEST_F(BackupTest, AStoppedOneGoesOn) {
  const std::string snapshot = place_.Snapshot();
  std::uint64_t copied = 0;
  for (int run = 0; run < 3; ++run) {
    int pieces = 0;
    Options options;
    options.work.stop_asked = [&pieces, run] { return pieces++ > run * 2; };
    std::uint64_t named = 0;
    options.sync_point = [&named](std::string_view step) { named += step == "named" ? 1U : 0U; };
    const auto stopped = Backup(snapshot, target_, options);
    if (!stopped) {
      EXPECT_TRUE(care::IsStop(stopped.error())) << stopped.error().message;
      EXPECT_FALSE(fs::exists(target_ + "/catalog.db"));
    }
    copied += named;
  }
  EXPECT_GT(copied, 0u);
  EXPECT_EQ(copied + BackUp(snapshot, target_).new_segments, 3u);
  EXPECT_EQ(place_.AnswersOf(target_), place_.data().Answers());
}

TEST_F(BackupTest, WhatIsNoBackupOfThisStoreIsLeftAlone) {
  const std::string snapshot = place_.Snapshot();
  struct Case {
    const char* name;
    std::function<void()> prepare;
    const char* says;
  };
  care::DataDirectory other;
  other.Fill();
  const std::vector<Case> cases = {
      {"SomethingElse",
       [&] {
         fs::create_directories(target_);
         std::ofstream(target_ + "/photo.jpg") << "x";
       },
       "has a file photo.jpg, and is no backup"},
      {"ADataDirectory", [&] { fs::copy(place_.data().path(), target_); }, "and is no backup"},
      {"AnotherStore",
       [&] {
         const auto store = other.Open(other.path());
         ASSERT_TRUE(store->SealAll(0));
         ASSERT_TRUE(store->WriteSnapshot(1, 1));
         BackUp(other.PathOf("snapshot"), target_);
       },
       "is a backup of another data directory"},
      {"AnotherHistory",
       [&] {
         BackUp(snapshot, target_);
         fs::rename(target_, place_.data().path() + "-edit");
         fs::rename(place_.data().path() + "-edit", target_);
         const auto content = CheckBackup(target_, {})->content;
         auto changed = content;
         changed.segments.back().hash ^= 1;
         fs::remove(target_ + "/catalog.db");
         ASSERT_TRUE(sqlite::WriteCatalog(target_ + "/catalog.db", changed));
       },
       "has another seg-0-3.db"},
      {"ADamagedCatalog",
       [&] {
         fs::create_directories(target_);
         std::ofstream(target_ + "/catalog.db") << "no database at all, but long enough to be one";
       },
       "damaged: "},
  };
  for (const Case& refused : cases) {
    SCOPED_TRACE(refused.name);
    fs::remove_all(target_);
    fs::create_directories(fs::path(target_).parent_path());
    refused.prepare();
    std::vector<std::string> before = BackupPlace::Names(target_);
    EXPECT_THAT(ExpectRefused(snapshot, target_).message, HasSubstr(refused.says));
    std::vector<std::string> after = BackupPlace::Names(target_);
    std::erase(before, "LOCK");
    std::erase(after, "LOCK");
    EXPECT_EQ(after, before);
  }
}

TEST_F(BackupTest, OneAtATime) {
  const std::string snapshot = place_.Snapshot();
  BackUp(snapshot, target_);
  const auto lock = sqlite::DirectoryLock::Take(target_);
  ASSERT_TRUE(lock);
  EXPECT_EQ(ExpectRefused(snapshot, target_).code, Errc::kUnavailable);
}

TEST_F(BackupTest, ASnapshotThatIsGoneIsNoDamage) {
  const std::string snapshot = place_.Snapshot();
  Options options;
  options.take_damaged = true;
  options.on_damage = [](const care::Finding& finding) { ADD_FAILURE() << care::Line(finding); };
  options.sync_point = [&](std::string_view step) {
    if (step == "named") fs::remove_all(snapshot);
  };
  const auto copied = Backup(snapshot, target_, options);
  ASSERT_FALSE(copied);
  EXPECT_THAT(copied.error().message, HasSubstr("is gone meanwhile"));
  EXPECT_FALSE(fs::exists(target_ + "/catalog.db"));
}

TEST_F(BackupTest, DamageIsNamedAndComesAlongWhereThatIsAsked) {
  const std::string snapshot = place_.Snapshot();
  place_.data().Flip("seg-0-1.db", 5000);  // The same file.
  fs::remove(snapshot + "/seg-0-2.db");
  EXPECT_THAT(ExpectRefused(snapshot, target_).message,
              HasSubstr("damaged: seg-0-1.db: it is not what was written"));
  EXPECT_FALSE(fs::exists(target_ + "/catalog.db"));
  std::vector<std::string> damaged;
  Options options;
  options.take_damaged = true;
  options.on_damage = [&](const care::Finding& finding) { damaged.push_back(finding.file); };
  const Copied copied = BackUp(snapshot, target_, options);
  EXPECT_THAT(damaged, ElementsAre("seg-0-1.db", "seg-0-2.db"));
  EXPECT_EQ(copied.damaged_segments, 2u);
  EXPECT_THAT(BackupPlace::Names(target_),
              ElementsAre("LOCK", "catalog.db", "seg-0-1.db", "seg-0-3.db"));
  EXPECT_THAT(BackupPlace::Wrong(target_), HasSubstr("seg-0-1.db: "));
  EXPECT_THAT(BackupPlace::Wrong(target_), HasSubstr("seg-0-2.db: the catalog lists it"));
}

// Of older versions, whose catalogs have no hash.
TEST_F(BackupTest, WithoutHashesToo) {
  place_.Snapshot();
  place_.data().Edit("catalog.db", "UPDATE segment SET hash = 0");
  const std::string snapshot = place_.Snapshot(2);
  BackUp(snapshot, target_);
  EXPECT_EQ(BackUp(snapshot, target_).new_segments, 0u);
  EXPECT_EQ(BackupPlace::Wrong(target_), "");
  EXPECT_EQ(place_.AnswersOf(target_), place_.data().Answers());
}

}  // namespace
}  // namespace throughline::store::backup
