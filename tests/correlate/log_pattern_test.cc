// The patterns of log lines.
#include <string>

#include <gtest/gtest.h>

#include "correlate/analysis/log_pattern.h"
#include "correlate/attribute.h"

namespace throughline {
namespace {

struct Case {
  const char* name;
  std::string line;
  std::string pattern;
  LineGrade grade = LineGrade::kUnknown;
};

class LogPatternTest : public testing::TestWithParam<Case> {};

TEST_P(LogPatternTest, IsThis) {
  const LogPattern pattern = PatternOf(GetParam().line);
  EXPECT_EQ(pattern.text, GetParam().pattern);
  EXPECT_EQ(pattern.grade, GetParam().grade);
}

constexpr auto kLow = LineGrade::kBelowWarning;
constexpr auto kError = LineGrade::kError;

INSTANTIATE_TEST_SUITE_P(
    Lines, LogPatternTest,
    testing::Values(
        Case{"Empty", "", ""}, Case{"OnlySpace", " \t\r\n", ""},
        Case{"TimeAndIdsGo",
             "19:38:52.053 INFO  t.c.Travel2Controller#115 TraceID: cf96d7c6a09dd1da SpanID: "
             "f7257f4a9a84aa7e [query][Query TripResponse]\n",
             "INFO t.c.Travel2Controller#115 query Query TripResponse", kLow},
        Case{"NumbersAreStars",
             "INFO p.s.PreserveServiceImpl#100 [preserve][Step 3][Check tickets num]",
             "INFO p.s.PreserveServiceImpl#100 preserve Step * Check tickets num", kLow},
        Case{"ValuesBehindColons", "[login][user: alice]", "login user: *"},
        Case{"KeysKeepTheirValuesOut", "level=warn msg=slow user=bob took=38ms",
             "level=warn msg=* user=* took=*", LineGrade::kWarning},
        Case{"StarsCollapse", "moved 1 2 3 from 7 to 8", "moved * from * to *"},
        Case{"EightWords", "a b c d e f g h i j", "a b c d e f g h"},
        Case{"Exception",
             "ERROR o.a.c.C [dispatcherServlet]#175 Servlet.service() for servlet x threw "
             "java.lang.IllegalStateException: null",
             "ERROR o.a.c.C dispatcherServlet * Servlet.service for servlet x "
             "exc=IllegalStateException",
             kError},
        Case{"TheLastException", "wrapped a.b.OuterException caused by c.InnerError here",
             "wrapped a.b.OuterException caused by c.InnerError here exc=InnerError"},
        Case{"NoExceptionInAName", "BasicErrorController.error called",
             "BasicErrorController.error called"},
        Case{"OnlyTheFirstLine", "failed\n  at x.y.SomeException", "failed"},
        Case{"IsoTime", "2023-01-30T11:38:52.054Z 2023-01-30 11:38:52,054 WARN careful",
             "WARN careful", LineGrade::kWarning},
        Case{"PlaceInAFile", "main.go:17 listening on host:80", "main.go:17 listening on *"},
        Case{"LevelWithColon", "ERROR: it broke", "ERROR: it broke", kError},
        Case{"FirstLevelCounts", "INFO got error reply", "INFO got error reply", kLow},
        Case{"DockerEnvelope", R"({"log":"INFO done with 7\n","stream":"stdout"})",
             "INFO done with *", kLow},
        Case{"JsonInJson", R"({"log":"{\"level\":\"error\",\"msg\":\"no \\\"x\\\" 7\"}\n"})",
             "error no x *", kError},
        Case{"LevelBehindTheMessage",
             R"({"a":{"b":[1,"]"]},"message":"hi there","severity":"WARN"})", "WARN hi there",
             LineGrade::kWarning},
        Case{"BrokenEnvelope", R"({"log":"INFO cut o)", "INFO cut o", kLow},
        Case{"NoEnvelope", "{not json}", "not json"},
        Case{"ControlCharacters", "a\x1b[31mred\x01z", "a * z"},
        Case{"Umlauts",
             "gr\xc3\xb6\xc3\x9f"
             "er als",
             "gr\xc3\xb6\xc3\x9f"
             "er als"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(LogPattern, IsBounded) {
  std::string line;
  for (int i = 0; i < 20; ++i) line += std::string(100'000, static_cast<char>('a' + i)) + " ";
  const LogPattern pattern = PatternOf(line);
  EXPECT_LE(pattern.text.size(), kPatternBytes);
  // A word is cut between characters.
  std::string wide = "x";
  while (wide.size() < 100) wide += "\xc3\xb6";
  EXPECT_EQ(PatternOf(wide).text.size(), kPatternWordBytes - 1);
}

TEST(LogPattern, OfALine) {
  std::string body;
  const std::size_t map = BeginMapValue(body);
  for (const auto& [key, value] : {std::pair{"level", "x"}, std::pair{"message", "hello 7"}}) {
    const std::size_t item = BeginMapItem(key, body);
    AppendStringValue(value, body);
    EndMapItem(item, std::string_view(key).size(), body);
  }
  EndValue(map, body);
  LogLine line;
  line.body = body;
  EXPECT_EQ(PatternOf(line).text, "hello *");
  EXPECT_EQ(PatternOf(line).grade, LineGrade::kUnknown);
  line.severity_number = 17;
  EXPECT_EQ(PatternOf(line).grade, LineGrade::kError);
  line.severity_number = 13;
  EXPECT_EQ(PatternOf(line).grade, LineGrade::kWarning);
  line.severity_number = 9;
  EXPECT_EQ(PatternOf(line).grade, LineGrade::kBelowWarning);
  line.body = {};
  line.event_name = "session.start";
  EXPECT_EQ(PatternOf(line).text, "session.start");
}

}  // namespace
}  // namespace throughline
