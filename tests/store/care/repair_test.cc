// What a repair does: the directory is whole behind it, the gateway's store opens it, and what
// could be read is still there. Nothing is gone: it is in hurt/.
#include "store/care/repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/store/care/data_directory.h"
#include "tests/store/sample.h"

namespace throughline::store::care {
namespace {

namespace fs = std::filesystem;

class RepairTest : public testing::Test {
 protected:
  RepairTest() { directory_.Fill(); }

  // Checks, repairs, and checks again; what the repair did.
  std::string Repaired() const {
    const auto report = Check(directory_.path(), {});
    if (!report) return "error: " + report.error().message;
    const auto done = Repair(directory_.path(), *report, {});
    if (!done) return "error: " + done.error().message;
    const auto again = Check(directory_.path(), {});
    if (!again) return "error: " + again.error().message;
    std::string text;
    for (const std::string& line : *done) text += line + '\n';
    for (const Finding& finding : again->findings) text += "still: " + Line(finding) + '\n';
    return text;
  }
  bool IsThere(const std::string& file) const { return fs::exists(directory_.PathOf(file)); }
  std::uint64_t Spans() const {
    const auto store = directory_.Open(directory_.path());
    return store == nullptr ? 0 : store->Usage().spans;
  }

  DataDirectory directory_;
};

using testing::HasSubstr;
using testing::Not;

TEST_F(RepairTest, AWholeDirectoryIsLeftAlone) {
  EXPECT_EQ(Repaired(), "");
  EXPECT_FALSE(IsThere("hurt"));
}

TEST_F(RepairTest, WhatOnlyLeadsToRecordsIsMadeAnew) {
  const std::string answers = directory_.Answers();
  for (const char* const sql :
       {"DELETE FROM search", "DELETE FROM tag", "UPDATE service SET spans = 0",
        "UPDATE meta SET value = zeroblob(length(value)) WHERE name = 'traces'",
        "DELETE FROM meta WHERE name = 'blocks'"}) {
    directory_.Restore();
    directory_.Edit("seg-0-1.db", sql);
    const std::string done = Repaired();
    EXPECT_THAT(done, HasSubstr("seg-0-1.db: what can be read of it is seg-0-3.db")) << sql;
    EXPECT_THAT(done, HasSubstr("180 spans, 120 lines, 60 exemplars, 60 gauge points"));
    EXPECT_THAT(done, Not(HasSubstr("still:")));
    EXPECT_TRUE(IsThere("hurt/seg-0-1.db"));
    EXPECT_EQ(directory_.Answers(), answers) << sql;
  }
}

TEST_F(RepairTest, TheReadableBlocksOfASegmentAreSaved) {
  directory_.Edit("seg-0-1.db", "UPDATE block SET data = x'00' WHERE id = 1");
  const std::string done = Repaired();
  EXPECT_THAT(done, HasSubstr("what can be read of it is seg-0-3.db"));
  EXPECT_THAT(done, Not(HasSubstr("still:")));
  EXPECT_GT(Spans(), 3 * 90u);
  EXPECT_LT(Spans(), 3 * 150u);
}

TEST_F(RepairTest, ASegmentOfWhichNothingCanBeReadIsMovedAside) {
  std::ofstream(directory_.PathOf("seg-0-1.db")) << "nothing of a database";
  EXPECT_THAT(Repaired(), HasSubstr("nothing of it can be read; it is in hurt/"));
  EXPECT_TRUE(IsThere("hurt/seg-0-1.db"));
  EXPECT_EQ(Spans(), 3 * 90u);
}

TEST_F(RepairTest, AMissingSegmentLeavesTheCatalog) {
  fs::remove(directory_.PathOf("seg-0-2.db"));
  EXPECT_EQ(Repaired(), "seg-0-2.db: is no longer in the catalog\n");
  EXPECT_EQ(Spans(), 3 * 90u);
}

TEST_F(RepairTest, ATailIsCutAtItsFirstDamagedRequest) {
  directory_.Edit("tail-0-3.db", "UPDATE tail SET records = substr(records, 1, 99) WHERE seq = 11");
  const std::string done = Repaired();
  EXPECT_THAT(done, HasSubstr("tail-0-3.db: its first 10 requests are seg-0-3.db"));
  EXPECT_THAT(done, Not(HasSubstr("still:")));
  EXPECT_TRUE(IsThere("hurt/tail-0-3.db"));
  EXPECT_EQ(Spans(), 3 * 130u);
}

TEST_F(RepairTest, ATailIsCutWhereItsLogIsDamaged) {
  directory_.Flip("tail-0-3.db-wal", 100'000);
  const std::string done = Repaired();
  EXPECT_THAT(done, HasSubstr("tail-0-3.db: its first "));
  EXPECT_THAT(done, Not(HasSubstr("still:")));
  EXPECT_TRUE(IsThere("hurt/tail-0-3.db-wal"));
  EXPECT_FALSE(IsThere("tail-0-3.db-wal"));
  EXPECT_GT(Spans(), 3 * 120u);
  EXPECT_LT(Spans(), 3 * 150u);
}

TEST_F(RepairTest, ALostCatalogIsMadeOfTheSegments) {
  const std::string answers = directory_.Answers();
  directory_.Restore();
  for (const char* const file : {"catalog.db", "catalog.db-wal"})
    fs::remove(directory_.PathOf(file));
  const std::string done = Repaired();
  EXPECT_THAT(done, HasSubstr("tenant 2 is now called tenant-2"));
  EXPECT_THAT(done, Not(HasSubstr("still:")));
  const auto store = directory_.Open(directory_.path());
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->Usage().spans, 3 * 150u);
  const auto found = store->FindTrace(AsTenant("tenant-2"), {.high = 4, .low = 4 * 7919 + 1}, {});
  EXPECT_EQ(found->records.spans.size(), 3u);
}

TEST_F(RepairTest, ADamagedCatalogKeepsWhatItStillSays) {
  const std::string answers = directory_.Answers();
  directory_.Restore();
  directory_.Edit("catalog.db", "DELETE FROM setting");
  const std::string done = Repaired();
  EXPECT_THAT(done, HasSubstr("catalog.db: written anew, with 2 segments and 2 tenants"));
  EXPECT_THAT(done, Not(HasSubstr("still:")));
  EXPECT_TRUE(IsThere("hurt/catalog.db"));
  EXPECT_EQ(directory_.Answers(), answers);
}

TEST_F(RepairTest, StraysGoAndFilesOfNobodyMoveAside) {
  std::ofstream(directory_.PathOf("seg-0-9.db.tmp")) << "x";
  std::ofstream(directory_.PathOf("notes.txt")) << "mine";
  directory_.Edit("catalog.db", "DELETE FROM segment WHERE id = 2");
  const std::string done = Repaired();
  EXPECT_THAT(done, Not(HasSubstr("still:")));
  EXPECT_FALSE(IsThere("seg-0-9.db.tmp"));
  EXPECT_TRUE(IsThere("hurt/notes.txt"));
  EXPECT_TRUE(IsThere("hurt/seg-0-2.db"));
}

TEST_F(RepairTest, WhatANewerVersionWroteIsNotTouched) {
  directory_.Edit("seg-0-1.db", "PRAGMA user_version = 99");
  EXPECT_THAT(Repaired(), HasSubstr("error: seg-0-1.db: it cannot be read"));
  EXPECT_FALSE(IsThere("hurt"));
}

// Whatever is flipped, a repair leaves a directory that is whole and opens.
TEST_F(RepairTest, AfterAnyFlippedBytesTheDirectoryIsWhole) {
  std::mt19937_64 random(11);
  for (const char* file : {"seg-0-1.db", "tail-0-3.db-wal", "catalog.db"}) {
    for (int round = 0; round < 40; ++round) {
      directory_.Restore();
      const std::uint64_t bytes = directory_.SizeOf(file);
      SCOPED_TRACE(std::string(file) + " round " + std::to_string(round));
      for (int flips = 0; flips < 3; ++flips) {
        directory_.Flip(file, random() % (round < 10 ? 200 : bytes), 1U << (random() % 8));
      }
      const std::string done = Repaired();
      if (done.starts_with("error:")) continue;  // A newer version's, by its number.
      EXPECT_THAT(done, Not(HasSubstr("still:")));
      EXPECT_GT(Spans(), 0u);
    }
  }
}

TEST_F(RepairTest, AStopLeavesWhatCanBeRepairedAgain) {
  directory_.Edit("seg-0-1.db", "DELETE FROM search");
  directory_.Edit("seg-0-2.db", "DELETE FROM search");
  const auto report = Check(directory_.path(), {});
  for (int steps = 0; steps < 4; ++steps) {
    int left = steps;
    const auto stopped =
        Repair(directory_.path(), *report, {.stop_asked = [&left] { return left-- == 0; }});
    ASSERT_FALSE(stopped);
    EXPECT_TRUE(IsStop(stopped.error()));
  }
  EXPECT_THAT(Repaired(), Not(HasSubstr("still:")));
  EXPECT_EQ(Spans(), 3 * 150u);
}

}  // namespace
}  // namespace throughline::store::care
