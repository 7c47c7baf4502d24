// Restores: what they refuse, how they go on, and what a damaged backup costs.
#include "store/backup/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "store/care/check.h"
#include "store/sqlite/catalog.h"
#include "tests/store/backup/backup_place.h"

namespace throughline::store::backup {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class RestoreTest : public testing::Test {
 protected:
  RestoreTest() {
    const auto copied = Backup(place_.Snapshot(), backup_, {});
    EXPECT_TRUE(copied) << copied.error().message;
  }
  Error ExpectRefused(const std::string& data) {
    const auto copied = Restore(backup_, data, {});
    EXPECT_FALSE(copied);
    return copied ? Error() : copied.error();
  }
  void Flip(const std::string& file, std::uint64_t offset) const {
    std::fstream stream(backup_ + '/' + file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    const int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(static_cast<char>(byte ^ 1));
  }

  BackupPlace place_;
  const std::string backup_ = place_.Beside("backup");
  const std::string data_ = place_.Beside("new/data");
};

TEST_F(RestoreTest, AStoreThatIsThereStays) {
  const std::string before = place_.data().Answers();
  const Error error = ExpectRefused(place_.data().path());
  EXPECT_EQ(error.code, Errc::kConflict);
  EXPECT_THAT(error.message, HasSubstr("holds a store already"));
  EXPECT_EQ(place_.data().Answers(), before);
  EXPECT_FALSE(fs::exists(place_.data().PathOf("restoring")));
  // Also one that is nothing but a tail.
  fs::create_directories(data_);
  std::ofstream(data_ + "/tail-0-1.db") << "x";
  EXPECT_EQ(ExpectRefused(data_).code, Errc::kConflict);
}

TEST_F(RestoreTest, WhatIsNotTheStoresDoesNotMatter) {
  fs::create_directories(data_ + "/lost+found");
  std::ofstream(data_ + "/follow.json") << "{}";
  ASSERT_TRUE(Restore(backup_, data_, {}));
  EXPECT_EQ(place_.data().Answers(data_), place_.data().Answers());
}

TEST_F(RestoreTest, AnotherProcessHasIt) {
  const auto store = place_.data().Open(data_);
  EXPECT_THAT(ExpectRefused(data_).message, HasSubstr("holds this data directory"));
}

TEST_F(RestoreTest, NoBackup) {
  EXPECT_EQ(Restore(place_.Beside("none"), data_, {}).error().code, Errc::kUnavailable);
  EXPECT_THAT(Restore(place_.data().path(), data_, {}).error().message, HasSubstr("has a tail"));
  fs::remove(backup_ + "/catalog.db");  // As a first backup that was stopped.
  EXPECT_EQ(ExpectRefused(data_).code, Errc::kNotFound);
  EXPECT_FALSE(fs::exists(data_ + "/restoring"));
}

TEST_F(RestoreTest, WhileItIsUnderWayThereIsNoStore) {
  const std::string crashed = place_.Beside("crashed");
  bool looked = false;
  Options options;
  options.sync_point = [&](std::string_view step) {
    if (step != "named" || looked) return;
    looked = true;
    // The lock is ours: what a process would see that came after a crash.
    fs::copy(data_, crashed);
    const auto store = SqliteStore::Open({.directory = crashed});
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::kConflict);
    EXPECT_THAT(store.error().message, HasSubstr("`throughline restore` goes on"));
    EXPECT_FALSE(fs::exists(crashed + "/catalog.db"));
    const auto report = care::Check(crashed, {});
    ASSERT_TRUE(report);
    EXPECT_TRUE(std::any_of(
        report->findings.begin(), report->findings.end(), [](const care::Finding& finding) {
          return finding.file == "restoring" && finding.cure == care::Cure::kNone;
        }));
  };
  ASSERT_TRUE(Restore(backup_, data_, options));
  EXPECT_TRUE(looked);
  ASSERT_TRUE(Restore(backup_, crashed, {}));
  EXPECT_EQ(place_.data().Answers(crashed), place_.data().Answers());
}

TEST_F(RestoreTest, AStoppedOneGoesOnAndCopiesNothingTwice) {
  std::uint64_t copied = 0;
  bool complete = false;
  for (int steps = 1; !complete; ++steps) {
    ASSERT_LT(steps, 100);
    int left = steps;
    Options options;
    options.work.stop_asked = [&left] { return left-- <= 0; };
    options.sync_point = [&copied](std::string_view step) { copied += step == "named" ? 1U : 0U; };
    const auto restored = Restore(backup_, data_, options);
    complete = restored.has_value();
    if (!complete) {
      EXPECT_TRUE(care::IsStop(restored.error())) << restored.error().message;
    }
  }
  EXPECT_EQ(copied, 3u);
  EXPECT_THAT(BackupPlace::Names(data_), Not(Contains("restoring")));
  EXPECT_EQ(place_.data().Answers(data_), place_.data().Answers());
}

TEST_F(RestoreTest, AnotherBackupAfterOneThatWasStopped) {
  Options options;
  options.sync_point = [&](std::string_view step) {
    if (step == "segments:synced") throw std::string("cut off");
  };
  EXPECT_ANY_THROW((void)Restore(backup_, data_, options));
  // A backup of a later state, in which retention has taken all there was.
  SqliteStore::Options later{.directory = place_.data().path(), .retention_ns = 1};
  const std::string other = place_.Beside("other");
  {
    const auto store = SqliteStore::Open(later);
    ASSERT_TRUE((*store)->Maintain(UINT64_MAX / 2));
    ASSERT_TRUE((*store)->WriteSnapshot(9, 9));
    ASSERT_TRUE(Backup(place_.data().PathOf("snapshot"), other, {}));
  }
  ASSERT_TRUE(Restore(other, data_, {}));
  EXPECT_THAT(BackupPlace::Names(data_), ElementsAre("LOCK", "catalog.db"));
  EXPECT_EQ(place_.data().Answers(data_), place_.data().Answers());
}

TEST_F(RestoreTest, ADamagedBackupIsNamedAndRefusedUnlessAsked) {
  Flip("seg-0-1.db", 6000);
  fs::remove(backup_ + "/seg-0-2.db");
  std::vector<std::string> damaged;
  Options options;
  options.on_damage = [&](const care::Finding& finding) {
    if (damaged.empty() || damaged.back() != finding.file) damaged.push_back(finding.file);
  };
  const auto refused = Restore(backup_, data_, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kDataLoss);
  EXPECT_THAT(refused.error().message, HasSubstr("2 of 3 segments"));
  EXPECT_THAT(damaged, ElementsAre("seg-0-1.db", "seg-0-2.db"));
  EXPECT_FALSE(fs::exists(data_ + "/restoring"));
  options.take_damaged = true;
  const auto restored = Restore(backup_, data_, options);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->damaged_segments, 2u);
  EXPECT_THAT(BackupPlace::Names(data_),
              AllOf(Contains("catalog.db"), Contains("seg-0-1.db"), Not(Contains("seg-0-2.db"))));
  EXPECT_NE(place_.data().Open(data_), nullptr);
}

TEST_F(RestoreTest, ADamagedCatalogIsRefusedWhateverIsAsked) {
  std::ofstream(backup_ + "/catalog.db") << "not a database";
  Options options;
  options.take_damaged = true;
  const auto refused = Restore(backup_, data_, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kDataLoss);
  EXPECT_FALSE(fs::exists(data_ + "/restoring"));
}

// A store that goes on after a restore keeps its numbers apart from what it had.
TEST_F(RestoreTest, AStoreGoesOnFromThere) {
  ASSERT_TRUE(Restore(backup_, data_, {}));
  {
    const auto store = place_.data().Open(data_);
    ASSERT_NE(store, nullptr);
    for (std::uint64_t number = 151; number <= 160; ++number) {
      care::DataDirectory::Append(*store, number);
    }
    ASSERT_TRUE(store->SealAll(0));
    ASSERT_TRUE(store->WriteSnapshot(5, 5));
    const auto copied = Backup(data_ + "/snapshot", backup_, {});
    ASSERT_TRUE(copied) << copied.error().message;
    EXPECT_EQ(copied->new_segments, 1u);
  }
  const std::string answers = place_.data().Answers(data_);
  fs::remove_all(data_);
  ASSERT_TRUE(Restore(backup_, data_, {}));
  EXPECT_EQ(place_.data().Answers(data_), answers);
}

}  // namespace
}  // namespace throughline::store::backup
