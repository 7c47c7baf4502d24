// The disk that tests break, itself.
#include "tests/store/faulty_vfs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>  // mkdtemp

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

#include "correlate/check.h"
#include "store/sqlite/database.h"

namespace throughline::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A file of the VFS, without a database in it.
class RawFile {
 public:
  RawFile(const FaultyVfs& disk, const std::string& path, int kind = SQLITE_OPEN_MAIN_DB)
      : vfs_(sqlite3_vfs_find(disk.name())),
        name_(sqlite3_create_filename(path.c_str(), "", "", 0, nullptr)),
        memory_(static_cast<std::size_t>(vfs_->szOsFile) / sizeof(std::max_align_t) + 1) {
    opened_ = vfs_->xOpen(vfs_, name_, file(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | kind,
                          nullptr);
  }
  ~RawFile() {
    Close();
    sqlite3_free_filename(name_);
  }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  int opened() const { return opened_; }
  int Write(const std::string& bytes, sqlite3_int64 offset) {
    return methods().xWrite(file(), bytes.data(), static_cast<int>(bytes.size()), offset);
  }
  int Truncate(sqlite3_int64 size) { return methods().xTruncate(file(), size); }
  int Sync() { return methods().xSync(file(), SQLITE_SYNC_NORMAL); }
  void Close() {
    if (opened_ == SQLITE_OK) methods().xClose(file());
    opened_ = SQLITE_MISUSE;
  }

 private:
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }
  const sqlite3_io_methods& methods() {
    TL_CHECK(opened_ == SQLITE_OK);
    return *file()->pMethods;
  }

  sqlite3_vfs* vfs_;
  sqlite3_filename name_;
  std::vector<std::max_align_t> memory_;
  int opened_ = SQLITE_MISUSE;
};

class FaultyVfsTest : public testing::Test {
 protected:
  FaultyVfsTest() : directory_(testing::TempDir() + "throughline-faulty-XXXXXX") {
    TL_CHECK(::mkdtemp(directory_.data()) != nullptr);
  }
  ~FaultyVfsTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  std::string Content(const std::string& name) const {
    std::ifstream file(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::vector<std::string> Names() const { return sqlite::SystemFiles().List(directory_).value(); }
  // A file whose content and name are durable.
  void Durable(FaultyVfs& disk, const std::string& name, const std::string& bytes) const {
    RawFile file(disk, Path(name));
    if (!bytes.empty()) {
      ASSERT_EQ(file.Write(bytes, 0), SQLITE_OK);
    }
    ASSERT_EQ(file.Sync(), SQLITE_OK);
    ASSERT_TRUE(disk.files().SyncDirectory(directory_));
  }

  std::string directory_;
};

TEST_F(FaultyVfsTest, FailsTheCallsItIsTold) {
  FaultyVfs disk;
  RawFile file(disk, Path("a-wal"));
  disk.Fail({.operation = Operation::kWrite, .path = "-wal", .first = 2, .count = 2});
  disk.Fail({.operation = Operation::kWrite, .path = "-journal", .count = kForGood});
  disk.Fail({.operation = Operation::kSync, .count = kForGood, .code = SQLITE_FULL});
  EXPECT_EQ(file.Write("1", 0), SQLITE_OK);
  EXPECT_EQ(file.Write("2", 0), SQLITE_IOERR_WRITE);
  EXPECT_EQ(file.Write("3", 0), SQLITE_IOERR_WRITE);
  EXPECT_EQ(file.Write("4", 0), SQLITE_OK);
  EXPECT_EQ(file.Sync(), SQLITE_FULL);
  EXPECT_EQ(file.Sync(), SQLITE_FULL);
  EXPECT_EQ(disk.calls(Operation::kWrite), 4u);
  EXPECT_EQ(disk.failed_calls(), 4u);
  disk.Heal();
  EXPECT_EQ(file.Sync(), SQLITE_OK);
  EXPECT_EQ(disk.calls(Operation::kWrite), 0u);
  EXPECT_EQ(disk.failed_calls(), 0u);
  EXPECT_EQ(Content("a-wal"), "4");
}

TEST_F(FaultyVfsTest, FilesFailToo) {
  FaultyVfs disk;
  Durable(disk, "a", "1");
  disk.Fail({.operation = Operation::kRename, .code = SQLITE_FULL});
  disk.Fail({.operation = Operation::kSyncDirectory, .code = SQLITE_READONLY});
  disk.Fail({.operation = Operation::kDelete});
  sqlite::Files& files = disk.files();
  EXPECT_EQ(files.Rename(Path("a"), Path("b")).error().message, "disk full: " + Path("a"));
  EXPECT_EQ(files.SyncDirectory(directory_).error().message, "read-only: " + directory_);
  EXPECT_EQ(files.Remove(Path("a")).error().message,
            "cannot remove: " + Path("a") + ": Input/output error");
  EXPECT_THAT(Names(), ElementsAre("a"));
  EXPECT_TRUE(files.Remove(Path("a")));
  EXPECT_FALSE(files.SyncFile(Path("a")));  // Not there, without any fault.
  EXPECT_FALSE(files.SizeOf(Path("a")));
}

TEST_F(FaultyVfsTest, EffectsDifferInWhatIsLeft) {
  FaultyVfs disk;
  Durable(disk, "a", "0000");
  RawFile file(disk, Path("a"));
  disk.Fail({.operation = Operation::kWrite, .effect = Effect::kTears});
  EXPECT_EQ(file.Write("1111", 0), SQLITE_IOERR_WRITE);
  EXPECT_EQ(Content("a"), "1100");
  disk.Fail({.operation = Operation::kWrite, .effect = Effect::kComesLate});
  EXPECT_EQ(file.Write("2222", 0), SQLITE_IOERR_WRITE);
  EXPECT_EQ(Content("a"), "2222");
  disk.Fail({.operation = Operation::kSync, .effect = Effect::kForgets});
  EXPECT_EQ(file.Sync(), SQLITE_IOERR_FSYNC);
  EXPECT_EQ(file.Write("3", 3), SQLITE_OK);
  EXPECT_EQ(file.Sync(), SQLITE_OK);
  EXPECT_EQ(file.Write("4", 0), SQLITE_OK);
  disk.Fail({.operation = Operation::kSync, .effect = Effect::kPowerOff});
  EXPECT_EQ(file.Sync(), SQLITE_IOERR_FSYNC);
  EXPECT_TRUE(disk.is_off());
  EXPECT_EQ(file.Write("5", 0), SQLITE_IOERR_WRITE);
  EXPECT_EQ(RawFile(disk, Path("b")).opened(), SQLITE_CANTOPEN);
  file.Close();
  disk.PowerOn({});
  EXPECT_FALSE(disk.is_off());
  EXPECT_EQ(Content("a"), "0003");
  EXPECT_THAT(Names(), ElementsAre("a"));
}

TEST_F(FaultyVfsTest, APowerLossLeavesWhatWasSynced) {
  FaultyVfs disk;
  Durable(disk, "a", "synced");
  {
    RawFile file(disk, Path("a"));
    file.Write("lost, and longer", 0);
    file.Truncate(3);
    RawFile created(disk, Path("b"));
    created.Write("its name is not durable", 0);
    created.Sync();
    disk.PowerOff();
  }
  disk.PowerOn({});
  EXPECT_EQ(Content("a"), "synced");
  EXPECT_THAT(Names(), ElementsAre("a"));
}

// Each sector is as it was at some time; over the seeds, each is as it was at any.
TEST_F(FaultyVfsTest, APowerLossTearsBySector) {
  std::set<std::string> seen;
  std::set<char> first_sectors;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    FaultyVfs disk;
    Durable(disk, "a", std::string(1024, 'a'));
    {
      RawFile file(disk, Path("a"));
      file.Write(std::string(2048, 'b'), 0);
      file.Write(std::string(512, 'c'), 0);
      disk.PowerOff();
    }
    disk.PowerOn(seed);
    const std::string left = Content("a");
    seen.insert(left);
    ASSERT_TRUE(left.size() == 1024 || left.size() == 2048) << left.size();
    first_sectors.insert(left[0]);
    for (std::size_t sector = 0; sector < left.size(); sector += 512) {
      ASSERT_EQ(left.substr(sector, 512), std::string(512, left[sector]));
      const std::string may = sector == 0 ? "abc" : sector < 1024 ? "ab" : std::string("\0b", 2);
      ASSERT_NE(may.find(left[sector]), std::string::npos);
    }
    std::filesystem::remove(Path("a"));
  }
  EXPECT_THAT(first_sectors, ElementsAre('a', 'b', 'c'));
  EXPECT_GT(seen.size(), 10u);
}

TEST_F(FaultyVfsTest, ASeedAlwaysLeavesTheSame) {
  std::set<std::string> seen;
  for (int round = 0; round < 3; ++round) {
    FaultyVfs disk;
    {
      Durable(disk, "a", "");
      RawFile file(disk, Path("a"));
      for (int i = 0; i < 50; ++i) file.Write(std::string(700, static_cast<char>(i)), i * 600);
      file.Truncate(20'000);
      disk.PowerOff();
    }
    disk.PowerOn(11);
    seen.insert(Content("a"));
    std::filesystem::remove(Path("a"));
  }
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(FaultyVfsTest, APowerLossUndoesNamesFromTheLastBackwards) {
  std::set<std::vector<std::string>> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    FaultyVfs disk;
    Durable(disk, "old", "old");
    Durable(disk, "new.tmp", "new");
    ASSERT_TRUE(disk.files().Rename(Path("new.tmp"), Path("new")));
    ASSERT_TRUE(disk.files().Remove(Path("old")));
    disk.PowerOn(seed);
    seen.insert(Names());
    for (const std::string& name : Names()) {
      EXPECT_EQ(Content(name), name.substr(0, 3));
      std::filesystem::remove(Path(name));
    }
  }
  using Case = std::vector<std::string>;
  EXPECT_THAT(seen, ElementsAre(Case{"new"}, Case{"new", "old"}, Case{"new.tmp", "old"}));
}

TEST_F(FaultyVfsTest, NamesAreDurableOnceTheDirectoryIsSynced) {
  FaultyVfs disk;
  Durable(disk, "a", "a");
  Durable(disk, "b", "b");
  ASSERT_TRUE(disk.files().Rename(Path("a"), Path("c")));
  ASSERT_TRUE(disk.files().Remove(Path("b")));
  ASSERT_TRUE(disk.files().SyncDirectory(directory_));
  disk.PowerOn({});
  EXPECT_THAT(Names(), ElementsAre("c"));
  EXPECT_EQ(Content("c"), "a");
}

// As the unix VFS syncs the directory with a new journal.
TEST_F(FaultyVfsTest, AJournalsFirstSyncMakesNamesDurable) {
  FaultyVfs disk;
  {
    RawFile database(disk, Path("a"));
    RawFile wal(disk, Path("a-wal"), SQLITE_OPEN_WAL);
    wal.Sync();
  }
  disk.PowerOn({});
  EXPECT_THAT(Names(), ElementsAre("a", "a-wal"));
}

TEST_F(FaultyVfsTest, ADiskThatIsFullTakesWhatFits) {
  FaultyVfs disk;
  Durable(disk, "a", "1234");
  RawFile file(disk, Path("b"));
  disk.LimitBytes(10);
  EXPECT_EQ(file.Write("12345678", 0), SQLITE_FULL);
  EXPECT_EQ(Content("b"), "123456");
  EXPECT_EQ(file.Write("x", 0), SQLITE_OK);  // Needs no more.
  EXPECT_EQ(file.Write("x", 100), SQLITE_FULL);
  EXPECT_EQ(disk.used_bytes(), 10u);
  ASSERT_TRUE(disk.files().Remove(Path("a")));
  EXPECT_EQ(file.Write("78", 6), SQLITE_OK);
  disk.LimitBytes(UINT64_MAX);
  EXPECT_EQ(file.Write("x", 100), SQLITE_OK);
}

TEST_F(FaultyVfsTest, DatabasesShareMemoryAndSurvive) {
  FaultyVfs disk;
  const auto open = [&] {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open_v2(Path("a").c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                              disk.name()),
              SQLITE_OK);
    return db;
  };
  const auto run = [](sqlite3* db, const char* sql) {
    return sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  };
  const auto count = [](sqlite3* db) {
    int rows = -1;
    const auto take = [](void* to, int, char** values, char**) {
      *static_cast<int*>(to) = std::atoi(values[0]);
      return 0;
    };
    sqlite3_exec(db, "SELECT count(*) FROM t", take, &rows, nullptr);
    return rows;
  };
  sqlite3* writer = open();
  ASSERT_EQ(run(writer,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                "CREATE TABLE t (a INTEGER); INSERT INTO t (a) VALUES (1)"),
            SQLITE_OK);
  sqlite3* reader = open();
  EXPECT_EQ(count(reader), 1);
  EXPECT_EQ(run(writer, "INSERT INTO t (a) VALUES (2)"), SQLITE_OK);
  EXPECT_EQ(count(reader), 2);
  EXPECT_GT(disk.calls(Operation::kShmMap), 0u);
  EXPECT_THAT(Names(), ElementsAre("a", "a-shm", "a-wal"));
  disk.PowerOff();
  EXPECT_NE(run(writer, "INSERT INTO t (a) VALUES (3)"), SQLITE_OK);
  sqlite3_close(reader);
  sqlite3_close(writer);
  disk.PowerOn({});
  EXPECT_THAT(Names(), ElementsAre("a", "a-wal"));
  writer = open();
  EXPECT_EQ(count(writer), 2);
  sqlite3_close(writer);
}

TEST_F(FaultyVfsTest, FlippedBitsAreReadOnly) {
  FaultyVfs disk;
  {
    auto db = sqlite::Database::Open(Path("a"), {.vfs = disk.name()});
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->Run("CREATE TABLE t (a INTEGER) STRICT"));
  }
  // The kind of the page that is the table.
  disk.FlipOnRead("/a", 4096, 0xff);
  {
    auto db = sqlite::Database::Open(Path("a"), {.vfs = disk.name(), .read_only = true});
    ASSERT_TRUE(db) << db.error().message;
    const auto counted = db->Run("SELECT count(*) FROM t");
    ASSERT_FALSE(counted);
    EXPECT_EQ(counted.error().code, Errc::kDataLoss);
    EXPECT_EQ(counted.error().message,
              "damaged: " + Path("a") + ": database disk image is malformed");
  }
  disk.Heal();
  auto db = sqlite::Database::Open(Path("a"), {.vfs = disk.name(), .read_only = true});
  ASSERT_TRUE(db);
  EXPECT_TRUE(db->Run("SELECT count(*) FROM t"));
}

}  // namespace
}  // namespace throughline::store
