// How databases are opened, and what their errors say.
#include "store/sqlite/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>  // mkdtemp

#include <filesystem>
#include <fstream>

#include "correlate/check.h"

namespace throughline::store::sqlite {
namespace {

using testing::HasSubstr;

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() : directory_(testing::TempDir() + "throughline-database-XXXXXX") {
    TL_CHECK(::mkdtemp(directory_.data()) != nullptr);
  }
  ~DatabaseTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  // A file as finished segments are: nothing beside it.
  std::string Finished(const std::string& name) const {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(Path(name).c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db,
                           "PRAGMA journal_mode = OFF; CREATE TABLE t (a INTEGER) STRICT;"
                           " INSERT INTO t (a) VALUES (7)",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(db);
    return Path(name);
  }

  static Result<std::int64_t> ReadSeven(Database& db) {
    TL_TRY_ASSIGN(auto find, db.Prepare("SELECT a FROM t"));
    auto row = find.Use();
    const std::int64_t value = row.Next() ? row.Integer(0) : 0;
    TL_TRY(row.Finish());
    return value;
  }

  std::string directory_;
};

TEST_F(DatabaseTest, WhatIsReadOnlyIsNotWritten) {
  for (const OpenOptions& options : {OpenOptions{.read_only = true}, {.immutable = true}}) {
    const std::string path = Finished(options.immutable ? "immutable" : "read only");
    auto db = Database::Open(path, options);
    ASSERT_TRUE(db) << db.error().message;
    EXPECT_EQ(ReadSeven(*db).value(), 7);
    const auto written = db->Run("INSERT INTO t (a) VALUES (8)");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::kUnavailable);
    EXPECT_EQ(written.error().message, "read-only: " + path);
  }
}

TEST_F(DatabaseTest, ImmutableLooksForNothingBesideTheFile) {
  const std::string path = Finished("segment.db");
  std::ofstream(path + "-wal") << "not looked at";
  std::ofstream(path + "-journal") << "not looked at";
  auto db = Database::Open(path, {.immutable = true});
  ASSERT_TRUE(db) << db.error().message;
  EXPECT_EQ(ReadSeven(*db).value(), 7);
}

// A data directory may have any name.
TEST_F(DatabaseTest, ImmutableTakesAnyPath) {
  for (const char* name : {"a?mode=rw", "a#b", "a%41", "a b", "a%3f?#", "file:a"}) {
    auto db = Database::Open(Finished(name), {.immutable = true});
    ASSERT_TRUE(db) << name << ": " << db.error().message;
    EXPECT_EQ(ReadSeven(*db).value(), 7) << name;
  }
}

TEST_F(DatabaseTest, WhatIsMissingIsNotMadeByAReader) {
  for (const OpenOptions& options : {OpenOptions{.read_only = true}, {.immutable = true}}) {
    const auto db = Database::Open(Path("missing"), options);
    ASSERT_FALSE(db);
    EXPECT_EQ(db.error().code, Errc::kUnavailable);
    EXPECT_EQ(db.error().message,
              "cannot open: " + Path("missing") + ": No such file or directory");
    EXPECT_FALSE(std::filesystem::exists(Path("missing")));
  }
}

TEST_F(DatabaseTest, WhatIsNoDatabaseIsDataLoss) {
  const std::string path = Path("noise");
  std::ofstream(path) << std::string(8192, 'x');
  for (const OpenOptions& options :
       {OpenOptions{}, {.read_only = true}, {.immutable = true}, {.checkpoint = false}}) {
    const auto db = Database::Open(path, options);
    ASSERT_FALSE(db);
    EXPECT_EQ(db.error().code, Errc::kDataLoss);
    EXPECT_EQ(db.error().message, "damaged: " + path + ": file is not a database");
  }
}

TEST_F(DatabaseTest, AnUnknownVfsIsNamed) {
  const auto db = Database::Open(Path("a"), {.vfs = "nobody"});
  ASSERT_FALSE(db);
  EXPECT_THAT(db.error().message, HasSubstr("nobody"));
}

TEST_F(DatabaseTest, AnotherWriterIsNamed) {
  const std::string path = Path("a");
  auto first = Database::Open(path, {});
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->Run("CREATE TABLE t (a INTEGER) STRICT"));
  const auto second = Database::Open(path, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "in use by another program: " + path);
}

TEST_F(DatabaseTest, ErrorsOfSqlCarryThePath) {
  auto db = Database::Open(Path("a"), {});
  ASSERT_TRUE(db);
  const auto prepared = db->Prepare("SELECT a FROM absent");
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().message, "sqlite: " + Path("a") + ": no such table: absent");
}

}  // namespace
}  // namespace throughline::store::sqlite
