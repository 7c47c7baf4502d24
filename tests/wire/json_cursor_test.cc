#include "wire/json_cursor.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace throughline::wire {
namespace {

// Whether `text` is one JSON document; each in an allocation of its own.
bool Accepts(std::string_view text) {
  const std::vector<char> copy(text.begin(), text.end());
  JsonCursor json({copy.data(), copy.size()});
  json.Skip();
  return json.AtEnd();
}

TEST(JsonCursor, AcceptsTheGrammar) {
  for (const std::string_view text : {"{}",
                                      "[]",
                                      " [ ] ",
                                      "0",
                                      "-0",
                                      "10",
                                      "1.5",
                                      "1e9",
                                      "1E+9",
                                      "1.25e-3",
                                      "true",
                                      "false",
                                      "null",
                                      "\"\"",
                                      "\"a\\n\\u00e9\\/\"",
                                      "[1,2,3]",
                                      "{\"a\":1}",
                                      "{\"a\" : [ {} , [ ] ] , \"b\":null}\n",
                                      "[[[[]]],{\"x\":{\"y\":[]}}]",
                                      "\"\\ud83d\\ude00\"",
                                      "\"\x7f\"",
                                      "123456789012345678901234567890"}) {
    EXPECT_TRUE(Accepts(text)) << text;
  }
}

TEST(JsonCursor, RefusesWhatIsNot) {
  for (const std::string_view text :
       {"",      " ",       "{",         "}",           "[",
        "]",     "{]",      "[}",        "[1,]",        "[,1]",
        "[1 2]", "{\"a\"}", "{\"a\":}",  "{\"a\":1,}",  "{,}",
        "{a:1}", "{1:1}",   "01",        "-",           "1.",
        ".5",    "1e",      "1e+",       "+1",          "tru",
        "nul",   "True",    "NaN",       "\"",          "\"a",
        "\"\\",  "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"",
        "[1]x",  "{} {}",   "'a'",       "[1]]",        "{\"a\":1 \"b\":2}",
        "nulll", "1 2"}) {
    EXPECT_FALSE(Accepts(text)) << text;
  }
}

TEST(JsonCursor, TruncatedAtEveryByte) {
  const std::string_view text =
      R"({"a":[1.5e3,"x\u00e9y",{"b":null,"c":true}],"dd":"long enough text"})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(Accepts(text.substr(0, size))) << size;
  }
  EXPECT_TRUE(Accepts(text));
}

TEST(JsonCursor, StringsStopAtEveryOffset) {
  for (std::size_t before = 0; before < 20; ++before) {
    const std::string pad(before, 'p');
    EXPECT_TRUE(Accepts('"' + pad + '"'));
    EXPECT_TRUE(Accepts('"' + pad + "\xc3\xa9\\\\" + pad + '"'));
    EXPECT_FALSE(Accepts('"' + pad + '\x1f' + pad + '"'));
    EXPECT_FALSE(Accepts('"' + pad + '\0' + pad + '"'));
  }
}

TEST(JsonCursor, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(Accepts(nested(JsonCursor::kMaxDepth)));
  EXPECT_FALSE(Accepts(nested(JsonCursor::kMaxDepth + 1)));
  EXPECT_FALSE(Accepts(std::string(1000000, '[')));
}

TEST(JsonCursor, WalksAndKnowsPlaces) {
  const std::string_view text =
      R"( {"k\u0065y": "v\"w", "n":-12.5, "in": {"x":[1, {"y":2}]}, "z":true} )";
  JsonCursor json(text);
  std::vector<std::string> seen;
  JsonString key;
  std::string scratch;
  for (json.BeginObject(); json.NextKey(key);) {
    seen.emplace_back(key.Text(scratch));
    switch (json.Peek()) {
      case JsonCursor::Type::kString: seen.emplace_back(json.String().Text(scratch)); break;
      case JsonCursor::Type::kNumber: seen.emplace_back(json.Number()); break;
      default: seen.emplace_back(json.Skip());
    }
  }
  EXPECT_TRUE(json.AtEnd()) << json.error();
  EXPECT_EQ(seen, (std::vector<std::string>{"key", "v\"w", "n", "-12.5", "in",
                                            R"({"x":[1, {"y":2}]})", "z", "true"}));
}

TEST(JsonCursor, SaysWhereAndWhy) {
  JsonCursor json(R"({"a":1,"b":nope})");
  json.Skip();
  EXPECT_FALSE(json.AtEnd());
  EXPECT_EQ(json.offset(), 11U);
  EXPECT_STREQ(json.error(), "want true, false or null");
}

TEST(JsonCursor, Unescapes) {
  const auto unescape = [](std::string_view raw) {
    std::string out;
    AppendUnescaped(raw, out);
    return out;
  };
  EXPECT_EQ(unescape(R"(a\"b\\c\/d\b\f\n\r\t)"), "a\"b\\c/d\b\f\n\r\t");
  EXPECT_EQ(unescape(R"(\u0041\u00e9\u20ac\ud83d\ude00)"), "A\u00e9\u20ac\U0001f600");
  EXPECT_EQ(unescape(R"(\ud83d!\ude00)"), "\ufffd!\ufffd") << "lone surrogates";
  EXPECT_EQ(unescape(R"(\ud83d\u0041)"), "\ufffdA");
  EXPECT_EQ(unescape(R"(\u0000x)"), std::string("\0x", 2));
}

}  // namespace
}  // namespace throughline::wire
