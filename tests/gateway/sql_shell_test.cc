// Statements one after the other, words with a dot, and what is said when something is wrong.
#include "gateway/sql_shell.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "correlate/check.h"
#include "store/sqlite/sqlite_store.h"
#include "tests/store/sample.h"

namespace throughline::gateway {
namespace {

using store::kNow;
using store::Sample;
using store::SampleLine;
using store::SampleSpan;
using store::sql::Connection;

class SqlShellTest : public testing::Test {
 protected:
  SqlShellTest() {
    std::string folder = (std::filesystem::temp_directory_path() / "shell_XXXXXX").string();
    TL_CHECK(::mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    store::SqliteStore::Options options;
    options.directory = folder_ + "/data";
    auto store = store::SqliteStore::Open(options);
    TL_CHECK(store.has_value());
    store_ = std::move(*store);
    Sample sample(store_->hash_seed());
    sample.From({{"service.name", "pay"}});
    sample.Add(SampleSpan{.trace = {1, 2}, .span = {3}, .name = "charge"});
    sample.Add(SampleLine{.trace = {1, 2}, .body = "card declined"});
    const std::vector<Appending> group = {
        {.tenant = "default", .batch = sample.Finish(), .arrival_unix_ns = kNow}};
    TL_CHECK(store_->Append(group).has_value());
    auto sql = Connection::Open(
        store_, {.cancel = stopped_, .read_time = [](std::string_view) { return kNow; }});
    TL_CHECK(sql.has_value());
    sql_ = std::move(*sql);
  }
  ~SqlShellTest() override {
    sql_.reset();
    store_.reset();
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }

  SqlShell Shell(SqlShell::Options options = {.format = SqlFormat::kCsv}) {
    SqlShell::Hooks hooks;
    hooks.out = [this](std::string_view text) { out_.append(text); };
    hooks.say = [this](std::string_view text) { said_.append(text); };
    hooks.begin = [this] { ++begun_; };
    hooks.stop_asked = [this] { return stopped_->load(); };
    hooks.refresh = [this](bool must) -> Result<std::string> {
      refreshed_ += must ? 1 : 0;
      return std::string(must ? "as it is now\n" : "");
    };
    return {*sql_, options, std::move(hooks)};
  }
  std::string Taken(std::string& text) { return std::exchange(text, {}); }

  std::string folder_;
  std::shared_ptr<store::SqliteStore> store_;
  std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Connection> sql_;
  std::string out_;
  std::string said_;
  int begun_ = 0;
  int refreshed_ = 0;
};

TEST_F(SqlShellTest, StatementsOfOneText) {
  SqlShell shell = Shell();
  EXPECT_EQ(shell.Run("SELECT name FROM span; -- one\n SELECT body AS text FROM log"),
            SqlEnd::kDone);
  EXPECT_EQ(out_, "name\ncharge\ntext\ncard declined\n");
  EXPECT_EQ(said_, "");
  EXPECT_EQ(shell.Run("  -- nothing\n"), SqlEnd::kDone);
  EXPECT_EQ(shell.Run("SELECT unix_ns('2h') = " + std::to_string(kNow) + " AS ok"), SqlEnd::kDone);
}

TEST_F(SqlShellTest, LinesUntilTheSemicolon) {
  SqlShell shell = Shell();
  EXPECT_EQ(shell.Line("SELECT ';' AS a,"), SqlEnd::kDone);
  EXPECT_TRUE(shell.is_inside());
  EXPECT_EQ(shell.Line(" .5 AS b /* ; */"), SqlEnd::kDone);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(shell.Line(";"), SqlEnd::kDone);
  EXPECT_FALSE(shell.is_inside());
  EXPECT_EQ(Taken(out_), "a,b\n;,0.5\n");
  EXPECT_EQ(shell.Line("SELECT 1 AS a; SELECT 2 AS b;"), SqlEnd::kDone);
  EXPECT_EQ(Taken(out_), "a\n1\nb\n2\n");
  EXPECT_EQ(shell.Line("SELECT 3 AS c"), SqlEnd::kDone);
  EXPECT_EQ(shell.Finish(), SqlEnd::kDone);  // The end of the input ends the last one too.
  EXPECT_EQ(Taken(out_), "c\n3\n");
  EXPECT_EQ(shell.Line("SELECT"), SqlEnd::kDone);
  EXPECT_TRUE(shell.Drop());
  EXPECT_FALSE(shell.Drop());
}

TEST_F(SqlShellTest, WordsWithADot) {
  SqlShell shell = Shell();
  EXPECT_EQ(shell.Line(".tables"), SqlEnd::kDone);
  EXPECT_EQ(Taken(out_), "span\nlog\nexemplar\nlink\ntrace\n");
  EXPECT_EQ(shell.Line("  .schema link "), SqlEnd::kDone);
  EXPECT_EQ(Taken(out_),
            "CREATE TABLE link(\n  trace_id TEXT NOT NULL,\n  kind TEXT NOT NULL,\n"
            "  time INTEGER,\n  service TEXT,\n  tenant TEXT NOT NULL);\n");
  EXPECT_EQ(shell.Line(".help"), SqlEnd::kDone);
  EXPECT_NE(Taken(out_).find(".quit"), std::string::npos);
  EXPECT_EQ(shell.Line(".format ndjson"), SqlEnd::kDone);
  EXPECT_EQ(shell.Line("SELECT 1 AS a;"), SqlEnd::kDone);
  EXPECT_EQ(Taken(out_), "{\"a\":1}\n");
  EXPECT_EQ(shell.Line(".refresh"), SqlEnd::kDone);
  EXPECT_EQ(refreshed_, 1);
  EXPECT_EQ(Taken(said_), "as it is now\n");
  EXPECT_EQ(shell.Line(".format xml"), SqlEnd::kWrong);
  EXPECT_EQ(shell.Line(".read file"), SqlEnd::kWrong);
  EXPECT_EQ(shell.Line(".quit"), SqlEnd::kQuit);
}

TEST_F(SqlShellTest, SaysWhatIsWrongAndWhere) {
  SqlShell shell = Shell();
  EXPECT_EQ(shell.Run("SELECT 1;\nSELECT name,\n       servce FROM span"), SqlEnd::kWrong);
  EXPECT_EQ(Taken(said_),
            "throughline: no such column: servce\n"
            "throughline: line 3, column 8:\n"
            "         servce FROM span\n"
            "         ^\n");
  EXPECT_EQ(shell.Run("CREATE TABLE x(y)"), SqlEnd::kWrong);
  EXPECT_NE(Taken(said_).find("read only"), std::string::npos);
  EXPECT_EQ(shell.Run("SELECT unix_ns(NULL), json('{')"), SqlEnd::kFailed);
  EXPECT_EQ(Taken(said_), "throughline: malformed JSON\n");
}

constexpr const char* kEndless =
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

TEST_F(SqlShellTest, StopsWhenAsked) {
  SqlShell shell = Shell();
  *stopped_ = true;
  EXPECT_EQ(shell.Run(kEndless), SqlEnd::kStopped);
  EXPECT_EQ(Taken(said_), "throughline: interrupted\n");
  *stopped_ = false;
  EXPECT_EQ(shell.Run("SELECT 1"), SqlEnd::kDone);
}

TEST_F(SqlShellTest, StopsAtItsTimeout) {
  SqlShell shell = Shell({.timeout = std::chrono::nanoseconds(1)});
  EXPECT_EQ(shell.Run(kEndless), SqlEnd::kTimedOut);
  EXPECT_EQ(said_, "throughline: --timeout is over\n");
}

TEST_F(SqlShellTest, AStatementHasABound) {
  SqlShell shell = Shell();
  const std::string line(1 << 18, 'x');
  SqlEnd end = shell.Line("SELECT '");
  for (int i = 0; i < 5 && end == SqlEnd::kDone; ++i) end = shell.Line(line);
  EXPECT_EQ(end, SqlEnd::kWrong);
  EXPECT_FALSE(shell.is_inside());
}

}  // namespace
}  // namespace throughline::gateway
