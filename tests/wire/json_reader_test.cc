#include "wire/json_reader.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace throughline::wire {
namespace {

// A text in an allocation of its own size and the padding, so that a sanitizer sees a read past it.
class Padded {
 public:
  explicit Padded(std::string_view text)
      : bytes_(std::make_unique<char[]>(text.size() + kJsonPadding)), size_(text.size()) {
    text.copy(bytes_.get(), text.size());
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

std::string Nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

// Everything of a value, in one line, through the accessors.
std::string Show(JsonValue value) {
  switch (value.type()) {
    case JsonType::kNull: return "null";
    case JsonType::kBool: return value.boolean() ? "true" : "false";
    case JsonType::kInt: return "i" + std::to_string(value.integer());
    case JsonType::kUint: return "u" + std::to_string(value.unsigned_integer());
    case JsonType::kDouble: return "d" + std::to_string(value.number());
    case JsonType::kString: return "'" + std::string(value.string()) + "'";
    case JsonType::kArray: {
      std::string out = "[" + std::to_string(value.count()) + ":";
      for (JsonItems items(value); items.Next();) out += Show(items.value()) + ",";
      return out + "]";
    }
    case JsonType::kObject: {
      std::string out = "{" + std::to_string(value.count()) + ":";
      for (JsonMembers members(value); members.Next();) {
        out += std::string(members.key()) + "=" + Show(members.value()) + ",";
      }
      return out + "}";
    }
  }
  return "?";
}

struct GoodCase {
  const char* name;
  std::string text;
  std::string shown;
};

class GoodJson : public testing::TestWithParam<GoodCase> {};

TEST_P(GoodJson, IsWalked) {
  const Padded text(GetParam().text);
  JsonDocument document;
  const auto root = document.Parse(text.view());
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(Show(*root), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    All, GoodJson,
    testing::Values(
        GoodCase{"Scalars", R"([null, true, false, "a"])", "[4:null,true,false,'a',]"},
        GoodCase{"Integers", "[0,-1,9223372036854775807,-9223372036854775808]",
                 "[4:i0,i-1,i9223372036854775807,i-9223372036854775808,]"},
        GoodCase{"Unsigned", "[9223372036854775808,18446744073709551615]",
                 "[2:u9223372036854775808,u18446744073709551615,]"},
        GoodCase{"Doubles", "[1.5,-2e2,1E-400]", "[3:d1.500000,d-200.000000,d0.000000,]"},
        GoodCase{"IntegerOver64Bits", R"([1,100000000000000000000,"1",2])",
                 "[4:i1,d100000000000000000000.000000,'1',i2,]"},
        GoodCase{"IntegerUnder64Bits", "-9223372036854775809", "d-9223372036854775808.000000"},
        GoodCase{"EqualKeysAllCome", R"({"a":1,"a":2})", "{2:a=i1,a=i2,}"},
        GoodCase{"Nested", R"({"a":[{"b":{}},[]],"c":"d"})", "{2:a=[2:{1:b={0:},},[0:],],c='d',}"},
        GoodCase{"Escapes", R"("\u00fc\ud83d\ude00\"\\\/\n")", "'\u00fc\U0001F600\"\\/\n'"},
        GoodCase{"NulInText", R"("a\u0000b")", std::string("'a\0b'", 5)},
        GoodCase{"Utf8", "\"\u65e5\u672c\"", "'\u65e5\u672c'"},
        GoodCase{"ByteOrderMark", "\xef\xbb\xbf{}", "{0:}"},
        GoodCase{"White", " \t\r\n[ 1 , 2 ] \n", "[2:i1,i2,]"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(JsonReader, DepthIsBounded) {
  JsonDocument document;
  EXPECT_TRUE(document.Parse(Padded(Nested(kMaxJsonDepth)).view()));
  const auto deeper = document.Parse(Padded(Nested(kMaxJsonDepth + 1)).view());
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().kind, Error::Kind::kMalformed);
  EXPECT_EQ(deeper.error().offset, kMaxJsonDepth);
  EXPECT_EQ(deeper.error().message, "json: byte 512: nested too deeply");
}

struct BadCase {
  const char* name;
  std::string text;
  std::size_t offset;
};

class BadJson : public testing::TestWithParam<BadCase> {};

TEST_P(BadJson, IsRefusedWithItsPlace) {
  const Padded text(GetParam().text);
  JsonDocument document;
  const auto root = document.Parse(text.view());
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().kind, Error::Kind::kMalformed);
  EXPECT_EQ(root.error().offset, GetParam().offset) << root.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    All, BadJson,
    testing::Values(
        BadCase{"Empty", "", 0}, BadCase{"OnlyWhite", "  \n", 3},
        BadCase{"OnlyMark", "\xef\xbb\xbf", 3}, BadCase{"Truncated", R"({"a":[1,2)", 9},
        BadCase{"TruncatedAfterKey", R"({"a")", 4}, BadCase{"OpenText", R"({"a":"b)", 7},
        BadCase{"TrailingComma", R"({"a":1,})", 7}, BadCase{"TwoCommas", "[1,,2]", 3},
        BadCase{"MoreAfterTheEnd", "{} x", 3}, BadCase{"TwoTexts", "{}{}", 2},
        BadCase{"SingleQuotes", "{'a':1}", 1}, BadCase{"NoColon", R"({"a" 1})", 5},
        BadCase{"WrongBracket", "[1}", 2}, BadCase{"Word", "[nul]", 1}, BadCase{"Nan", "[NaN]", 1},
        BadCase{"LeadingZero", "[1,02]", 3}, BadCase{"Plus", "[+1]", 1},
        BadCase{"PointAlone", "[1.]", 1}, BadCase{"ExponentAlone", "[1e]", 1},
        BadCase{"DoubleTooLarge", "[0,1e400]", 3}, BadCase{"ControlCharacter", "\"a\nb\"", 2},
        BadCase{"UnknownEscape", R"("a\x")", 2}, BadCase{"ShortEscape", R"("\u12")", 1},
        BadCase{"LoneSurrogate", R"("ab\ud800")", 3}, BadCase{"SecondHalfAlone", R"("\udc00")", 1},
        BadCase{"HalfThenOther", R"("\ud800\u0041")", 1}, BadCase{"NotUtf8", "[\"a\xff\"]", 3},
        BadCase{"SurrogateInUtf8", "\"\xed\xa0\x80\"", 1}, BadCase{"Overlong", "\"\xc0\x80\"", 1},
        BadCase{"Nul", std::string("[1\0]", 4), 2}, BadCase{"AfterTheMark", "\xef\xbb\xbf[x]", 4}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(JsonReader, EveryTruncationIsRefused) {
  const std::string text = R"({"a":[1,-2.5e3,"x\u00fc\ud83d\ude00",true,null,{"b":{}}],"c":""})";
  JsonDocument document;
  for (std::size_t size = 0; size < text.size(); ++size) {
    const Padded prefix(text.substr(0, size));
    const auto root = document.Parse(prefix.view());
    ASSERT_FALSE(root) << size;
    EXPECT_LE(root.error().offset, size);
    EXPECT_NE(root.error().message.find("byte"), std::string::npos);
  }
  EXPECT_TRUE(document.Parse(Padded(text).view()));
}

TEST(JsonReader, DoublesKeepTheirText) {
  const Padded text(R"({"a":1.50,"b":["2.0",7,3e0,184467440737095516160],"c":1.5})");
  JsonDocument document;
  const auto root = document.Parse(text.view());
  ASSERT_TRUE(root);
  std::vector<std::string> written;
  for (JsonMembers members(*root); members.Next();) {
    if (!members.value().is_array()) {
      written.emplace_back(document.TextOf(members.value()));
      continue;
    }
    for (JsonItems items(members.value()); items.Next();) {
      written.emplace_back(document.TextOf(items.value()));
    }
  }
  EXPECT_EQ(written,
            (std::vector<std::string>{"1.50", "", "", "3e0", "184467440737095516160", "1.5"}));
}

TEST(JsonReader, DocumentsOfOneThreadAreApart) {
  const Padded first(R"(["first"])");
  const Padded second(R"(["second"])");
  JsonDocument one;
  JsonDocument two;
  const auto a = one.Parse(first.view());
  const auto b = two.Parse(second.view());
  ASSERT_TRUE(a);
  ASSERT_TRUE(b);
  EXPECT_EQ(Show(*a), "[1:'first',]");
  EXPECT_EQ(Show(*b), "[1:'second',]");
}

TEST(JsonReader, DocumentIsReusedAfterAFailureAndAfterALargeText) {
  JsonDocument document;
  EXPECT_FALSE(document.Parse(Padded("[1,").view()));
  std::string large = "[0";
  while (large.size() < (5U << 20U)) large += ",12345678";
  large += ']';
  const Padded padded(large);
  const auto root = document.Parse(padded.view());
  ASSERT_TRUE(root);
  EXPECT_EQ(root->count(), 1 + (large.size() - 3) / 9);
  const Padded small("[1]");
  const auto after = document.Parse(small.view());
  ASSERT_TRUE(after);
  EXPECT_EQ(Show(*after), "[1:i1,]");
}

TEST(JsonReader, DefaultValueIsNull) { EXPECT_TRUE(JsonValue().is_null()); }

}  // namespace
}  // namespace throughline::wire
