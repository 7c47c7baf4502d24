// TraceQL as it is read: what is taken, written out again; what is not, with its place.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/query/traceql.h"
#include "api/query/traceql_plan.h"

namespace throughline::api::query::traceql {
namespace {

using testing::HasSubstr;

struct Good {
  const char* text;
  const char* again;  // Null: as it stands.
};

class ParseTest : public testing::TestWithParam<Good> {};

TEST_P(ParseTest, ReadsAsTheSame) {
  const auto query = Parse(GetParam().text);
  ASSERT_TRUE(query) << GetParam().text << ": " << query.error().message;
  const std::string again = ToText(*query);
  EXPECT_EQ(again, GetParam().again == nullptr ? GetParam().text : GetParam().again);
  const auto twice = Parse(again);
  ASSERT_TRUE(twice) << again << ": " << twice.error().message;
  EXPECT_EQ(ToText(*twice), again);
}

// What Grafana's own search form, drill-down and links make.
INSTANTIATE_TEST_SUITE_P(
    FromGrafana, ParseTest,
    testing::Values(
        Good{"{}", nullptr},
        Good{R"({resource.service.name="checkout" && name="POST /pay"})",
             R"({ (resource.service.name = "checkout") && (name = "POST /pay") })"},
        Good{"{status=error}", "{ status = error }"}, Good{"{kind=server}", "{ kind = server }"},
        Good{"{duration>100ms && duration<1.2s}",
             "{ (duration > 100000000ns) && (duration < 1200000000ns) }"},
        Good{"{traceDuration>100ms}", "{ traceDuration > 100000000ns }"},
        Good{R"({(resource.service.name="a" || resource.service.name="b")})",
             R"({ (resource.service.name = "a") || (resource.service.name = "b") })"},
        Good{R"({resource.service.name=~"a|b\\.c"})", R"({ resource.service.name =~ "a|b\\.c" })"},
        Good{"{span.http.status_code>=500}", "{ span.http.status_code >= 500 }"},
        Good{"{span.x=true}", "{ span.x = true }"}, Good{R"({.a="b"})", R"({ .a = "b" })"},
        Good{R"({event.exception.type="X"})", R"({ event.exception.type = "X" })"},
        Good{"{nestedSetParent<0 && true} | rate() ", "{ (nestedSetParent < 0) && true } | rate()"},
        Good{"{true && resource.service.name != nil} | rate() by(resource.service.name)",
             "{ true && (resource.service.name != nil) } | rate() by(resource.service.name)"},
        Good{"{} | quantile_over_time(duration, 0.9) with(sample=true)",
             "{} | quantile_over_time(duration, 0.9)"},
        Good{"{} | histogram_over_time(duration) with (sample=true, x=0.5)",
             "{} | histogram_over_time(duration)"},
        Good{"{} | compare({status = error})", "{} | compare({ status = error }, 10)"},
        Good{"{} | compare({duration >= 100ms && duration <= 2s}, 10, 17, 18)",
             "{} | compare({ (duration >= 100000000ns) && (duration <= 2000000000ns) }, 10, 17, "
             "18)"},
        Good{"({} &>> { kind = server }) || ({}) | select(status, nestedSetLeft)",
             "(({} &>> { kind = server }) || {}) | select(status, nestedSetLeft)"},
        Good{"{} | select(event.exception.type) with(most_recent=true)",
             "{} | select(event.exception.type)"}));

INSTANTIATE_TEST_SUITE_P(
    AsPeopleTypeIt, ParseTest,
    testing::Values(
        Good{"{ .a = 1 } >> { .b } && {} | by(.c) | count() > 2 | coalesce() | avg(.d) <= 1.5s",
             "(({ .a = 1 } >> { .b }) && {}) | by(.c) | count() > 2 | coalesce() | avg(.d) <= "
             "1500000000ns"},
        Good{"{.a} !>> {.b} !<< {.c} !> {} !< {} !~ {} &> {} &< {} &<< {} &~ {} < {} << {} ~ {}",
             "(((((((((((({ .a } !>> { .b }) !<< { .c }) !> {}) !< {}) !~ {}) &> {}) &< {}) &<< {})"
             " &~ {}) < {}) << {}) ~ {})"},
        Good{"{ .a = 1 || .b = 2 && .c = 3 }", "{ ((.a = 1) || (.b = 2)) && (.c = 3) }"},
        Good{"{ .a + 2 * 3 ^ 2 ^ -1 > -.b }", "{ (.a + (2 * (3 ^ (2 ^ -1)))) > -(.b) }"},
        Good{"{ !(.a = nil) && !.b }", "{ !(.a = nil) && !(.b) }"},
        Good{"{ span:duration > 1h30m && span:kind = consumer && trace:id = \"a\" }",
             "{ ((duration > 5400000000000ns) && (kind = consumer)) && (trace:id = \"a\") }"},
        Good{R"({ span."http url/x" = `a\"b` })", R"({ span."http url/x" = "a\\\"b" })"},
        Good{R"({ ."5xx"."y z" = 'q' })", R"({ ."5xx.y z" = "q" })"},
        Good{"{ parent.span.a-b/c = 1 && parent.resource.d != parent.e }",
             "{ (parent.span.\"a-b/c\" = 1) && (parent.resource.d != parent.e) }"},
        Good{"{ .a = 1 } // all of it\n| /* twice */ {}", "{ .a = 1 } | {}"},
        Good{"{ status = unset } | ({ .a } | count() > 1) && {}",
             "{ status = unset } | (({ .a } | count() > 1) && {})"},
        Good{"{} | sum_over_time(span.bytes) by (name, span.a) | topk(5) | bottomk(2)",
             "{} | sum_over_time(span.bytes) by(name, span.a) | topk(5) | bottomk(2)"},
        Good{"{ .x > 9223372036854775807 && .y = 1e-3 && .z < 2us && .w > 3\u00b5s && 1d = 24h }",
             "{ ((((.x > 9223372036854775807) && (.y = 0.001)) && (.z < 2000ns)) && (.w > 3000ns)) "
             "&& (86400000000000ns = 86400000000000ns) }"}));

struct Bad {
  const char* name;
  std::string text;
  std::string error;
};

class RefusedTest : public testing::TestWithParam<Bad> {};

TEST_P(RefusedTest, SaysWhereAndWhat) {
  const auto query = Parse(GetParam().text);
  ASSERT_FALSE(query) << ToText(*query);
  EXPECT_THAT(query.error().message, HasSubstr(GetParam().error));
}

std::string Repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    Queries, RefusedTest,
    testing::Values(
        Bad{"Empty", "", "line 1, col 1: unexpected end of the query, want { or ("},
        Bad{"Open", "{ name = ", "line 1, col 10: unexpected end of the query, want an attribute"},
        Bad{"NoOperator", "{ name error }", "col 8: unexpected error, want }"},
        Bad{"Unknown", "{ foo = 1 }", "col 3: unknown identifier foo; attributes begin with a"},
        Bad{"SecondLine", "{\n  foo = 1 }", "line 2, col 3: unknown identifier foo"},
        Bad{"ColumnsAreCodePoints", "{ .\u00e9\u00e9 = foo }", "line 1, col 9: unknown identifier"},
        Bad{"Regex", "{ name =~ \"(\" }", "col 11: bad regular expression: missing )"},
        Bad{"RegexOfNumber", "{ name =~ 5 }", "col 11: a regular expression must be a string"},
        Bad{"RegexTooLong", "{ name =~ \"" + std::string(kMaxRegexBytes + 1, 'a') + "\" }",
            "more than 4096 bytes"},
        Bad{"String", "{ name = \"a }", "col 10: string is not closed"},
        Bad{"Escape", "{ name = \"\\q\" }", "col 11: unknown escape"},
        Bad{"Comment", "{} /* {}", "col 4: comment is not closed"},
        Bad{"Unit", "{ duration > 5parsecs }", "col 15: unknown unit"},
        Bad{"HalfDuration", "{ duration > 1h5 }", "col 16: number without a unit"},
        Bad{"LongDuration", "{ duration > 300000000h }", "col 14: duration is too long"},
        Bad{"Integer", "{ .a > 9223372036854775808 }", "col 8: integer is too large"},
        Bad{"NoName", "{ span. = 1 }", "col 3: attribute without a name"},
        Bad{"Character", "{} # 1", "col 4: character that begins nothing here"},
        Bad{"Trailing", "{} }", "col 4: unexpected }, want | or the end of the query"},
        Bad{"Function", "{} | stddev_over_time(duration)",
            "col 6: unexpected stddev_over_time, want a spanset, select, by, coalesce, count"},
        Bad{"ScalarAlone", "count() > 2", "col 1: unexpected count, want { or ("},
        Bad{"ScalarSum", "{} | count() + 1 > 2", "col 14: unexpected +, want a comparison"},
        Bad{"ScalarText", "{} | count() > \"2\"", "col 16: want a number or a duration"},
        Bad{"AfterMetrics", "{} | rate() | count() > 1", "col 15: unexpected count, want topk"},
        Bad{"MetricsInside", "({} | rate()) && {}", "col 7: a metrics function in parentheses"},
        Bad{"Quantile", "{} | quantile_over_time(duration, 1.5)", "col 35: want a quantile from 0"},
        Bad{"NoQuantile", "{} | quantile_over_time(duration)", "col 33: unexpected ), want ,"},
        Bad{"CompareBy", "{} | compare({}) by(name)", "col 18: compare() has no by()"},
        Bad{"ByTooMuch", "{} | rate() by(.a,.b,.c,.d,.e,.f)", "more than 5 fields in by()"},
        Bad{"TooLong", std::string(kMaxQueryBytes + 1, ' '), "want 32768 at most"},
        Bad{"TooDeep", "{" + std::string(kMaxDepth + 1, '(') + "1", "more than 64 levels"},
        Bad{"TooDeepSpansets", std::string(kMaxDepth + 1, '(') + "{}", "more than 64 levels"},
        Bad{"TooDeepNot", "{" + std::string(kMaxDepth + 1, '!') + ".a}", "more than 64 levels"},
        Bad{"TooMany", "{.a" + Repeated("||.a", kMaxNodes) + "}", "more than 2000 parts"}),
    [](const auto& test) { return std::string(test.param.name); });

struct Half {
  const char* text;
  const char* sure;
};

class LenientTest : public testing::TestWithParam<Half> {};

TEST_P(LenientTest, KeepsWhatIsSure) {
  EXPECT_EQ(ToText(ParseLeniently(GetParam().text)), GetParam().sure);
}

INSTANTIATE_TEST_SUITE_P(
    Queries, LenientTest,
    testing::Values(Half{"{ resource.cluster = }", "{}"},
                    Half{"{ resource.cluster = && name = \"a\" }", "{ name = \"a\" }"},
                    Half{"{ name = \"a\" && .b", "{ name = \"a\" }"},
                    Half{"{ name = \"a\" && status = error && }",
                         "{ (name = \"a\") && (status = error) }"},
                    Half{"{ name = \"a\" || .b = }", "{}"}, Half{"", "{}"}, Half{"}{", "{}"},
                    Half{"garbage (((", "{}"}, Half{"{ .a = 1 }", "{ .a = 1 }"}));

TEST(ParseFieldTest, ReadsNamesAsTheyStandInUrls) {
  EXPECT_EQ(ToText(*ParseField("resource.service.name")), "resource.service.name");
  EXPECT_EQ(ToText(*ParseField(".foo")), ".foo");
  EXPECT_EQ(ToText(*ParseField("trace:rootName")), "rootName");
  EXPECT_EQ(ToText(*ParseField("span.\"http url/x\"")), "span.\"http url/x\"");
  EXPECT_FALSE(ParseField("foo"));
  EXPECT_FALSE(ParseField(""));
  EXPECT_FALSE(ParseField("name name"));
}

TraceQuery Plan(std::string_view text) { return CandidatesOf(Parse(text)->pipeline); }

TEST(PlanTest, TakesWhatEverySelectedTraceHas) {
  const TraceQuery query = Plan(
      R"({ resource.service.name = "pay" && name = "charge" && status = error && duration > 1ms
           && 2ms >= duration && span.a = "b" && .c =~ "d|e" && span.f != 500 && .g = true })");
  EXPECT_EQ(query.service, "pay");
  EXPECT_EQ(query.operation, "charge");
  EXPECT_EQ(query.status_code, 2U);
  EXPECT_EQ(query.min_duration_ns, 1'000'001U);
  EXPECT_EQ(query.max_duration_ns, 2'000'000U);
  ASSERT_EQ(query.attributes.size(), 4U);
  EXPECT_EQ(query.attributes[0].value, "b");
  EXPECT_EQ(query.attributes[1].op, Matcher::Op::kRegex);
  EXPECT_EQ(query.attributes[2].op, Matcher::Op::kNotEqual);
  EXPECT_EQ(query.attributes[3].value, "true");
}

TEST(PlanTest, LeavesOutWhatSomeSelectedTraceMayNotHave) {
  for (const char* text :
       {R"({ name = "a" || status = error })", R"({ name = "a" } || { name = "b" })",
        R"({ resource.a = "b" })", R"({ parent.span.a = "b" })", R"({ !(name = "a") })",
        "{ span.a = 100000 }", "{ span.a = 1.5 }", R"({ span.http.request.header.x = "y" })",
        R"({ rootName = "a" })", R"({ event.a = "b" })", "{}"}) {
    const TraceQuery query = Plan(text);
    EXPECT_FALSE(query.service || query.operation || query.status_code || query.min_duration_ns ||
                 query.max_duration_ns)
        << text;
    EXPECT_TRUE(query.attributes.empty()) << text;
  }
}

TEST(PlanTest, OfTwoSidesTheOneThatLeavesOutMore) {
  EXPECT_EQ(Plan(R"({ status = ok } >> { name = "a" })").operation, "a");
  EXPECT_EQ(Plan(R"({ name = "a" } > {})").operation, "a");
  EXPECT_EQ(Plan(R"({ resource.service.name = "a" } >> { status = error })").status_code, 2U);
  EXPECT_EQ(Plan(R"({ name = "a" } !> { name = "b" })").operation, "b");
  EXPECT_EQ(Plan(R"(({ name = "a" } | count() > 1) && { .b })").operation, "a");
}

}  // namespace
}  // namespace throughline::api::query::traceql
