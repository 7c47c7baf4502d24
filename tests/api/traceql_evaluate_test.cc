// Which spans TraceQL queries select, on one trace with everything in it.
#include <algorithm>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "api/query/traceql_evaluate.h"
#include "correlate/analysis/trace_tree.h"
#include "tests/store/sample.h"

namespace throughline::api::query::traceql {
namespace {

using store::kNow;
using store::Sample;
using store::SampleSpan;
using store::SampleValue;

constexpr std::uint64_t kMs = 1'000'000;
constexpr TraceId kTrace{0xaa, 0xbb};

// 1 web GET / (server, error) -+- 2 web GET (client) --- 3 pay POST (server, error) -+- 4 pay sql
//                              |                                                      +- 5 pay sql
//                              +- 6 mail send (consumer, late)
std::shared_ptr<const Batch> Purchase() {
  Sample sample;
  sample.From({{"service.name", "web"}, {"cluster", "eu"}, {"replicas", 3}}, "http");
  sample.Add(SampleSpan{.trace = kTrace,
                        .span = {1},
                        .start = kNow,
                        .duration = 100 * kMs,
                        .name = "GET /",
                        .kind = 2,
                        .status = 2,
                        .attributes = {{"http.status_code", 500},
                                       {"cluster", "us"},
                                       {"ratio", 0.5},
                                       {"cached", false},
                                       {"tags", SampleValue::Array({"a", "b"})},
                                       {"odd \"key\"", "x"}},
                        .status_message = "boom"});
  sample.Add(SampleSpan{.trace = kTrace,
                        .span = {2},
                        .parent = {1},
                        .start = kNow + 10 * kMs,
                        .duration = 80 * kMs,
                        .name = "GET",
                        .kind = 3});
  sample.From({{"service.name", "pay"}, {"cluster", "eu"}});
  sample.Add(SampleSpan{.trace = kTrace,
                        .span = {3},
                        .parent = {2},
                        .start = kNow + 20 * kMs,
                        .duration = 60 * kMs,
                        .name = "POST",
                        .kind = 2,
                        .status = 2,
                        .events = {{.name = "exception",
                                    .time = kNow + 30 * kMs,
                                    .attributes = {{"exception.type", "Timeout"}}},
                                   {.name = "retry", .time = kNow + 40 * kMs}},
                        .links = {{{1, 2}, {3}, {{"why", "retry of"}}}}});
  for (const std::uint64_t id : {4U, 5U}) {
    sample.Add(SampleSpan{.trace = kTrace,
                          .span = {id},
                          .parent = {3},
                          .start = kNow + id * 10 * kMs,
                          .duration = id * kMs,
                          .name = "sql",
                          .kind = 3,
                          .attributes = {{"db.rows", static_cast<int>(id)}}});
  }
  sample.From({{"service.name", "mail"}});
  sample.Add(SampleSpan{.trace = kTrace,
                        .span = {6},
                        .parent = {1},
                        .start = kNow + 90 * kMs,
                        .duration = 900 * kMs,
                        .name = "send",
                        .kind = 5,
                        .status = 1});
  return sample.Finish();
}

// "134", sets parted by '|'.
std::string Selected(std::string_view text) {
  const auto query = Parse(text);
  EXPECT_TRUE(query) << text << ": " << query.error().message;
  if (!query) return "error";
  const auto batch = Purchase();
  const TraceTree tree = BuildTraceTree(*batch);
  const Trace trace(kTrace, *batch, tree);
  std::string out;
  for (const SelectedSpans& set : Evaluator(trace).Select(query->pipeline)) {
    if (!out.empty()) out += '|';
    for (const std::uint32_t place : set.places) {
      out += std::to_string(trace.At(place).span_id.value);
    }
  }
  return out;
}

struct Case {
  const char* query;
  const char* spans;
};

class SelectTest : public testing::TestWithParam<Case> {};

TEST_P(SelectTest, SelectsTheSpans) {
  EXPECT_EQ(Selected(GetParam().query), GetParam().spans) << GetParam().query;
}

INSTANTIATE_TEST_SUITE_P(
    Comparisons, SelectTest,
    testing::Values(
        Case{"{}", "123456"}, Case{"{ true }", "123456"}, Case{"{ false }", ""},
        Case{"{ status = error }", "13"}, Case{"{ status != error }", "2456"},
        Case{"{ span:kind = consumer }", "6"}, Case{"{ kind = server && status = error }", "13"},
        Case{"{ name = \"sql\" }", "45"}, Case{"{ name =~ \"GET.*\" }", "12"},
        Case{"{ name =~ \"ET\" }", ""}, Case{"{ name !~ \"GET|sql\" }", "136"},
        Case{"{ duration > 60ms }", "126"}, Case{"{ 60ms <= duration && duration < 0.5s }", "123"},
        Case{"{ resource.service.name = \"pay\" }", "345"},
        Case{"{ .service.name != \"pay\" }", "126"}, Case{"{ statusMessage = \"boom\" }", "1"},
        Case{"{ span.http.status_code = 500 }", "1"}, Case{"{ .http.status_code >= 400.5 }", "1"},
        Case{"{ .http.status_code = \"500\" }", ""}, Case{"{ .ratio = 0.5 }", "1"},
        Case{"{ span.cached = false }", "1"}, Case{"{ !span.cached }", "1"},
        Case{"{ span.cached }", ""}, Case{"{ !.absent }", ""}, Case{"{ !(.absent = 1) }", "123456"},
        Case{"{ .absent != 1 }", ""}, Case{"{ .absent !~ \"x\" }", ""},
        Case{"{ .absent = nil }", "123456"}, Case{"{ span.db.rows != nil }", "45"},
        Case{"{ nil = span.db.rows }", "1236"}, Case{"{ span.cluster = \"eu\" }", ""},
        Case{"{ resource.cluster = \"eu\" }", "12345"}, Case{"{ .cluster = \"us\" }", "1"},
        Case{"{ .tags = \"b\" }", "1"}, Case{"{ .tags != \"b\" }", ""},
        Case{"{ .tags != \"c\" }", "1"}, Case{"{ .tags =~ \"[bc]\" }", "1"},
        Case{"{ span.\"odd \\\"key\\\"\" = \"x\" }", "1"}, Case{"{ .db.rows + 1 = 5 }", "4"},
        Case{"{ .db.rows * 1ms = duration }", "45"}, Case{"{ duration / 2 > 40ms }", "16"},
        Case{"{ .db.rows % 2 = 1 }", "5"}, Case{"{ .db.rows ^ 2 = 16 }", "4"},
        Case{"{ -.db.rows < -4 }", "5"}, Case{"{ .db.rows / 0 > 1 }", "45"},
        Case{"{ name + 1 = 2 }", ""}, Case{"{ name > \"n\" }", "456"},
        Case{"{ kind > server }", ""},
        Case{"{ name = \"sql\" || status = ok && duration > 1s }", ""},
        Case{"{ name = \"sql\" || (status = ok && duration > 0.5s) }", "456"}));

INSTANTIATE_TEST_SUITE_P(
    Fields, SelectTest,
    testing::Values(
        Case{"{ event:name = \"retry\" }", "3"},
        Case{"{ event.exception.type = \"Timeout\" }", "3"},
        Case{"{ .exception.type = \"Timeout\" }", ""}, Case{"{ event:timeSinceStart > 15ms }", "3"},
        Case{"{ event:timeSinceStart > 20ms }", ""},
        Case{"{ link:spanID = \"0000000000000003\" }", "3"},
        Case{"{ link:traceID = \"00000000000000010000000000000002\" }", "3"},
        Case{"{ link.why != nil }", "3"}, Case{"{ instrumentation:name = \"http\" }", "12"},
        Case{"{ instrumentation:version = \"1.0\" }", "12"},
        Case{"{ span:id = \"0000000000000004\" }", "4"},
        Case{"{ span:parentID = \"0000000000000003\" }", "45"},
        Case{"{ trace:id = \"00000000000000aa00000000000000bb\" && name = \"sql\" }", "45"},
        Case{"{ childCount = 2 }", "13"}, Case{"{ rootName = \"GET /\" && name = \"send\" }", "6"},
        Case{"{ trace:rootService = \"web\" && name = \"send\" }", "6"},
        Case{"{ traceDuration = 990ms && name = \"send\" }", "6"},
        Case{"{ nestedSetParent < 0 }", "1"}, Case{"{ nestedSetLeft = 2 }", "2"},
        Case{"{ nestedSetRight = 12 }", "1"}, Case{"{ nestedSetParent = 3 }", "45"},
        Case{"{ parent.span.http.status_code = 500 }", "26"},
        Case{"{ parent.resource.service.name != resource.service.name }", "36"},
        Case{"{ parent.service.name = \"pay\" }", "45"}));

INSTANTIATE_TEST_SUITE_P(
    Spansets, SelectTest,
    testing::Values(Case{"{ name = \"sql\" } && { name = \"send\" }", "456"},
                    Case{"{ name = \"sql\" } && { name = \"none\" }", ""},
                    Case{"{ name = \"sql\" } || { name = \"none\" }", "45"},
                    Case{"{ name = \"GET /\" } > {}", "26"},
                    Case{"{ name = \"GET /\" } >> { kind = client }", "245"},
                    Case{"{ name = \"sql\" } < {}", "3"}, Case{"{ name = \"sql\" } << {}", "123"},
                    Case{"{ name = \"GET\" } ~ {}", "6"},
                    Case{"{ name = \"sql\" } ~ { name = \"sql\" }", "45"},
                    Case{"{ span:id = \"0000000000000004\" } ~ { name = \"sql\" }", "5"},
                    Case{"{ status = error } !> {}", "13"}, Case{"{ status = error } !>> {}", "1"},
                    Case{"{ status = error } !< {}", "13456"},
                    Case{"{ status = error } !<< {}", "3456"},
                    Case{"{ name = \"sql\" } !~ { kind = client }", "2"},
                    Case{"{ name = \"none\" } !> { name = \"sql\" }", "45"},
                    Case{"{ kind = server } &> { name = \"sql\" }", "345"},
                    Case{"{ kind = server } &>> { name = \"sql\" }", "1345"},
                    Case{"{ name = \"sql\" } &< { kind = server }", "345"},
                    Case{"{ name = \"sql\" } &<< { kind = server }", "1345"},
                    Case{"{ name = \"GET\" } &~ {}", "26"},
                    Case{"{ name = \"GET /\" } > { name = \"GET\" } > { kind = server }", "3"},
                    Case{"{ name = \"send\" } && { name = \"GET\" } > { kind = server }", "36"}));

INSTANTIATE_TEST_SUITE_P(
    Pipelines, SelectTest,
    testing::Values(Case{"{} | { status = error }", "13"}, Case{"{} | count() > 6", ""},
                    Case{"{} | count() = 6", "123456"},
                    Case{"{} | by(resource.service.name)", "12|345|6"},
                    Case{"{} | by(resource.service.name) | count() > 1", "12|345"},
                    Case{"{} | by(resource.service.name) | count() > 1 | coalesce()", "12345"},
                    Case{"{} | by(.cluster) | { kind = server }", "1|3"},
                    Case{"{ .db.rows != nil } | sum(.db.rows) = 9", "45"},
                    Case{"{ .db.rows != nil } | avg(.db.rows) = 4.5", "45"},
                    Case{"{ .db.rows != nil } | min(.db.rows) = 4 | max(duration) < 5ms", ""},
                    Case{"{ .db.rows != nil } | max(duration) <= 5ms", "45"},
                    Case{"{} | avg(.absent) > 0", ""},
                    Case{"{} | select(name, .db.rows)", "123456"},
                    Case{"({} | by(name) | count() > 1) && { status = ok }", "456"}));

TEST(SelectTest, SaysWhatGroupsAndAggregatesAre) {
  const auto batch = Purchase();
  const TraceTree tree = BuildTraceTree(*batch);
  const Trace trace(kTrace, *batch, tree);
  const auto query = Parse("{ kind = client } | by(name) | count() > 1 | avg(duration) > 1us");
  const auto sets = Evaluator(trace).Select(query->pipeline);
  ASSERT_EQ(sets.size(), 1U);
  ASSERT_EQ(sets[0].attributes.size(), 3U);
  EXPECT_EQ(sets[0].attributes[0].first, "by(name)");
  EXPECT_EQ(sets[0].attributes[0].second.text, "sql");
  EXPECT_EQ(sets[0].attributes[1].first, "count()");
  EXPECT_EQ(sets[0].attributes[1].second.integer, 2);
  EXPECT_EQ(sets[0].attributes[2].first, "avg(duration)");
  EXPECT_EQ(sets[0].attributes[2].second.integer, 4'500'000);
}

TEST(SelectTest, ATraceWithoutItsRoot) {
  Sample sample;
  sample.Add(SampleSpan{.trace = kTrace, .span = {2}, .parent = {1}});
  const auto batch = sample.Finish();
  const TraceTree tree = BuildTraceTree(*batch);
  const Trace trace(kTrace, *batch, tree);
  for (const char* text : {"{ nestedSetParent < 0 }", "{ parent.name = \"x\" }"}) {
    const auto query = Parse(text);
    ASSERT_TRUE(query) << text;
    EXPECT_TRUE(Evaluator(trace).Select(query->pipeline).empty()) << text;
  }
  const auto query = Parse("{ rootName = \"<root span not yet received>\" }");
  EXPECT_EQ(Evaluator(trace).Select(query->pipeline).size(), 1U);
}

}  // namespace
}  // namespace throughline::api::query::traceql
