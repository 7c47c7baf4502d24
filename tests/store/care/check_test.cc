// Damage made on purpose: never a crash, always a finding that names the file, unless every answer
// is what it was.
#include "store/care/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "store/care/lock.h"
#include "tests/store/care/data_directory.h"

namespace throughline::store::care {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class CheckTest : public testing::Test {
 protected:
  CheckTest() { directory_.Fill(); }

  std::string Said() const {
    const auto report = Check(directory_.path(), {});
    if (!report) return "error: " + report.error().message;
    std::string lines;
    for (const Finding& finding : report->findings) lines += Line(finding) + '\n';
    return lines;
  }
  // Whether files are as they were.
  std::string Listing() const {
    std::string text;
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      text += entry.path().filename().string() + ' ' + std::to_string(entry.file_size()) + '\n';
    }
    return text;
  }

  DataDirectory directory_;
};

TEST_F(CheckTest, AWholeDirectoryHasNothingToSayAndIsNotTouched) {
  const std::string before = Listing();
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(Listing(), before);
  const auto report = Check(directory_.path(), {});
  EXPECT_EQ(report->segments.size(), 2u);
  EXPECT_EQ(report->tails.size(), 1u);
  EXPECT_EQ(report->tails[0].good_rows, 30u);
  EXPECT_EQ(report->records, 120u * 7);
}

TEST_F(CheckTest, TheLockSaysWhoHoldsIt) {
  const auto store = directory_.Open(directory_.path());
  const auto lock = TakeLock(directory_.path());
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("LOCK"));
  EXPECT_THAT(lock.error().message, HasSubstr(std::to_string(::getpid())));
  EXPECT_FALSE(TakeLock(directory_.path() + "/none"));
}

TEST_F(CheckTest, AnyFlippedByteOfASegmentIsFound) {
  std::mt19937_64 random(7);
  const std::uint64_t bytes = directory_.SizeOf("seg-0-1.db");
  for (int round = 0; round < 400; ++round) {
    const std::uint64_t offset = random() % (round < 60 ? 200 : bytes);
    SCOPED_TRACE(offset);
    const unsigned mask = 1U << (random() % 8);
    directory_.Flip("seg-0-1.db", offset, mask);
    EXPECT_THAT(Said(), HasSubstr("seg-0-1.db: "));
    directory_.Flip("seg-0-1.db", offset, mask);
  }
  EXPECT_EQ(Said(), "");
}

// A catalog that was lost, or is of an older version, has no hash of the file: its pages have.
TEST_F(CheckTest, WithoutAHashAnyFlippedByteIsFoundToo) {
  directory_.Edit("catalog.db", "UPDATE segment SET hash = 0");
  std::mt19937_64 random(8);
  const std::uint64_t bytes = directory_.SizeOf("seg-0-1.db");
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t offset = random() % bytes;
    SCOPED_TRACE(offset);
    directory_.Flip("seg-0-1.db", offset);
    EXPECT_THAT(Said(), HasSubstr("seg-0-1.db: "));
    directory_.Flip("seg-0-1.db", offset);
  }
}

TEST_F(CheckTest, AnyFlippedByteOfATailsLogIsFoundOrWithoutConsequence) {
  const std::string answers = directory_.Answers();
  directory_.Restore();
  std::mt19937_64 random(9);
  for (const char* file : {"tail-0-3.db-wal", "tail-0-3.db"}) {
    const std::uint64_t bytes = directory_.SizeOf(file);
    int found = 0;
    for (int round = 0; round < 120; ++round) {
      const std::uint64_t offset = random() % (round < 40 ? 120 : bytes);
      SCOPED_TRACE(std::string(file) + ' ' + std::to_string(offset));
      directory_.Flip(file, offset);
      const std::string said = Said();
      if (said.empty()) {
        EXPECT_EQ(directory_.Answers(), answers);
        directory_.Restore();
      } else {
        EXPECT_THAT(said, HasSubstr("tail-0-3.db: "));
        ++found;
        directory_.Flip(file, offset);
      }
      if (HasFailure()) return;
    }
    EXPECT_GE(found, std::string(file).ends_with("wal") ? 100 : 0);
  }
  EXPECT_EQ(Said(), "");
}

TEST_F(CheckTest, AFlippedByteOfTheCatalogNeverCrashes) {
  directory_.Edit("catalog.db", "SELECT 1 FROM tenant");  // All of it is in the file then.
  const std::uint64_t bytes = directory_.SizeOf("catalog.db");
  std::mt19937_64 random(10);
  int found = 0;
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t offset = random() % (round < 100 ? 100 : bytes);
    const unsigned mask = 1U << (random() % 8);
    directory_.Flip("catalog.db", offset, mask);
    if (!Said().empty()) ++found;
    directory_.Flip("catalog.db", offset, mask);
  }
  EXPECT_GT(found, 30);
  EXPECT_EQ(Said(), "");
}

// Stops once it has seen so many segments.
Work StopAfter(int segments) {
  auto seen = std::make_shared<std::pair<std::string, int>>();
  return {.progress =
              [seen](std::string_view file, std::uint64_t) {
                if (seen->first == file || !file.starts_with("seg-")) return;
                seen->first = file;
                ++seen->second;
              },
          .stop_asked = [seen, segments] { return seen->second > segments; }};
}

TEST_F(CheckTest, OneThatWasStoppedGoesOnBehindWhatItFoundWhole) {
  Checked checked = Checked::Load(directory_.path());
  const auto stopped = Check(directory_.path(), StopAfter(1), &checked);
  ASSERT_FALSE(stopped);
  EXPECT_TRUE(IsStop(stopped.error()));
  ASSERT_EQ(checked.size(), 1u);
  ASSERT_TRUE(checked.Save());
  Checked loaded = Checked::Load(directory_.path());
  const auto report = Check(directory_.path(), {}, &loaded);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->known_segments, 1u);
  EXPECT_THAT(report->findings, testing::IsEmpty());  // Of its own state neither.
  const auto anew = Check(directory_.path(), {});
  EXPECT_EQ(anew->known_segments, 0u);
  EXPECT_EQ(report->records, anew->records);
  EXPECT_EQ(report->bytes, anew->bytes);
  EXPECT_EQ(report->most_tenant, anew->most_tenant);
  EXPECT_TRUE(loaded.Remove());
  EXPECT_EQ(Checked::Load(directory_.path()).size(), 0u);
}

TEST_F(CheckTest, WhatChangedSinceIsReadAgain) {
  Checked checked = Checked::Load(directory_.path());
  ASSERT_TRUE(Check(directory_.path(), {}, &checked));
  ASSERT_EQ(checked.size(), 2u);
  directory_.Flip("seg-0-1.db", 5000);
  const auto touched = Check(directory_.path(), {}, &checked);
  EXPECT_EQ(touched->known_segments, 1u);
  EXPECT_FALSE(touched->findings.empty());
  directory_.Restore();
  directory_.Edit("catalog.db", "UPDATE segment SET spans = spans + 1, hash = hash + 1");
  const auto relisted = Check(directory_.path(), {}, &checked);
  EXPECT_EQ(relisted->known_segments, 0u);
  EXPECT_FALSE(relisted->findings.empty());
}

TEST_F(CheckTest, AStateThatIsNoneIsNothing) {
  for (const char* text : {"", "{", "[]", "{\"version\":2,\"whole\":[{\"file\":\"seg-0-1.db\"}]}",
                           "{\"version\":1,\"whole\":[{\"file\":7}]}",
                           "{\"version\":1,\"whole\":[{\"file\":\"seg-0-1.db\",\"bytes\":-1}"}) {
    SCOPED_TRACE(text);
    std::ofstream(directory_.PathOf("fsck.state")) << text;
    EXPECT_EQ(Checked::Load(directory_.path()).size(), 0u);
  }
}

struct Damage {
  const char* name;
  void (*make)(const DataDirectory& directory);
  const char* says;
};

void Touch(const DataDirectory& directory, const char* name) {
  std::ofstream(directory.PathOf(name)) << "x";
}

const Damage kDamages[] = {
    {"MissingSegment", [](const DataDirectory& d) { fs::remove(d.PathOf("seg-0-2.db")); },
     "seg-0-2.db: the catalog lists it, and it is not there; lost: 180 spans, 120 lines"},
    {"UnlistedSegment",
     [](const DataDirectory& d) { d.Edit("catalog.db", "DELETE FROM segment WHERE id = 2"); },
     "seg-0-2.db: the catalog does not list it"},
    {"SealedTail",
     [](const DataDirectory& d) {
       d.Edit("catalog.db", "UPDATE setting SET value = 3 WHERE name = 'sealed_tail'");
     },
     "tail-0-3.db: its records were sealed already"},
    {"LeftOver", [](const DataDirectory& d) { Touch(d, "seg-0-3.db.tmp"); },
     "seg-0-3.db.tmp: left over"},
    {"Stranger", [](const DataDirectory& d) { Touch(d, "notes.txt"); },
     "notes.txt: it is not a file of a data directory"},
    {"LostCatalog",
     [](const DataDirectory& d) {
       fs::remove(d.PathOf("catalog.db"));
       fs::remove(d.PathOf("catalog.db-wal"));
     },
     "catalog.db: it is missing"},
    {"NoSeed", [](const DataDirectory& d) { d.Edit("catalog.db", "DELETE FROM setting"); },
     "catalog.db: it has no hash seed"},
    {"FewerTenants",
     [](const DataDirectory& d) { d.Edit("catalog.db", "DELETE FROM tenant WHERE id = 2"); },
     "catalog.db: it has 1 tenants, and there are records of 2"},
    {"NewerCatalog",
     [](const DataDirectory& d) { d.Edit("catalog.db", "PRAGMA user_version = 99"); },
     "catalog.db: it was written by a newer version"},
    {"NotACatalog",
     [](const DataDirectory& d) { d.Edit("catalog.db", "PRAGMA application_id = 5"); },
     "catalog.db: it is not a catalog"},
    {"CountsDiffer",
     [](const DataDirectory& d) { d.Edit("catalog.db", "UPDATE segment SET spans = spans + 2"); },
     "seg-0-1.db: spans: the catalog says 182, there are 180; lost: 2 spans"},
    {"NewerSegment",
     [](const DataDirectory& d) { d.Edit("seg-0-1.db", "PRAGMA user_version = 99"); },
     "seg-0-1.db: it cannot be read: it was written by a newer version"},
    {"MissingBlock",
     [](const DataDirectory& d) { d.Edit("seg-0-1.db", "DELETE FROM block WHERE id = 1"); },
     "seg-0-1.db: block 1 is missing; lost: its records"},
    {"DamagedBlock",
     [](const DataDirectory& d) {
       d.Edit("seg-0-1.db",
              "UPDATE block SET data = substr(data, 1, length(data) / 2) WHERE id = 2");
     },
     "seg-0-1.db: block 2"},
    {"MissingStrings", [](const DataDirectory& d) { d.Edit("seg-0-1.db", "DELETE FROM string"); },
     "names strings that are not there"},
    {"Filter",
     [](const DataDirectory& d) {
       d.Edit("seg-0-1.db",
              "UPDATE meta SET value = zeroblob(length(value)) WHERE name = 'traces'");
     },
     "its filter does not know"},
    {"Search",
     [](const DataDirectory& d) { d.Edit("seg-0-1.db", "DELETE FROM search WHERE kind = 1"); },
     "its search knows 0 of 180 spans"},
    {"SearchPart",
     [](const DataDirectory& d) { d.Edit("seg-0-1.db", "UPDATE search SET data = x'ff'"); },
     "search part 0 of service 1 cannot be read"},
    {"Tags", [](const DataDirectory& d) { d.Edit("seg-0-1.db", "DELETE FROM tag"); },
     "the filters of its attributes are damaged"},
    {"Services",
     [](const DataDirectory& d) { d.Edit("seg-0-1.db", "UPDATE service SET spans = 0"); },
     "its services count 0 spans, there are 180"},
    {"Gauges",
     [](const DataDirectory& d) {
       d.Edit("seg-0-1.db", "UPDATE gauge SET data = x'ff' WHERE series = 3");
     },
     "part 0 of series 3 cannot be read; lost: its gauge points"},
    {"Series",
     [](const DataDirectory& d) { d.Edit("seg-0-1.db", "DELETE FROM series WHERE id = 3"); },
     "its series is missing"},
    {"TailRow",
     [](const DataDirectory& d) {
       d.Edit("tail-0-3.db", "UPDATE tail SET records = substr(records, 1, 99) WHERE seq = 11");
     },
     "tail-0-3.db: request 11 of 30 cannot be replayed: a tail row is damaged; lost: 20 requests"},
    {"TailOfANewerFormat",
     [](const DataDirectory& d) { d.Edit("tail-0-3.db", "UPDATE tail SET format = 9"); },
     "tail-0-3.db: request 1 of 30 cannot be replayed: it is of format 9"},
    {"LogWithoutATail", [](const DataDirectory& d) { fs::remove(d.PathOf("tail-0-3.db")); },
     "tail-0-3.db-wal: the tail that it belongs to is missing; lost: all its requests"},
    {"CutLog",
     [](const DataDirectory& d) {
       for (int at : {60'000, 60'001}) d.Flip("tail-0-3.db-wal", static_cast<std::uint64_t>(at));
     },
     "tail-0-3.db: its WAL is damaged behind commit"},
    {"Seen", [](const DataDirectory& d) { Touch(d, "seen-0-2.db"); },
     "seen-0-2.db: it cannot be read"},
};

class DamageTest : public testing::TestWithParam<Damage> {};

TEST_P(DamageTest, IsNamed) {
  DataDirectory directory;
  directory.Fill();
  GetParam().make(directory);
  const auto report = Check(directory.path(), {});
  ASSERT_TRUE(report) << report.error().message;
  std::string lines;
  for (const Finding& finding : report->findings) lines += Line(finding) + '\n';
  EXPECT_THAT(lines, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Care, DamageTest, testing::ValuesIn(kDamages),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace throughline::store::care
