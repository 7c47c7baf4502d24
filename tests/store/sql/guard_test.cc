// Statements that want more than to ask.
#include "store/sql/guard.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/store/sql/world.h"

namespace throughline::store::sql {
namespace {

class GuardTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = new World(5); }
  static void TearDownTestSuite() {
    delete world_;
    world_ = nullptr;
  }
  static World* world_;
};
World* GuardTest::world_ = nullptr;

constexpr const char* kRefused[] = {
    "CREATE TABLE x(y)",
    "CREATE TEMP TABLE x(y)",
    "CREATE TEMP VIEW x AS SELECT 1",
    "CREATE VIRTUAL TABLE x USING fts5(y)",
    "CREATE VIRTUAL TABLE temp.x USING span",
    "DROP TABLE span",
    "INSERT INTO span(trace_id) VALUES('x')",
    "UPDATE span SET name = 'x'",
    "DELETE FROM span",
    "INSERT INTO sqlite_schema VALUES('table','x','x',1,'x')",
    "UPDATE sqlite_schema SET sql = 'x'",
    "UPDATE sqlite_master SET rootpage = 1",
    "ATTACH 'other.db' AS other",
    "DETACH main",
    "VACUUM INTO 'other.db'",
    "VACUUM",
    "ANALYZE",
    "BEGIN",
    "COMMIT",
    "SAVEPOINT x",
    "PRAGMA writable_schema = ON",
    "PRAGMA temp_store_directory = 'x'",
    "PRAGMA journal_mode",
    "PRAGMA database_list",
    "PRAGMA hard_heap_limit = 0",
    "SELECT * FROM pragma_database_list",
    "SELECT load_extension('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT readfile('x')",
    "SELECT * FROM \"other.db\"",
    "SELECT \"no such column\" FROM span",
};

TEST_F(GuardTest, IsRefused) {
  for (const char* const query : kRefused) {
    const auto rows = world_->Here(query);
    ASSERT_EQ(rows.size(), 1U) << query;
    EXPECT_EQ(rows[0].substr(0, 6), "error:") << query << ": " << rows[0];
  }
  // Nothing of it is left.
  EXPECT_EQ(world_->Here("SELECT count(*) FROM sqlite_schema"), std::vector<std::string>{"0 | "});
}

TEST_F(GuardTest, WhyItIsRefused) {
  EXPECT_EQ(world_->Here("DELETE FROM span")[0].substr(0, 7), "error: ");
  EXPECT_EQ(world_->Here("CREATE TABLE x(y)"),
            std::vector<std::string>{"error: not authorized: the data can be read only: want "
                                     "SELECT, VALUES or EXPLAIN"});
  EXPECT_EQ(world_->Here("ATTACH 'x' AS x"),
            std::vector<std::string>{"error: not authorized: no other files can be opened"});
}

constexpr const char* kTaken[] = {
    "VALUES (1)",
    "EXPLAIN SELECT * FROM span",
    "EXPLAIN QUERY PLAN SELECT * FROM span",
    "PRAGMA table_info(span)",
    "SELECT name FROM pragma_function_list LIMIT 1",
    "SELECT value FROM json_each('[1]')",
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n",
    "SELECT trace_id('4BF92F35-77B3-4DA6-A3CE-929D0E0E4736')",
};

TEST_F(GuardTest, IsTaken) {
  for (const char* const query : kTaken) {
    const auto rows = world_->Here(query);
    ASSERT_FALSE(rows.empty()) << query;
    EXPECT_NE(rows.back().substr(0, 6), "error:") << query << ": " << rows.back();
  }
  EXPECT_EQ(world_->Here(kTaken[7]),
            std::vector<std::string>{"'4bf92f3577b34da6a3ce929d0e0e4736' | "});
  EXPECT_EQ(world_->Here("SELECT trace_id('no id'), trace_id(NULL)"),
            std::vector<std::string>{"NULL | NULL | "});
}

// Each bound says so, and the connection works on.
TEST_F(GuardTest, Bounds) {
  std::string deep = "SELECT ";
  for (int i = 0; i < kExpressionDepth + 10; ++i) deep += "(1+";
  deep += "1";
  for (int i = 0; i < kExpressionDepth + 10; ++i) deep += ")";
  std::string many = "SELECT 1";
  for (int i = 0; i < kCompoundSelects + 10; ++i) many += " UNION ALL SELECT 1";
  const std::string long_text = "SELECT '" + std::string(kStatementBytes, 'x') + "'";
  for (const std::string& query :
       {deep, many, long_text, std::string("SELECT zeroblob(2000000000)"),
        std::string("SELECT group_concat(hex(zeroblob(10000000))) FROM span")}) {
    const auto rows = world_->Here(query);
    ASSERT_EQ(rows.size(), 1U) << query.substr(0, 60);
    EXPECT_EQ(rows[0].substr(0, 6), "error:") << query.substr(0, 60);
  }
  EXPECT_EQ(world_->Here("SELECT 1"), std::vector<std::string>{"1 | "});
}

// A query that would never end, and one that looks at every record over and over.
constexpr const char* kEndless[] = {
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "SELECT count(*) FROM span a, span b, span c, span d, span e WHERE a.name || b.name = 'no'",
    "SELECT count(*) FROM trace a, trace b, trace c, trace d, trace e",
};

TEST_F(GuardTest, EndsWhenItIsCancelled) {
  const auto cancel = std::make_shared<std::atomic<bool>>(true);
  auto sql = Connection::Open(world_->store(), {.cancel = cancel});
  ASSERT_TRUE(sql);
  for (const char* const query : kEndless) {
    std::size_t used = 0;
    cancel->store(true);
    auto statement = (*sql)->Prepare(query, &used);
    ASSERT_TRUE(statement) << statement.error().message;
    const auto stepped = statement->Step();
    ASSERT_FALSE(stepped) << query;
    EXPECT_EQ(stepped.error().code, Errc::kUnavailable) << stepped.error().message;
  }
  cancel->store(false);
  std::size_t used = 0;
  auto statement = (*sql)->Prepare("SELECT count(*) FROM span", &used);
  ASSERT_TRUE(statement);
  EXPECT_TRUE(statement->Step());
}

TEST_F(GuardTest, EndsAtItsDeadline) {
  auto sql = Connection::Open(world_->store(), {});
  ASSERT_TRUE(sql);
  for (const char* const query : kEndless) {
    (*sql)->SetDeadline(std::chrono::steady_clock::now());
    std::size_t used = 0;
    auto statement = (*sql)->Prepare(query, &used);
    ASSERT_TRUE(statement) << statement.error().message;
    const auto stepped = statement->Step();
    ASSERT_FALSE(stepped) << query;
    EXPECT_EQ(stepped.error().code, Errc::kUnavailable);
  }
}

TEST_F(GuardTest, SaysWhereAStatementIsWrong) {
  auto sql = Connection::Open(world_->store(), {});
  ASSERT_TRUE(sql);
  std::size_t used = 0;
  EXPECT_FALSE((*sql)->Prepare("SELECT servce FROM span", &used));
  EXPECT_EQ((*sql)->error_offset(), 7);
  const std::string two = "SELECT 1; SELECT 2";
  ASSERT_TRUE((*sql)->Prepare(two, &used));
  EXPECT_EQ(two.substr(used), " SELECT 2");
}

TEST_F(GuardTest, OneTenantSeesNoOther) {
  auto sql = Connection::Open(world_->store(), {.tenant = "other"});
  ASSERT_TRUE(sql);
  for (const char* const table : {"span", "log", "exemplar", "link", "trace"}) {
    std::size_t used = 0;
    auto rows = (*sql)->Prepare(std::string("SELECT DISTINCT tenant FROM ") + table +
                                    " WHERE tenant IN ('other', 'default')",
                                &used);
    ASSERT_TRUE(rows);
    const auto first = rows->Step();
    ASSERT_TRUE(first && *first) << table;
    EXPECT_EQ(rows->BytesAt(0), "other");
    const auto second = rows->Step();
    ASSERT_TRUE(second);
    EXPECT_FALSE(*second);
  }
}

}  // namespace
}  // namespace throughline::store::sql
