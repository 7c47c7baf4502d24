#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>

#include "logs/lines.h"

namespace throughline::logs {
namespace {

struct TimeCase {
  std::string_view text;
  std::uint64_t unix_ns;
};

TEST(ParseTime, Reads) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::uint64_t kNoon = 1'769'256'000 * kSecond;  // 2026-01-24 12:00 UTC.
  const TimeCase cases[] = {
      {"2026-01-24T12:00:00Z", kNoon},
      {"2026-01-24t12:00:00z", kNoon},
      {"2026-01-24 12:00:00", kNoon},
      {"2026-01-24 12:00:00,358", kNoon + 358'000'000},
      {"2026-01-24T12:00:00.123456789Z", kNoon + 123'456'789},
      {"2026-01-24T12:00:00.1234567899Z", kNoon + 123'456'789},
      {"2026-01-24T14:30:00.5+02:30", kNoon + 500'000'000},
      {"2026-01-24T07:00:00-0500", kNoon},
      {"2026-01-24T13:00:00+01", kNoon},
      {"2026-01-24 12:00:00 +0000", kNoon},
      {" 2026-01-24T12:00:00Z ", kNoon},
      {"1769256000", kNoon},
      {"1769256000.25", kNoon + 250'000'000},
      {"1769256000.123456789", kNoon + 123'456'789},
      {"1.769256e9", kNoon},
      {"1769256000000", kNoon},
      {"1769256000000.5", kNoon + 500'000},
      {"1769256000000001", kNoon + 1000},
      {"1769256000000000001", kNoon + 1},
      {"1970-01-01T00:00:01Z", kSecond},
      {"2024-02-29T00:00:00Z", 1'709'164'800 * kSecond},
      {"2554-07-21T23:34:32Z", 18'446'744'072 * kSecond},
  };
  for (const TimeCase& c : cases) EXPECT_EQ(ParseTime(c.text), c.unix_ns) << c.text;
}

TEST(ParseTime, RefusesTheRest) {
  for (const std::string_view text : {"",
                                      " ",
                                      "now",
                                      "2026",
                                      "12.5",
                                      "-1769256000",
                                      "2026-01-24",
                                      "2026-01-24T12:00",
                                      "2026-13-01T00:00:00Z",
                                      "2026-02-29T00:00:00Z",
                                      "2026-01-24T24:00:00Z",
                                      "2026-01-24T12:60:00Z",
                                      "2026-01-24T12:00:00.Z",
                                      "2026-01-24T12:00:00Zx",
                                      "2026-01-24T12:00:00+",
                                      "2026-01-24T12:00:00+1",
                                      "1969-12-31T23:59:59Z",
                                      "9999-12-31T23:59:59Z",
                                      "99999999999999999999",
                                      "1e400",
                                      "1769256000x",
                                      "1769256000.",
                                      "12:00:00",
                                      "nan",
                                      "0x69",
                                      "2026-01-24T12:00:00+99:99"}) {
    EXPECT_EQ(ParseTime(text), 0U) << text;
  }
}

TEST(SeverityNumberOf, NamesAndPinoNumbers) {
  struct SeverityCase {
    std::string_view text;
    std::uint32_t number;
  };
  const SeverityCase cases[] = {
      {"trace", 1},       {"TRACE", 1},     {"debug", 5},
      {"Dbg", 5},         {"info", 9},      {"INFO2", 10},
      {"Information", 9}, {"notice", 10},   {"warn", 13},
      {"WARNING", 13},    {"W", 13},        {"Err", 17},
      {"error", 17},      {"ERROR4", 20},   {"severe", 17},
      {"FATAL", 21},      {"critical", 21}, {"panic", 21},
      {"emerg", 24},      {"10", 1},        {"20", 5},
      {"30", 9},          {"35", 9},        {"40", 13},
      {"50", 17},         {"60", 21},       {"", 0},
      {"7", 0},           {"61", 0},        {"blue", 0},
      {"warn5", 0},       {"alert2", 0},    {"a very long level name", 0}};
  for (const SeverityCase& c : cases) EXPECT_EQ(SeverityNumberOf(c.text), c.number) << c.text;
}

}  // namespace
}  // namespace throughline::logs
