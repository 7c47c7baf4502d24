// PromQL: what is read, and where it says that it cannot read on.
#include "api/query/promql.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace throughline::api::query {
namespace {

// Selectors as one text: "name{a=1}[300]".
std::string Selectors(const PromQl& expression) {
  constexpr const char* kOperators[] = {"=", "!=", "=~", "!~"};
  std::string out;
  for (const PromQl* part : SelectorsOf(expression)) {
    if (!out.empty()) out += ' ';
    out += part->selector.metric;
    for (const Matcher& matcher : part->selector.matchers) {
      out += "{" + matcher.key + kOperators[static_cast<int>(matcher.op)] + matcher.value + "}";
    }
    if (part->range_ns > 0) out += "[" + std::to_string(part->range_ns / 1'000'000'000) + "]";
  }
  return out;
}

TEST(PromQl, EverySelectorIsFound) {
  struct Case {
    const char* text;
    const char* selectors;
  };
  const Case cases[] = {
      {"test", "test"},
      {"1 + 1", ""},
      {R"(histogram_quantile(0.95, sum by (le) (rate(x_bucket{service="checkout"}[1m0s]))))",
       "x_bucket{service=checkout}[60]"},
      {R"(sum(rate(a{b=~"c|d",e!~'f',g!=`h`}[1000s])) by (le) / on(x) group_left(y) b offset 5m)",
       "a{b=~c|d}{e!~f}{g!=h}[1000] b"},
      {R"(topk(5, sum without (le) (increase({"http.requests", le="0.5"}[1h30m:1m]))))",
       "http.requests{le=0.5}"},
      {R"({__name__=~".+_bucket"})", "{__name__=~.+_bucket}"},
      {R"({__name__="a"} or b and c unless d)", "a b c d"},
      {"max_over_time(rate(a[5m])[1h:])", "a[300]"},
      {"a @ 1700000000 + b @ end() - c offset -1w", "a b c"},
      {"http.server.duration{http.route=\"/\"}", "http.server.duration{http.route=/}"},
      {"sum # a comment\n(a) > bool 2", "a"},
      {"by{by=\"by\"} + sum", "by{by=by} sum"},
      {"-a ^ 2 * Inf", "a"},
      {"a:b:c{}", "a:b:c"},
  };
  for (const Case& test : cases) {
    const auto read = ParsePromQl(test.text);
    ASSERT_TRUE(read) << test.text << ": " << read.error().message;
    EXPECT_EQ(Selectors(*read), test.selectors) << test.text;
  }
}

TEST(PromQl, OperatorsBindAsInPrometheus) {
  const auto sum = ParsePromQl("1 + 2 * 3 ^ 2 ^ 0 - 4");
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->text, "-");
  EXPECT_EQ(sum->arguments[0].text, "+");
  EXPECT_EQ(sum->arguments[0].arguments[1].text, "*");
  const PromQl& power = sum->arguments[0].arguments[1].arguments[1];
  EXPECT_EQ(power.text, "^");
  EXPECT_EQ(power.arguments[1].text, "^");
  const auto negative = ParsePromQl("-1^2");
  ASSERT_TRUE(negative);
  EXPECT_EQ(negative->kind, PromQl::Kind::kNegative);
}

TEST(PromQl, GroupedLabels) {
  const auto read = ParsePromQl("sum(sum by (b, a) (x)) by (a) + count without (z) (y)");
  ASSERT_TRUE(read);
  EXPECT_EQ(GroupedLabelsOf(*read), (std::vector<std::string>{"a", "b"}));
}

TEST(PromQl, ErrorsNameTheirPlace) {
  struct Case {
    std::string text;
    const char* begin;
  };
  const Case cases[] = {
      {"", "1:1: parse error: no expression found in input"},
      {"rate(", "1:6: parse error: unexpected end of input"},
      {"a{b}", "1:4: parse error: unexpected \"}\" in label matching, want =, !=, =~ or !~"},
      {"a{b=1}", "1:5: parse error: unexpected \"1\" in label matching, want a string"},
      {"a{b=\"x}", "1:8: parse error: want the closing quote"},
      {"a{b=~\"(\"}", "1:6: parse error: error parsing regexp: "},
      {"a b", "1:3: parse error: unexpected \"b\" after the expression"},
      {"sum(a)\n  + )", "2:5: parse error: unexpected \")\""},
      {"a[5q]", "1:3: parse error: bad number or duration syntax: \"5q\""},
      {"a[0s]", "1:3: parse error: unexpected \"0s\" in [], want a duration"},
      {"sum(a)[5m]", "1:10: parse error: ranges only allowed for vector selectors"},
      {"a[$__rate_interval]", "1:3: parse error: unexpected character: '$'"},
      {"{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"},
      {"{a=~\".*\"}", "1:1: parse error: vector selector must contain at least one non-empty"},
      {"a{__name__=\"b\"}", "1:3: parse error: metric name must not be set twice"},
      {"1 > 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"},
      {"sum()", "1:6: parse error: no arguments for aggregate expression provided"},
      {std::string(200, '('), "1:101: parse error: more than 100 levels"},
      {std::string(70'000, ' '), "1:1: parse error: the query has 70000 bytes, at most 65536"},
  };
  for (const Case& test : cases) {
    const auto read = ParsePromQl(test.text);
    ASSERT_FALSE(read) << test.text;
    EXPECT_EQ(read.error().message.substr(0, std::string_view(test.begin).size()), test.begin)
        << test.text << ": " << read.error().message;
  }
}

TEST(PromQl, WhatIsManyIsBounded) {
  std::string sum = "1";
  for (int i = 0; i < 1001; ++i) sum += "+1";
  EXPECT_FALSE(ParsePromQl(sum));
  std::string selectors = "a";
  for (int i = 0; i < 100; ++i) selectors += "+a";
  EXPECT_FALSE(ParsePromQl(selectors));
}

}  // namespace
}  // namespace throughline::api::query
