// What each format of `throughline sql` looks like.
#include "gateway/sql_printer.h"

#include <gtest/gtest.h>

#include <limits>

namespace throughline::gateway {
namespace {

using store::sql::CellType;

SqlCell Null() { return {}; }
SqlCell Integer(std::int64_t value) { return {.type = CellType::kInteger, .integer = value}; }
SqlCell Real(double value) { return {.type = CellType::kReal, .real = value}; }
SqlCell Text(std::string_view text) { return {.type = CellType::kText, .bytes = text}; }
SqlCell Blob(std::string_view bytes) { return {.type = CellType::kBlob, .bytes = bytes}; }

using Rows = std::vector<std::vector<SqlCell>>;

const std::vector<std::string> kColumns = {"name", "n", "value"};

Rows OddRows() {
  return {{Text("grün 火"), Integer(-7), Real(0.5)},
          {Text("say \"a,b\"\nand\x1b[31m go"), Integer(INT64_MAX), Real(3)},
          {Text(""), Null(), Blob(std::string_view("\x00\xff", 2))},
          {Text("\xff broken"), Integer(0), Real(-std::numeric_limits<double>::infinity())}};
}

std::string Printed(SqlFormat format, const std::vector<std::string>& columns, const Rows& rows,
                    const TerminalStyle& style = {}) {
  std::string text;
  const auto printer =
      MakeSqlPrinter(format, style, [&](std::string_view piece) { text.append(piece); });
  printer->Begin(columns);
  for (const auto& row : rows) printer->Row(row);
  printer->End();
  return text;
}

struct Case {
  SqlFormat format;
  const char* text;
};

const Case kCases[] = {
    {SqlFormat::kTable,
     "name                   n                    value\n"
     "─────────────────────  ───────────────────  ─────────\n"
     "grün 火                                 -7        0.5\n"
     "say \"a,b\" and [31m go  9223372036854775807        3.0\n"
     "                       NULL                 x'00ff'\n"
     "? broken                                 0  -Infinity\n"},
    {SqlFormat::kCsv,
     "name,n,value\n"
     "grün 火,-7,0.5\n"
     "\"say \"\"a,b\"\"\nand\x1b[31m go\",9223372036854775807,3.0\n"
     "\"\",,x'00ff'\n"
     "\xff broken,0,-Infinity\n"},
    {SqlFormat::kJson,
     "[{\"name\":\"grün 火\",\"n\":-7,\"value\":0.5},\n"
     "{\"name\":\"say \\\"a,b\\\"\\nand\\u001b[31m go\",\"n\":9223372036854775807,\"value\":3.0},\n"
     "{\"name\":\"\",\"n\":null,\"value\":{\"$bytes\":\"AP8=\"}},\n"
     "{\"name\":\"\xef\xbf\xbd broken\",\"n\":0,\"value\":{\"$double\":\"-Infinity\"}}]\n"},
    {SqlFormat::kNdjson,
     "{\"name\":\"grün 火\",\"n\":-7,\"value\":0.5}\n"
     "{\"name\":\"say \\\"a,b\\\"\\nand\\u001b[31m go\",\"n\":9223372036854775807,\"value\":3.0}\n"
     "{\"name\":\"\",\"n\":null,\"value\":{\"$bytes\":\"AP8=\"}}\n"
     "{\"name\":\"\xef\xbf\xbd broken\",\"n\":0,\"value\":{\"$double\":\"-Infinity\"}}\n"},
    {SqlFormat::kLine,
     " name = grün 火\n"
     "    n = -7\n"
     "value = 0.5\n"
     "\n"
     " name = say \"a,b\"\nand\x1b[31m go\n"
     "    n = 9223372036854775807\n"
     "value = 3.0\n"
     "\n"
     " name = \n"
     "    n = NULL\n"
     "value = x'00ff'\n"
     "\n"
     " name = \xff broken\n"
     "    n = 0\n"
     "value = -Infinity\n"},
};

TEST(SqlPrinter, EachFormat) {
  for (const Case& one : kCases) {
    EXPECT_EQ(Printed(one.format, kColumns, OddRows()), one.text);
  }
}

TEST(SqlPrinter, NoRows) {
  EXPECT_EQ(Printed(SqlFormat::kTable, {"a", "bc"}, {}), "a  bc\n─  ──\n");
  EXPECT_EQ(Printed(SqlFormat::kCsv, {"a", "bc"}, {}), "a,bc\n");
  EXPECT_EQ(Printed(SqlFormat::kJson, {"a", "bc"}, {}), "[]\n");
  EXPECT_EQ(Printed(SqlFormat::kNdjson, {"a", "bc"}, {}), "");
  EXPECT_EQ(Printed(SqlFormat::kLine, {"a", "bc"}, {}), "");
}

// A terminal gets no control characters, and no lines that are longer than it.
TEST(SqlPrinter, AtATerminal) {
  const TerminalStyle terminal{.width = 40, .clip = true};
  for (const SqlFormat format : {SqlFormat::kTable, SqlFormat::kCsv, SqlFormat::kLine}) {
    EXPECT_EQ(Printed(format, kColumns, OddRows(), terminal).find('\x1b'), std::string::npos);
  }
  EXPECT_EQ(Printed(SqlFormat::kTable, {"a", "b"},
                    {{Text(std::string(60, 'x')), Text(std::string(20, 'y'))}}, terminal),
            "a                    b\n"
            "───────────────────  ───────────────────\n"
            "xxxxxxxxxxxxxxxxxx…  yyyyyyyyyyyyyyyyyy…\n");
}

TEST(SqlPrinter, BlobsOfEachLength) {
  EXPECT_EQ(Printed(SqlFormat::kNdjson, {"a", "b", "c", "d"},
                    {{Blob(""), Blob("f"), Blob("fo"), Blob("foo")}}),
            "{\"a\":{\"$bytes\":\"\"},\"b\":{\"$bytes\":\"Zg==\"},\"c\":{\"$bytes\":\"Zm8=\"},"
            "\"d\":{\"$bytes\":\"Zm9v\"}}\n");
}

// What is kept is what a table is laid out by; the rest goes as it comes.
TEST(SqlPrinter, LongAnswersStream) {
  std::size_t longest = 0;
  std::size_t total = 0;
  const auto printer = MakeSqlPrinter(SqlFormat::kTable, {}, [&](std::string_view piece) {
    longest = std::max(longest, piece.size());
    total += piece.size();
  });
  printer->Begin({"a"});
  const std::string text(100, 'x');
  for (int i = 0; i < 20'000; ++i) printer->Row({Text(text)});
  printer->End();
  EXPECT_EQ(total, 101U * 20'000 + 2 + 301);
  EXPECT_LT(longest, 200'000U);
}

TEST(SqlPrinter, NamesOfFormats) {
  EXPECT_EQ(SqlFormatOf("csv"), SqlFormat::kCsv);
  EXPECT_EQ(SqlFormatOf("CSV"), std::nullopt);
  EXPECT_EQ(SqlFormatOf(""), std::nullopt);
}

}  // namespace
}  // namespace throughline::gateway
