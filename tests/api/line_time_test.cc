#include "api/links/line_time.h"

#include <gtest/gtest.h>

namespace throughline::api::links {
namespace {

constexpr std::uint64_t kMoment = 1'750'000'000'000'000'000;

TEST(LineTime, Table) {
  struct Case {
    const char* line;
    std::uint64_t time;
  };
  const Case kCases[] = {
      {R"({"time":"2025-06-15T15:06:40Z","m":1})", kMoment},
      {R"({"m":1, "timestamp" : "2025-06-15T17:06:40+02:00"})", kMoment},
      {R"({"ts":1750000000.0})", kMoment},
      {R"({"ts":1750000000000,"m":1})", kMoment},
      {R"({"@timestamp":"2025-06-15T15:06:40Z"})", kMoment},
      {R"({"time":"soon","ts":1750000000})", kMoment},
      {R"({"time")", 0},
      {R"({"time":)", 0},
      {R"({"time":")", 0},
      {R"({"time":"now"})", 0},
      {R"({"uptime":5})", 0},
      {"2025-06-15T15:06:40Z level=info", kMoment},
      {"2025-06-15 15:06:40Z level=info", kMoment},
      {"[2025-06-15T15:06:40Z] hello", kMoment},
      {"2025-06-15T15:06:40Z", kMoment},
      {"2025-06-15T15:06:40 no zone", 0},
      {"1750000000 could be anything", 0},
      {"now", 0},
      {"", 0},
      {"[", 0},
  };
  for (const Case& test : kCases) EXPECT_EQ(LineTime(test.line), test.time) << test.line;
}

}  // namespace
}  // namespace throughline::api::links
