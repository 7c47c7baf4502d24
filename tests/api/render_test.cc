#include "api/links/render.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace throughline::api::links {
namespace {

std::string Json(const std::function<void(wire::JsonWriter&)>& write) {
  std::string out;
  wire::JsonWriter json(out);
  write(json);
  return out;
}

std::string JsonOf(const std::string& any_value) {
  return Json([&](wire::JsonWriter& json) { WriteValue(json, any_value); });
}

template <typename Append, typename Given>
std::string Made(const Append& append, Given given) {
  std::string any_value;
  append(given, any_value);
  return any_value;
}

TEST(WriteValue, Table) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  const auto integer = [](std::int64_t value) { return JsonOf(Made(AppendIntValue, value)); };
  const auto number = [](double value) { return JsonOf(Made(AppendDoubleValue, value)); };
  EXPECT_EQ(JsonOf(""), "null");
  EXPECT_EQ(JsonOf(Made(AppendStringValue, "a\"\n\x01")), R"("a\"\n\u0001")");
  EXPECT_EQ(JsonOf(Made(AppendStringValue, "")), R"("")");
  EXPECT_EQ(JsonOf(Made(AppendBoolValue, true)), "true");
  EXPECT_EQ(integer(-5), "-5");
  EXPECT_EQ(integer(kExact), "9007199254740992");
  EXPECT_EQ(integer(kExact + 1), "\"9007199254740993\"");
  EXPECT_EQ(integer(-kExact), "-9007199254740992");
  EXPECT_EQ(integer(-kExact - 1), "\"-9007199254740993\"");
  EXPECT_EQ(integer(std::numeric_limits<std::int64_t>::min()), "\"-9223372036854775808\"");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(std::nan("")), "\"NaN\"");
  EXPECT_EQ(number(HUGE_VAL), "\"Infinity\"");
  EXPECT_EQ(number(-HUGE_VAL), "\"-Infinity\"");
  EXPECT_EQ(JsonOf(Made(AppendBytesValue, std::string_view("\x00\xff\x10", 3))),
            R"({"base64":"AP8Q"})");
}

TEST(WriteValue, MapsAreSortedAndTheFirstOfEqualKeysStays) {
  std::string items;
  AppendMapItem("b", Made(AppendIntValue, 1), items);
  AppendMapItem("a", Made(AppendIntValue, 2), items);
  AppendMapItem("b", Made(AppendIntValue, 3), items);
  std::string list;
  AppendArrayItem(Made(AppendMapValue, items), list);
  AppendArrayItem("", list);
  EXPECT_EQ(JsonOf(Made(AppendArrayValue, list)), R"([{"a":2,"b":1},null])");
}

TEST(WriteValue, DamageDoesNotOverflowTheStack) {
  std::string value;
  for (int i = 0; i < 5'000; ++i) {
    std::string items;
    AppendArrayItem(value, items);
    value = Made(AppendArrayValue, items);
  }
  const std::string json = JsonOf(value);
  EXPECT_LT(json.size(), 200U);
  EXPECT_NE(json.find("null"), json.npos);
}

TEST(WriteAttributes, ManyAreSortedToo) {
  for (const std::size_t count : {0U, 1U, 24U, 25U, 33U, 100U}) {
    Arena arena;
    std::vector<Attribute> attributes;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string key(1 + (i * 7) % count, 'k');
      attributes.push_back(MakeStringAttribute(key, std::to_string(i), 0, arena));
    }
    const std::string json =
        Json([&](wire::JsonWriter& writer) { WriteAttributes(writer, attributes); });
    std::vector<std::size_t> sizes;  // Of the keys, as they stand.
    for (std::size_t at = json.find("\"k"); at != json.npos; at = json.find("\"k", at + 1)) {
      sizes.push_back(json.find('"', at + 1) - at - 1);
    }
    EXPECT_FALSE(count > 0 && sizes.empty());
    for (std::size_t i = 1; i < sizes.size(); ++i) EXPECT_LT(sizes[i - 1], sizes[i]);
  }
}

TEST(Names, UnknownNumbersAreText) {
  EXPECT_EQ(KindName(0), "unspecified");
  EXPECT_EQ(KindName(5), "consumer");
  EXPECT_EQ(KindName(6), "6");
  EXPECT_EQ(StatusName(2), "error");
  EXPECT_EQ(StatusName(3), "3");
  EXPECT_EQ(SeverityName(0), "unspecified");
  EXPECT_EQ(SeverityName(1), "trace");
  EXPECT_EQ(SeverityName(12), "info");
  EXPECT_EQ(SeverityName(24), "fatal");
  EXPECT_EQ(SeverityName(25), "25");
}

TEST(WriteDuration, StaysExactForEveryReader) {
  const auto duration = [](std::uint64_t ns) {
    return Json([ns](wire::JsonWriter& json) { WriteDuration(json, ns); });
  };
  EXPECT_EQ(duration(0), "0");
  EXPECT_EQ(duration(9007199254740991), "9007199254740991");
  EXPECT_EQ(duration(UINT64_MAX), "9007199254740991");
}

}  // namespace
}  // namespace throughline::api::links
