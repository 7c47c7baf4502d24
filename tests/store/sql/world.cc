#include "tests/store/sql/world.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>

#include "correlate/check.h"
#include "store/transfer/export.h"
#include "tests/store/random_records.h"

namespace throughline::store::sql {
namespace {

std::string Cell(CellType type, std::int64_t integer, double real, std::string_view bytes) {
  switch (type) {
    case CellType::kNull: return "NULL";
    case CellType::kInteger: return std::to_string(integer);
    case CellType::kReal: return "real " + std::to_string(real);
    case CellType::kText: return '\'' + std::string(bytes) + '\'';
    case CellType::kBlob: return "blob " + std::string(bytes);
  }
  return {};
}

void Fill(SqliteStore& store, Random& random) {
  constexpr int kRequests = 80;
  for (int i = 0; i < kRequests; ++i) {
    const std::uint64_t arrival = kNow + static_cast<std::uint64_t>(i + 60) * kSecond;
    const std::vector<Appending> group = {{.tenant = random.OneIn(3) ? "other" : "default",
                                           .batch = RandomBatch(random),
                                           .arrival_unix_ns = arrival}};
    const auto appended = store.Append(group);
    ASSERT_TRUE(appended) << appended.error().message;
    // Some segments, one part that waits, and one that is hot.
    if (i % 16 == 15) {
      ASSERT_TRUE(store.Rotate());
    } else if (i % 16 == 5) {
      ASSERT_TRUE(store.Maintain(arrival));
    }
  }
}

void ExportTo(const SqliteStore& store, const std::string& path) {
  const auto output = transfer::OpenSqliteOutput(path);
  ASSERT_TRUE(output) << output.error().message;
  const auto exported = transfer::Export(store, {}, **output,
                                         {.stop = [] { return false; },
                                          .save_due = [] { return false; },
                                          .progress = [](std::uint64_t) {}});
  ASSERT_TRUE(exported) << exported.error().message;
}

}  // namespace

World::World(std::uint64_t seed) {
  std::string folder = (std::filesystem::temp_directory_path() / "sql_test_XXXXXX").string();
  TL_CHECK(::mkdtemp(folder.data()) != nullptr);
  folder_ = folder;
  data_ = folder_ + "/data";
  SqliteStore::Options options;
  options.directory = data_;
  auto opened = SqliteStore::Open(options);
  TL_CHECK(opened.has_value());
  store_ = std::move(*opened);
  sample_hash_seed = store_->hash_seed();
  Random random(seed);
  Fill(*store_, random);
  const std::string path = folder_ + "/tables.db";
  ExportTo(*store_, path);
  TL_CHECK(sqlite3_open_v2(path.c_str(), &tables_, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  auto sql = Connection::Open(store_, {});
  TL_CHECK(sql.has_value());
  sql_ = std::move(*sql);
}

World::~World() {
  sqlite3_close(tables_);
  sql_.reset();
  store_.reset();
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

std::vector<std::string> World::Here(const std::string& query) {
  std::vector<std::string> rows;
  std::size_t used = 0;
  auto statement = sql_->Prepare(query, &used);
  if (!statement) return {"error: " + statement.error().message};
  auto row = statement->Step();
  for (; row && *row; row = statement->Step()) {
    std::string text;
    for (int i = 0; i < statement->column_count(); ++i) {
      const CellType type = statement->TypeOf(i);
      const bool is_bytes = type == CellType::kText || type == CellType::kBlob;
      text += Cell(type, statement->IntegerAt(i), statement->RealAt(i),
                   is_bytes ? statement->BytesAt(i) : std::string_view()) +
              " | ";
    }
    rows.push_back(std::move(text));
  }
  if (!row) rows.push_back("error: " + row.error().message);
  return rows;
}

std::vector<std::string> World::InTables(const std::string& query) {
  std::vector<std::string> rows;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(tables_, query.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    return {std::string("error: ") + sqlite3_errmsg(tables_)};
  }
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
    std::string text;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const int type = sqlite3_column_type(statement, i);
      const CellType cell = type == SQLITE_INTEGER ? CellType::kInteger
                            : type == SQLITE_FLOAT ? CellType::kReal
                            : type == SQLITE_TEXT  ? CellType::kText
                            : type == SQLITE_BLOB  ? CellType::kBlob
                                                   : CellType::kNull;
      const bool is_bytes = cell == CellType::kText || cell == CellType::kBlob;
      const auto* const bytes =
          is_bytes ? static_cast<const char*>(sqlite3_column_blob(statement, i)) : nullptr;
      text += Cell(cell, sqlite3_column_int64(statement, i), sqlite3_column_double(statement, i),
                   bytes == nullptr
                       ? std::string_view()
                       : std::string_view(
                             bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, i)))) +
              " | ";
    }
    rows.push_back(std::move(text));
  }
  if (code != SQLITE_DONE) rows.push_back(std::string("error: ") + sqlite3_errmsg(tables_));
  sqlite3_finalize(statement);
  return rows;
}

std::string World::Plan(const std::string& query) {
  std::string plan;
  std::size_t used = 0;
  auto statement = sql_->Prepare("EXPLAIN QUERY PLAN " + query, &used);
  if (!statement) return statement.error().message;
  for (auto row = statement->Step(); row && *row; row = statement->Step()) {
    plan.append(statement->BytesAt(3)) += '\n';
  }
  return plan;
}

}  // namespace throughline::store::sql
