#include "api/time_text.h"

#include <cstdint>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace throughline::api {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 1'750'000'000 * kSecond;

struct Case {
  const char* text;
  std::optional<std::uint64_t> ns;  // Empty: refused.
};

TEST(ParseTime, Table) {
  const Case kCases[] = {
      {"now", kNow},
      {"now-15m", kNow - 900 * kSecond},
      {"now-1h30m", kNow - 5400 * kSecond},
      {"now+250ms", kNow + 250'000'000},
      {"now-99999d", 0},
      {"1970-01-01T00:00:00Z", 0},
      {"2025-06-15T15:06:40Z", kNow},
      {"2025-06-15t15:06:40z", kNow},
      {"2025-06-15 15:06:40.5Z", kNow + kSecond / 2},
      {"2025-06-15T15:06:40.123456789012Z", kNow + 123'456'789},
      {"2025-06-15T17:06:40+02:00", kNow},
      {"2025-06-15T09:36:40-05:30", kNow},
      {"2016-12-31T23:59:60Z", 1'483'228'800 * kSecond},
      {"2024-02-29T00:00:00Z", 1'709'164'800 * kSecond},
      {"1750000000", kNow},
      {"1750000000.25", kNow + kSecond / 4},
      {"1750000000000", kNow},
      {"1750000000000000", kNow},
      {"1750000000000000000", kNow},
      {"18446744073709551615", UINT64_MAX},
      {"0", 0},
      {"", std::nullopt},
      {"now-", std::nullopt},
      {"now-15", std::nullopt},
      {"nowish", std::nullopt},
      {"now-99999999999d", std::nullopt},
      {"yesterday", std::nullopt},
      {"-5", std::nullopt},
      {"1.", std::nullopt},
      {"1750000000000.5", std::nullopt},
      {"18446744073709551616", std::nullopt},
      {"99999999999", std::nullopt},
      {"99999999999999", std::nullopt},
      {"2025-06-15", std::nullopt},
      {"2025-06-15T15:06:40", std::nullopt},
      {"2025-06-15T15:06:40.Z", std::nullopt},
      {"2025-06-15T15:06:40Zx", std::nullopt},
      {"2025-13-15T15:06:40Z", std::nullopt},
      {"2025-02-29T15:06:40Z", std::nullopt},
      {"2025-06-15T24:06:40Z", std::nullopt},
      {"2025-06-15T15:60:40Z", std::nullopt},
      {"2025-06-15T15:06:61Z", std::nullopt},
      {"2025-06-15T15:06:40+2:00", std::nullopt},
      {"2025-06-15T15:06:40+24:00", std::nullopt},
      {"1969-12-31T23:59:59Z", std::nullopt},
      {"1970-01-01T00:00:00+01:00", std::nullopt},
      {"9999-12-31T23:59:59Z", std::nullopt},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.text);
    const auto time = ParseTime(test.text, kNow);
    ASSERT_EQ(time.has_value(), test.ns.has_value());
    if (test.ns) {
      EXPECT_EQ(*time, *test.ns);
    }
  }
}

TEST(ParseDuration, Table) {
  const Case kCases[] = {
      {"250ms", 250'000'000},
      {"1.5s", 1'500'000'000},
      {"0.000000001s", 1},
      {"1h30m", 5400 * kSecond},
      {"2d", 172'800 * kSecond},
      {"7us", 7'000},
      {"7\xc2\xb5s", 7'000},
      {"7\xce\xbcs", 7'000},
      {"12ns", 12},
      {"12", 12},
      {"0", 0},
      {"1.5h", 5400 * kSecond},
      {"", std::nullopt},
      {"-1s", std::nullopt},
      {"1.5", std::nullopt},
      {"1.s", std::nullopt},
      {"s", std::nullopt},
      {"1w", std::nullopt},
      {"1s ", std::nullopt},
      {"999999999999d", std::nullopt},
      {"18446744073709551616", std::nullopt},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.text);
    const auto duration = ParseDuration(test.text);
    ASSERT_EQ(duration.has_value(), test.ns.has_value());
    if (test.ns) {
      EXPECT_EQ(*duration, *test.ns);
    }
  }
}

TEST(AppendIsoTime, IsReadBack) {
  for (const std::uint64_t ns :
       {std::uint64_t{0}, kNow, kNow + 1, kSecond - 1, std::uint64_t{951'782'400} * kSecond,
        std::uint64_t{18'446'744'072} * kSecond + 999'999'999}) {
    std::string text;
    AppendIsoTime(ns, text);
    EXPECT_EQ(text.size(), 30U);
    const auto time = ParseTime(text, 0);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(*time, ns) << text;
  }
  std::string text;
  AppendIsoTime(kNow + 5, text);
  EXPECT_EQ(text, "2025-06-15T15:06:40.000000005Z");
}

}  // namespace
}  // namespace throughline::api
