#include "wire/json_writer.h"

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "wire/json_reader.h"

namespace throughline::wire {
namespace {

std::string Text(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

std::string Number(double value) {
  std::string out;
  JsonWriter(out).Double(value);
  return out;
}

TEST(JsonWriter, CommasAreWhereTheyBelong) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("a").BeginArray().Int(-1).Uint(2).BeginObject().EndObject().EndArray();
  json.Key("b").BeginObject().Key("c").Null().Key("d").Bool(true).EndObject();
  json.Key("e").BeginArray().EndArray();
  json.Key("f").Raw("[1, 2]").Key("g").UintString(18446744073709551615U);
  json.EndObject();
  EXPECT_EQ(out, R"({"a":[-1,2,{}],"b":{"c":null,"d":true},"e":[],"f":[1, 2],)"
                 R"("g":"18446744073709551615"})");
}

TEST(JsonWriter, Integers) {
  std::string out;
  JsonWriter(out)
      .BeginArray()
      .Int(std::numeric_limits<std::int64_t>::min())
      .Uint(std::numeric_limits<std::uint64_t>::max())
      .Bool(false)
      .EndArray();
  EXPECT_EQ(out, "[-9223372036854775808,18446744073709551615,false]");
}

TEST(JsonWriter, DoublesReadBack) {
  EXPECT_EQ(Number(0.1), "0.1");
  EXPECT_EQ(Number(1e21), "1e+21");
  EXPECT_EQ(Number(-0.0), "-0");
  EXPECT_EQ(Number(std::numeric_limits<double>::quiet_NaN()), R"("NaN")");
  EXPECT_EQ(Number(std::numeric_limits<double>::infinity()), R"("Infinity")");
  EXPECT_EQ(Number(-std::numeric_limits<double>::infinity()), R"("-Infinity")");
  for (const double value : {1.0 / 3, 5e-324, 1.7976931348623157e308, 9007199254740993.0}) {
    EXPECT_EQ(std::strtod(Number(value).c_str(), nullptr), value);
  }
}

TEST(JsonWriter, TextIsEscaped) {
  EXPECT_EQ(Text(""), R"("")");
  EXPECT_EQ(Text("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(Text("\n\r\t"), R"("\n\r\t")");
  EXPECT_EQ(Text(std::string_view("\0\x1b\x7f", 3)), "\"\\u0000\\u001b\x7f\"");
  EXPECT_EQ(Text("\u00fc\u65e5\U0001F600"), "\"\u00fc\u65e5\U0001F600\"");
}

TEST(JsonWriter, WhatIsNoUtf8IsReplaced) {
  constexpr const char* kReplaced = "\"\xef\xbf\xbd\"";
  EXPECT_EQ(Text("\xff"), kReplaced);
  EXPECT_EQ(Text("\xc3"), kReplaced);
  EXPECT_EQ(Text("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(Text("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(Text("\xf5\x80\x80\x80").size(), 2 + 4 * 3U);
  EXPECT_EQ(Text("a\xe6\x97z"), "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
}

// Every byte, alone and in company, gives JSON that the reader takes.
TEST(JsonWriter, AnyBytesGiveJson) {
  JsonDocument document;
  for (int first = 0; first < 256; ++first) {
    for (const int second : {0x00, 0x22, 0x61, 0x80, 0xbf, 0xff}) {
      const char bytes[] = {static_cast<char>(first), static_cast<char>(second)};
      std::string out = Text({bytes, sizeof bytes});
      const std::size_t size = out.size();
      out.append(kJsonPadding, ' ');
      EXPECT_TRUE(document.Parse({out.data(), size})) << first << ' ' << second;
    }
  }
}

TEST(JsonWriter, PlainTextReadsBack) {
  const std::string text = "q\"\\\n\x01 \u00fc\u65e5\U0001F600 end";
  std::string out = Text(text);
  const std::size_t size = out.size();
  out.append(kJsonPadding, ' ');
  JsonDocument document;
  const auto root = document.Parse({out.data(), size});
  ASSERT_TRUE(root);
  EXPECT_EQ(root->string(), text);
}

}  // namespace
}  // namespace throughline::wire
