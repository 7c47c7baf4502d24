// LogQL: what is read, what is refused by name, and where.
#include "api/query/logql.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/loki/plan.h"

namespace throughline::api::query {
namespace {

constexpr char kId[] = "4bf92f3577b34da6a3ce929d0e0e4736";

TEST(LogQl, WhatGrafanaWritesIsRead) {
  const std::string id = kId;
  const std::string by_line =
      R"({service_name="checkout"} | label_format log_line_contains_trace_id=`{{ contains ")" + id +
      R"(" __line__  }}` | log_line_contains_trace_id="true" )";
  const std::vector<std::string> queries = {
      "vector(1)+vector(1)",
      "{service_name=\"checkout\"} |= ``",
      "{a=\"b\", c=~\"d.*\", e!=\"f\", g!~`h`} |= `x` != `y` |~ `(?i)z` !~ \"w\" or \"v\"",
      "{a=\"b\"} | json | logfmt | json | __error__=`` | drop __error__, __error_details__",
      "{a=\"b\"} | logfmt --keep-empty a=\"x\", b | keep a, b=\"1\" | decolorize",
      by_line + "or trace_id=\"" + id + "\"",
      by_line + "OR trace_id=\"" + id,
      by_line + "or trace_id=\"" + id +
          "\" | label_format log_line_contains_span_id=`{{ contains \"00f067aa0ba902b7\" __line__  "
          "}}` | log_line_contains_span_id=\"true\" or span_id=\"00f067aa0ba902b7\"",
      "{job=~\"(.*/)?(checkout)\"} | logfmt | json | drop __error__ | traceID=\"" + id + "\"",
      "sum by (level, detected_level) (count_over_time({a=\"b\"} | drop __error__[30s]))",
      "sum(count_over_time({a=\"b\"} | detected_level != \"\"     [30s])) by (detected_level)",
      "{a=\"b\"}  | json  | logfmt | drop __error__, __error_details__",
      "{a=\"b\"} | status >= 500 and (duration > 1.5s or size < 10KB), x=~\"y\"",
      "{a=\"b\"} | regexp \"(?P<m>\\\\w+)\" | pattern `<ip> - <_> [<time>]` | line_format "
      "\"{{.ip}} {{ __line__ }}\" | label_format x=y, z=`{{.ip}}!`",
      "sum(rate({a=\"b\"}[5m] offset 1h)) / sum(bytes_rate({a=\"b\"} |= \"x\" [1h30m])) * 100",
      "max without (x) (bytes_over_time(({a=\"b\"} | json)[1m]))",
      "avg(count_over_time({a=\"b\"}[5m] | json)) # a comment",
      "quantile_over_time(0.99, {a=\"b\"} | json | unwrap duration(took) | __error__=`` [5m]) by "
      "(c)",
      "sum by (c) (rate({a=\"b\"}[5m] | logfmt | unwrap bytes(size)))",
      "topk(5, sum by (c) (rate({a=\"b\"}[5m]))) > bool 0.5 * 2",
      "stddev without (c) (avg_over_time({a=\"b\"} | logfmt | unwrap took [5m] offset 1h))",
      "1 < count_over_time by (c) ({a=\"b\"}[5m])",
      "{}",
  };
  for (const std::string& query : queries) {
    const auto read = ParseLogQl(query);
    EXPECT_TRUE(read) << query << ": " << read.error().message;
  }
}

TEST(LogQl, ErrorsNameTheirPlace) {
  struct Case {
    std::string text;
    const char* message;
  };
  const Case cases[] = {
      {"", "parse error at line 1, col 1: syntax error: unexpected $end"},
      {"{a=\"b\" c",
       "parse error at line 1, col 8: syntax error: unexpected IDENTIFIER, expecting ,"},
      {"{a=\"b\"} foo", "parse error at line 1, col 9: syntax error: unexpected IDENTIFIER"},
      {"{a=\"b\"}\n| json |",
       "parse error at line 2, col 9: syntax error: unexpected $end, expecting "
       "a stage or a label filter"},
      {"{a=b}",
       "parse error at line 1, col 4: syntax error: unexpected IDENTIFIER, expecting STRING"},
      {"{a=\"b", "parse error at line 1, col 4: syntax error: want the closing quote"},
      {"{a=~\"(\"}", "parse error at line 1, col 5: error parsing regexp: missing ): ("},
      {"{a=\"b\"} | x > `1`",
       "parse error at line 1, col 15: syntax error: unexpected STRING, "
       "expecting NUMBER, DURATION or BYTES"},
      {"rate({a=\"b\"})", "parse error at line 1, col 13: syntax error: unexpected ), expecting ["},
      {"rate({a=\"b\"}[5])",
       "parse error at line 1, col 14: syntax error: unexpected NUMBER, expecting DURATION"},
      {"sum({a=\"b\"})", "parse error at line 1, col 5: syntax error: unexpected {, want a metric"},
      {"{a=\"b\"} | pattern `x`",
       "parse error at line 1, col 19: pattern: at least one named "
       "capture is required"},
      {"{a=\"b\"} | regexp `x`",
       "parse error at line 1, col 18: at least one named capture must be supplied"},
      {"{a=\"b\"} | unwrap x",
       "unsupported by Throughline: unwrap outside of a function over time at line 1, col 11 "
       "(supported: "},
      {"sum_over_time({a=\"b\"}[5m])",
       "parse error at line 1, col 1: invalid aggregation sum_over_time without unwrap"},
      {"count_over_time({a=\"b\"} | unwrap x [5m])",
       "parse error at line 1, col 1: invalid aggregation count_over_time with unwrap"},
      {"avg_over_time({a=\"b\"} | unwrap hours(x) [5m])",
       "parse error at line 1, col 32: syntax error: unexpected IDENTIFIER, expecting duration, "},
      {"avg_over_time({a=\"b\"} | unwrap x | json [5m])",
       "parse error at line 1, col 41: syntax error: unexpected [, expecting = or"},
      {"topk(0, rate({a=\"b\"}[5m]))",
       "parse error at line 1, col 6: invalid parameter (must be greater than 0) topk"},
      {"rate({a=\"b\"}[5m]) + bool 1",
       "parse error at line 1, col 21: syntax error: unexpected IDENTIFIER"},
      {"rate({a=\"b\"}[5m]) unless rate({a=\"c\"}[5m])",
       "unsupported by Throughline: unless at line 1, col 19 (supported: "},
      {"sort(rate({a=\"b\"}[5m]))",
       "unsupported by Throughline: sort at line 1, col 1 (supported: "},
      {"{a=\"b\"} |> `<_>`", "unsupported by Throughline: |> at line 1, col 9 (supported: "},
      {"quantile_over_time({a=\"b\"} | unwrap x [5m])",
       "parse error at line 1, col 20: syntax error: unexpected {, expecting NUMBER"},
      {"{a=\"b\"} | line_format `{{ .x | upper }}`",
       "unsupported by Throughline: template action {{ .x | upper }} (supported: "},
      {"{a=\"b\"} | a=\"1\" " + std::string(300, '('),
       "parse error at line 1, col 17: syntax error"},
      {"{a=\"b\"} | " + std::string(300, '('),
       "parse error at line 1, col 110: syntax error: more "
       "than 100 levels"},
      {std::string(70'000, ' '), "parse error at line 1, col 1: the query has 70000 bytes"},
  };
  for (const Case& test : cases) {
    const auto read = ParseLogQl(test.text);
    ASSERT_FALSE(read) << test.text;
    EXPECT_EQ(read.error().message.substr(0, std::string_view(test.message).size()), test.message)
        << test.text << ": " << read.error().message;
  }
}

TEST(LogQl, WhatIsManyIsBounded) {
  std::string stages = "{a=\"b\"}";
  for (int i = 0; i < 201; ++i) stages += " | json";
  EXPECT_FALSE(ParseLogQl(stages));
  std::string sum = "vector(1)";
  for (int i = 0; i < 201; ++i) sum += "+1";
  EXPECT_FALSE(ParseLogQl(sum));
}

TEST(LogQl, ATraceIdThatEveryLineMustHaveIsALookup) {
  const std::string id = kId;
  struct Case {
    std::string stages;
    bool by_id;
  };
  const std::string made =
      "| label_format l=`{{ contains \"" + id + "\" __line__ }}` | l=\"true\" ";
  const Case cases[] = {
      {"| trace_id=\"" + id + "\"", true},
      {"| logfmt | json | drop __error__ | traceID=\"" + id + "\"", true},
      {"| x=\"y\" and (trace_id=\"" + id + "\" or otel_trace_id=\"" + id + "\")", true},
      {made + "or trace_id=\"" + id + "\"", true},
      {made, true},
      {"|= \"" + id + "\"", true},
      {"|= \"x" + id + "\"", false},
      {"|= \"" + id + "\" or \"x\"", false},
      {"!= \"" + id + "\"", false},
      {"| trace_id=\"" + id + "\" or x=\"y\"", false},
      {"| trace_id!=\"" + id + "\"", false},
      {"| label_format trace_id=`x` | trace_id=\"" + id + "\"", false},
      {"| line_format `x` |= \"" + id + "\"", false},
      {"| trace_id=\"short\"", false},
  };
  for (const Case& test : cases) {
    const auto query = ParseLogQl("{a=\"b\"} " + test.stages);
    ASSERT_TRUE(query) << test.stages << ": " << query.error().message;
    EXPECT_EQ(loki::PlanFor(query->selection).trace_id.has_value(), test.by_id) << test.stages;
  }
}

TEST(LogQl, AnyTextIsWhatTheExpressionSays) {
  using Op = Matcher::Op;
  for (const char* any : {".*", ".+"}) {
    for (const Op op : {Op::kRegex, Op::kNotRegex}) {
      for (const auto of : {TextMatch::Of::kWhole, TextMatch::Of::kPart}) {
        const auto match = TextMatch::Compile(op, any, of);
        const auto in_full = TextMatch::Compile(op, "(?:" + std::string(any) + ")", of);
        ASSERT_TRUE(match && in_full);
        for (const char* text : {"", "a", "a\nb", "\n", "\xc3\xbc"}) {
          EXPECT_EQ(match->Matches(text), in_full->Matches(text)) << any << " of " << text;
        }
      }
    }
  }
}

TEST(LogQl, PatternsTakeOutWhatStandsInTheirHoles) {
  const auto pattern = ParseLinePattern("<ip> - <_> [<time>]<rest>");
  ASSERT_TRUE(pattern) << pattern.error().message;
  const auto found = TakeOut(*pattern, "1.2.3.4 - bob [now] x");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].second, "1.2.3.4");
  EXPECT_EQ(found[1].second, "now");
  EXPECT_EQ(found[2].second, " x");
  EXPECT_FALSE(ParseLinePattern("<a><b>"));
  EXPECT_FALSE(ParseLinePattern("<_> <_>"));
}

}  // namespace
}  // namespace throughline::api::query
