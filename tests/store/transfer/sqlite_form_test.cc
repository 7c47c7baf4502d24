// What people find in the SQLite form, and what a hostile file may not do.
#include <gtest/gtest.h>

#include <fstream>

#include "store/transfer/export.h"
#include "store/transfer/plain_value.h"
#include "store/transfer/sqlite_file.h"
#include "tests/store/sample.h"
#include "tests/store/transfer/forms.h"

namespace throughline::store::transfer {
namespace {

std::string Exported(const TestFolder& folder) {
  FakeWalkable store;
  Sample sample;
  sample.From({{"service.name", "pay"}});
  sample.Add(SampleSpan{.trace = {1, 2},
                        .span = {3},
                        .attributes = {{"http.route", "/pay"}, {"retries", 2}, {"share", 1.0}}});
  sample.Add(SampleLine{.trace = {1, 2}, .body = "card declined"});
  sample.Add(SampleLine{.body = "nobody's", .found_by = FoundBy::kNone});
  sample.Add(SampleExemplar{.trace = {1, 2}});
  sample.Add(SampleGauge{});
  store.Add("acme", sample.Finish());
  const std::string path = folder / "out.db";
  auto output = OpenSqliteOutput(path);
  EXPECT_TRUE(output);
  EXPECT_TRUE(Export(store, {}, **output,
                     {.stop = [] { return false; },
                      .save_due = [] { return false; },
                      .progress = [](std::uint64_t) {}}));
  return path;
}

std::string Text(SqliteFile& file, const std::string& sql) {
  auto statement = file.Prepare(sql);
  EXPECT_TRUE(statement) << statement.error().message;
  std::string text;
  for (auto row = statement->Step(); row && *row; row = statement->Step()) {
    text.append(statement->TextAt(0)).append(";");
  }
  return text;
}

TEST(SqliteForm, AnswersWhatPeopleAsk) {
  const TestFolder folder;
  auto file = SqliteFile::OpenToWrite(Exported(folder));
  ASSERT_TRUE(file);
  EXPECT_EQ(Text(*file, "SELECT trace_id||kind||time||service||tenant FROM link ORDER BY kind"),
            "00000000000000010000000000000002exemplar1750000000000000000payacme;"
            "00000000000000010000000000000002log1750000000000000000payacme;"
            "00000000000000010000000000000002span1750000000000000000payacme;");
  EXPECT_EQ(Text(*file, "SELECT attributes->>'$.\"http.route\"' FROM span"), "/pay;");
  EXPECT_EQ(Text(*file, "SELECT attributes FROM span"),
            R"({"http.route":"/pay","retries":2,"share":1.0};)");
  EXPECT_EQ(Text(*file, "SELECT duration_ns FROM span"), "1000000000;");
  EXPECT_EQ(Text(*file, "SELECT body FROM log WHERE trace_id IS NULL"), "nobody's;");
  EXPECT_EQ(Text(*file, "SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name"),
            "exemplar_time;exemplar_trace_id;gauge_time;log_time;log_trace_id;span_time;"
            "span_trace_id;");
  EXPECT_EQ(Text(*file, "SELECT count(*) FROM sqlite_schema WHERE name = 'export_state'"), "0;");
  const std::string plan =
      "EXPLAIN QUERY PLAN SELECT * FROM link WHERE trace_id = '00000000000000010000000000000002'";
  auto steps = file->Prepare(plan);
  ASSERT_TRUE(steps);
  std::string text;
  for (auto row = steps->Step(); row && *row; row = steps->Step()) text += steps->TextAt(3);
  for (const char* index : {"span_trace_id", "log_trace_id", "exemplar_trace_id"}) {
    EXPECT_NE(text.find(index), std::string::npos) << text;
  }
}

TEST(SqliteForm, OtherFilesAreRefused) {
  const TestFolder folder;
  const std::string text = folder / "text";
  std::ofstream(text) << std::string(5000, 'x');
  EXPECT_FALSE(OpenSqliteInput(text, TestLimits()));
  EXPECT_FALSE(OpenSqliteOutput(text));
  EXPECT_FALSE(OpenSqliteInput(folder / "missing", TestLimits()));
  EXPECT_FALSE(std::filesystem::exists(folder / "missing"));
}

TEST(SqliteForm, AViewIsNoTable) {
  const TestFolder folder;
  const std::string path = Exported(folder);
  {
    auto file = SqliteFile::OpenToWrite(path);
    ASSERT_TRUE(file->Run("DROP TABLE gauge; CREATE VIEW gauge AS SELECT 1 AS id"));
  }
  const auto input = OpenSqliteInput(path, TestLimits());
  ASSERT_FALSE(input);
  EXPECT_NE(input.error().message.find("has no table gauge"), std::string::npos);
}

TEST(SqliteForm, BadRowsAreCountedAndTheRestGoesOn) {
  const TestFolder folder;
  const std::string path = Exported(folder);
  {
    auto file = SqliteFile::OpenToWrite(path);
    const std::string columns =
        "INSERT INTO log(tenant, severity_number, flags, found_by, body, attributes, trace_id) ";
    ASSERT_TRUE(file->Run(columns + "VALUES('acme', 0, 0, 'none', 'good', NULL, NULL)"));
    ASSERT_TRUE(file->Run(columns + "VALUES('acme', 0, 0, 'none', 'bad', '{\"a\":', NULL)"));
    ASSERT_TRUE(file->Run(columns + "VALUES('acme', 0, 0, 'none', 'bad', NULL, 'xyz')"));
    ASSERT_TRUE(file->Run(columns + "VALUES('acme', 0, 0, 'magic', 'bad', NULL, NULL)"));
    ASSERT_TRUE(file->Run(columns + "VALUES('a b', 0, 0, 'none', 'bad', NULL, NULL)"));
    ASSERT_TRUE(file->Run(columns + "VALUES('acme', 0, 0, 'none', x'ff', NULL, NULL)"));
  }
  auto input = OpenSqliteInput(path, TestLimits());
  ASSERT_TRUE(input) << input.error().message;
  const auto incoming = (*input)->Next();
  ASSERT_TRUE(incoming);
  EXPECT_EQ(incoming->batch->logs.size(), 3U);
  EXPECT_EQ((*input)->decoded().rejected, 5U) << (*input)->decoded().first_rejection;
}

std::string Plain(const std::string& any_value) {
  std::string text;
  wire::JsonWriter json(text);
  PutPlainValue(any_value, json);
  return text;
}

TEST(PlainValue, RefusesWhatItNeverWrites) {
  for (const char* text :
       {"", "nul", "{\"$double\":\"big\"}", "{\"$double\":1}", "{\"$bytes\":\"%\"}",
        "{\"$bytes\":\"AA==\",\"b\":1}", "{\"$map\":1}", "{\"$map\":[[\"a\"]]}",
        "{\"$map\":[[\"a\",1,2]]}", "{\"$map\":[[1,2]]}", "{\"$map\":[],\"b\":1}",
        "99999999999999999999", "1e999", "[1", "{\"a\":}"}) {
    wire::JsonCursor json(text);
    std::string value;
    EXPECT_FALSE(AppendPlainForm(json, 0, value) && json.AtEnd()) << text;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += '[';
  for (int i = 0; i < 100; ++i) deep += ']';
  wire::JsonCursor json(deep);
  std::string value;
  EXPECT_FALSE(AppendPlainForm(json, 0, value));
}

TEST(PlainValue, HasAFormForAll) {
  std::string value;
  AppendBytesValue("\x01\x02", value);
  EXPECT_EQ(Plain(value), R"({"$bytes":"AQI="})");
  value.clear();
  AppendDoubleValue(-1.0 / 0.0, value);
  EXPECT_EQ(Plain(value), R"({"$double":"-Infinity"})");
  value.clear();
  AppendDoubleValue(1e22, value);
  EXPECT_EQ(Plain(value), "1e+22");
  EXPECT_EQ(Plain(""), "null");
}

}  // namespace
}  // namespace throughline::store::transfer
