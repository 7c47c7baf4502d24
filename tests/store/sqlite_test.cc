// What only the durable store promises: its files, their versions, and its lock.
#include "store/sqlite/sqlite_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>  // mkdtemp

#include <filesystem>
#include <fstream>

#include "correlate/check.h"
#include "correlate/identity.h"

namespace throughline::store {
namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() : directory_(testing::TempDir() + "throughline-sqlite-XXXXXX") {
    TL_CHECK(::mkdtemp(directory_.data()) != nullptr);
  }
  ~SqliteStoreTest() override { std::filesystem::remove_all(directory_); }

  Result<std::unique_ptr<SqliteStore>> Open() {
    return SqliteStore::Open({.directory = directory_, .hot_bytes = 16U << 20U});
  }

  static Appending OneSpan(const Store& store, std::uint64_t number) {
    auto batch = std::make_shared<Batch>();
    Span span;
    span.trace_id = {1, number};
    span.span_id = {number};
    span.name = "work";
    span.start_unix_ns = 1000;
    span.attributes = {0, 1};
    batch->attributes.push_back(
        MakeStringAttribute("number", std::to_string(number), store.hash_seed(), batch->arena));
    span.identity = IdentityOf(span, *batch, store.hash_seed());
    batch->spans.push_back(span);
    return {.tenant = "default", .batch = batch, .arrival_unix_ns = 5000};
  }

  static Appending OneGauge(const Store& store, std::uint64_t time_unix_ns) {
    auto batch = std::make_shared<Batch>();
    GaugePoint point;
    point.time_unix_ns = time_unix_ns;
    point.value = 0.5;
    point.metric = "container.cpu.usage";
    point.labels = {0, 1};
    batch->attributes.push_back(MakeStringAttribute("cpu", "0", store.hash_seed(), batch->arena));
    point.identity = IdentityOf(point, *batch, store.hash_seed());
    batch->gauges.push_back(point);
    return {.tenant = "default", .batch = batch, .arrival_unix_ns = 5000};
  }

  // The first column of each row.
  std::string Query(const std::string& file, const std::string& sql) const {
    std::string rows;
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open((directory_ + "/" + file).c_str(), &db), SQLITE_OK);
    const auto add = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) += std::string(values[0]) + ";";
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), add, &rows, nullptr), SQLITE_OK);
    sqlite3_close(db);
    return rows;
  }

  // Runs SQL on a file of the closed store, as another program would.
  void Edit(const std::string& file, const std::string& sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((directory_ + "/" + file).c_str(), &db), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(db);
  }

  std::string directory_;
};

TEST_F(SqliteStoreTest, OneProcessHoldsADirectory) {
  const auto first = Open();
  ASSERT_TRUE(first);
  const auto second = Open();
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("LOCK"), std::string::npos) << second.error().message;
}

TEST_F(SqliteStoreTest, ANewerSchemaRefusesToStart) {
  ASSERT_TRUE(Open());
  for (const char* file : {"catalog.db", "tail-0-1.db"}) {
    const std::string version = Query(file, "PRAGMA user_version");
    Edit(file, "PRAGMA user_version = 99");
    const auto opened = Open();
    ASSERT_FALSE(opened) << file;
    EXPECT_EQ(opened.error().code, Errc::kDataLoss);
    EXPECT_NE(opened.error().message.find(file), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find("newer"), std::string::npos) << opened.error().message;
    Edit(file, "PRAGMA user_version = " + version);
  }
  EXPECT_TRUE(Open());
}

TEST_F(SqliteStoreTest, AFileOfAnotherProgramRefusesToStart) {
  ASSERT_TRUE(Open());
  Edit("catalog.db", "PRAGMA application_id = 7");
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("application_id"), std::string::npos);
}

TEST_F(SqliteStoreTest, ARowOfANewerFormatRefusesToStart) {
  {
    auto opened = Open();
    ASSERT_TRUE(opened);
    const Appending appending = OneSpan(**opened, 1);
    ASSERT_TRUE((*opened)->Append({&appending, 1}));
  }
  Edit("tail-0-1.db", "UPDATE tail SET format = 3");
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("format 3"), std::string::npos) << opened.error().message;
}

TEST_F(SqliteStoreTest, ADamagedRowRefusesToStartByName) {
  {
    auto opened = Open();
    ASSERT_TRUE(opened);
    const Appending appending = OneSpan(**opened, 1);
    ASSERT_TRUE((*opened)->Append({&appending, 1}));
  }
  // Every length that a record could be cut to.
  Edit("tail-0-1.db", "CREATE TABLE kept AS SELECT * FROM tail");
  for (int size = 1; size < 120; size += 7) {
    Edit("tail-0-1.db", "UPDATE tail SET records = (SELECT substr(records, 1, " +
                            std::to_string(size) + ") FROM kept)");
    const auto opened = Open();
    if (opened) continue;  // A whole record fits.
    EXPECT_EQ(opened.error().code, Errc::kDataLoss);
  }
  Edit("tail-0-1.db", "UPDATE tail SET records = (SELECT records FROM kept)");
  const auto opened = Open();
  ASSERT_TRUE(opened);
  const auto trace = (*opened)->FindTrace({}, {1, 1}, {});
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->records.spans.size(), 1u);
}

// Whatever byte of a row is another one: it is refused, or read; never more than that.
TEST_F(SqliteStoreTest, AnyFlippedByteOfARowIsRefusedOrRead) {
  {
    auto opened = Open();
    ASSERT_TRUE(opened);
    const Appending appendings[] = {OneSpan(**opened, 1), OneGauge(**opened, 1'000'000'000'000)};
    ASSERT_TRUE((*opened)->Append(appendings));
  }
  std::filesystem::copy(directory_, directory_ + "-kept");
  int refused = 0;
  for (const char* column : {"records", "dictionary"}) {
    for (int at = 0; at < 160; at += 3) {
      for (const char* byte : {"00", "7f", "ff"}) {
        const std::string name = column;
        Edit("tail-0-1.db", "UPDATE tail SET " + name + " = CAST(substr(" + name + ", 1, " +
                                std::to_string(at) + ") || x'" + byte + "' || substr(" + name +
                                ", " + std::to_string(at + 2) + ") AS BLOB) WHERE length(" + name +
                                ") > " + std::to_string(at));
        if (auto opened = Open()) {
          EXPECT_TRUE((*opened)->FindTrace({}, {1, 1}, {}));
          EXPECT_TRUE((*opened)->FindGauges({}, {}));
        } else {
          EXPECT_EQ(opened.error().code, Errc::kDataLoss);
          ++refused;
        }
        std::filesystem::remove_all(directory_);
        std::filesystem::copy(directory_ + "-kept", directory_);
      }
    }
  }
  EXPECT_GT(refused, 30);
  std::filesystem::remove_all(directory_ + "-kept");
}

// What an older version can read is written so that it can.
TEST_F(SqliteStoreTest, OnlyRowsWithGaugesAreOfFormat2) {
  {
    auto opened = Open();
    ASSERT_TRUE(opened);
    Store& store = **opened;
    const Appending span = OneSpan(store, 1);
    const Appending gauge = OneGauge(store, 1'000'000'000'000);
    ASSERT_TRUE(store.Append({&span, 1}));
    ASSERT_TRUE(store.Append({&gauge, 1}));
    ASSERT_TRUE(store.Append({&gauge, 1}));  // A retry writes nothing.
    const Appending more[] = {OneSpan(store, 2), OneGauge(store, 2'000'000'000'000)};
    ASSERT_TRUE(store.Append(more));
  }
  EXPECT_EQ(Query("tail-0-1.db", "SELECT format FROM tail ORDER BY seq"), "1;2;1;2;");
  const auto opened = Open();
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->Usage().gauges, 2u);
  EXPECT_EQ((*opened)->FindGauges({}, {})->records.gauges.size(), 2u);
}

TEST_F(SqliteStoreTest, ADamagedRecordOfGaugesRefusesToStart) {
  {
    auto opened = Open();
    ASSERT_TRUE(opened);
    const Appending appending = OneGauge(**opened, 1'000'000'000'000);
    ASSERT_TRUE((*opened)->Append({&appending, 1}));
  }
  Edit("tail-0-1.db", "CREATE TABLE kept AS SELECT * FROM tail");
  const auto refused = [this](const std::string& records) {
    Edit("tail-0-1.db", "UPDATE tail SET records = (SELECT " + records + " FROM kept)");
    const auto opened = Open();
    return !opened && opened.error().code == Errc::kDataLoss;
  };
  for (int size = 1; size < 44; ++size) {
    EXPECT_TRUE(refused("substr(records, 1, " + std::to_string(size) + ")")) << size;
  }
  // A count that cannot be, a series that is not in the dictionary, a kind that nobody knows.
  const auto byte = [](int at, const std::string& hex) {
    return "CAST(substr(records, 1, " + std::to_string(at) + ") || x'" + hex +
           "' || substr(records, " + std::to_string(at + 2) + ") AS BLOB)";
  };
  EXPECT_TRUE(refused(byte(12, "02")));
  EXPECT_TRUE(refused(byte(14, "02")));
  EXPECT_TRUE(refused(byte(32, "7f")));
  EXPECT_TRUE(refused(byte(32, "00")));
  EXPECT_TRUE(refused(byte(8, "05")));
  EXPECT_FALSE(refused("records"));
}

// What its rows mean is in the catalog.
TEST_F(SqliteStoreTest, ATailWithoutItsCatalogRefusesToStart) {
  {
    auto opened = Open();
    ASSERT_TRUE(opened);
    const Appending appending = OneSpan(**opened, 1);
    ASSERT_TRUE((*opened)->Append({&appending, 1}));
  }
  Edit("tail-0-1.db", "UPDATE tail SET tenant = 2");
  auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kDataLoss);
  EXPECT_NE(opened.error().message.find("tenant 2"), std::string::npos) << opened.error().message;
  Edit("tail-0-1.db", "UPDATE tail SET tenant = 1");
  EXPECT_TRUE(Open());
  Edit("catalog.db", "DELETE FROM setting");
  opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kDataLoss);
  EXPECT_NE(opened.error().message.find("seed"), std::string::npos) << opened.error().message;
}

// SQLite by itself would begin anew, over all that was acknowledged.
TEST_F(SqliteStoreTest, AnUnreadableBeginningIsNotWrittenOver) {
  {
    auto opened = Open();
    ASSERT_TRUE(opened);
    const Appending appending = OneSpan(**opened, 1);
    ASSERT_TRUE((*opened)->Append({&appending, 1}));
  }
  const std::string wal = directory_ + "/tail-0-1.db-wal";
  const auto flip = [&wal](int offset) {
    std::fstream file(wal, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const int byte = file.get();
    file.seekp(offset);
    file.put(static_cast<char>(byte ^ 1));
  };
  const auto expect_refused = [&](const std::string& what) {
    const auto opened = Open();
    ASSERT_FALSE(opened) << what;
    EXPECT_EQ(opened.error().code, Errc::kDataLoss) << what;
    EXPECT_NE(opened.error().message.find(wal), std::string::npos) << opened.error().message;
  };
  for (const int offset : {0, 12, 16, 31, 32, 55, 56, 3000, 10'000}) {
    flip(offset);
    expect_refused(std::to_string(offset));
    flip(offset);
  }
  std::filesystem::rename(directory_ + "/tail-0-1.db", directory_ + "/aside");
  expect_refused("missing");
  std::ofstream(directory_ + "/tail-0-1.db").close();
  expect_refused("empty");
  std::filesystem::rename(directory_ + "/aside", directory_ + "/tail-0-1.db");
  const auto opened = Open();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->Usage().spans, 1u);
}

// An append that the disk refuses leaves nothing behind, neither in memory nor in the file, and
// the same records can be appended again.
TEST_F(SqliteStoreTest, WhatTheDiskRefusedCanBeTriedAgain) {
  auto opened = Open();
  ASSERT_TRUE(opened);
  SqliteStore& store = **opened;
  const Appending first = OneSpan(store, 1);
  ASSERT_TRUE(store.Append({&first, 1}));

  // Too many tenants fails after other requests of the group were staged.
  auto limited = SqliteStore::Open({.directory = directory_ + "/other", .tenants = 1});
  ASSERT_TRUE(limited);
  Appending good = OneSpan(**limited, 2);
  Appending bad = OneSpan(**limited, 3);
  bad.tenant = "another";
  const Appending group[] = {good, bad};
  const auto refused = (*limited)->Append(group);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kOverloaded);
  EXPECT_TRUE((*limited)->FindTrace({}, {1, 2}, {})->matches.empty());
  const auto again = (*limited)->Append({&good, 1});
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)[0].spans, 1u);
  EXPECT_EQ((*again)[0].deduplicated_spans, 0u);
}

// A request that is refused before anything of it was staged takes nothing from the one before.
TEST_F(SqliteStoreTest, ATenantTooManyCostsTheOthersNothing) {
  const auto open = [this] { return SqliteStore::Open({.directory = directory_, .tenants = 1}); };
  const auto number_of = [](const Store& store, std::uint64_t number) {
    const auto found = store.FindTrace({}, {1, number}, {});
    if (!found || found->records.spans.size() != 1) return std::string("none");
    const Batch& batch = found->records;
    return ValueText(batch.Of(batch.spans[0].attributes)[0].value());
  };
  {
    auto opened = open();
    ASSERT_TRUE(opened);
    SqliteStore& store = **opened;
    for (std::uint64_t number = 1; number <= 3; ++number) {
      const Appending good = OneSpan(store, number);
      Appending bad = OneSpan(store, 10 + number);
      bad.tenant = "another";
      ASSERT_TRUE(store.Append({&good, 1}));
      ASSERT_FALSE(store.Append({&bad, 1}));
      EXPECT_EQ(number_of(store, number), std::to_string(number));
    }
  }
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error().message;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    EXPECT_EQ(number_of(**opened, number), std::to_string(number));
  }
}

}  // namespace
}  // namespace throughline::store
