// Each piece of advice: where the figures show it, and next to that where they do not.
#include "correlate/analysis/coverage_advice.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace throughline {
namespace {

using testing::HasSubstr;

std::uint64_t& Links(ServiceCoverage& of, LinkKind kind, LinkCause cause) {
  return of.links[static_cast<std::size_t>(kind)][static_cast<std::size_t>(cause)];
}

// A service with nothing to find.
ServiceCoverage Well() {
  ServiceCoverage of{.service = "pay", .language = "java"};
  of.spans = of.spans_with_lines = of.spans_of_logged_traces = 100;
  of.lines = of.lines_with_ids = 50;
  of.exemplars = of.exemplars_with_ids = 20;
  Links(of, LinkKind::kLog, LinkCause::kSpansHere) = 50;
  Links(of, LinkKind::kExemplar, LinkCause::kSpansHere) = 20;
  return of;
}

struct World {
  Coverage coverage;
  bool unlinked_kept = true;
  ServiceCoverage& pay() { return coverage.services[0]; }
};

World WellWorld() {
  World world;
  world.coverage.services.push_back(Well());
  return world;
}

struct Case {
  const char* name;
  Fault fault;
  bool wrong;
  std::function<void(World&)> shows;
  std::function<void(World&)> then_not;  // On top of `shows`.
  const char* evidence;
  const char* change;  // "": none.
};

std::vector<Case> Cases() {
  return {
      {"UnknownService", Fault::kMissingServiceName, true,
       [](World& w) { w.pay().service = "unknown_service:java"; },
       [](World& w) { w.pay().service = "unknown_services"; },
       "100 spans, 50 lines and 20 exemplars without a service.name", "OTEL_SERVICE_NAME=<name>"},
      {"NoService", Fault::kMissingServiceName, true, [](World& w) { w.pay().service = ""; },
       [](World& w) { w.pay() = {}; }, "100 spans", "OTEL_SERVICE_NAME=<name>"},
      {"LinesOfNoService", Fault::kMissingServiceName, false,
       [](World& w) {
         w.pay() = {};
         w.pay().lines = w.pay().lines_with_ids = 1;
       },
       [](World& w) { w.pay().service = "pay"; }, "0 spans, 1 line and 0 exemplars",
       "\"service\": \"<name>\""},
      {"LinesOfNoServiceInStreams", Fault::kMissingServiceName, false,
       [](World& w) {
         w.pay() = {};
         w.pay().lines = w.pay().lines_with_ids = 1;
         w.pay().stream_lines = 1;
       },
       [](World& w) { w.pay().service = "pay"; }, "0 spans, 1 line and 0 exemplars",
       "service_name: <name>"},
      {"LinesOfNoServiceOfResources", Fault::kMissingServiceName, false,
       [](World& w) {
         w.pay() = {};
         w.pay().lines = w.pay().lines_with_ids = 1;
         w.pay().resource_lines = 1;
       },
       [](World& w) { w.pay().service = "pay"; }, "0 spans, 1 line and 0 exemplars",
       "- {key: service.name, value: <name>, action: insert}"},
      {"LinesWithoutIds", Fault::kLinesWithoutIds, true,
       [](World& w) { w.pay().lines_with_ids = 24; }, [](World& w) { w.pay().lines_with_ids = 25; },
       "26 of 50 lines carry no trace id", "trace_id=%mdc{trace_id} span_id=%mdc{span_id} %msg%n"},
      {"LinesWithoutIdsOfPython", Fault::kLinesWithoutIds, true,
       [](World& w) {
         w.pay().lines_with_ids = 0;
         w.pay().language = "python";
       },
       [](World& w) { w.unlinked_kept = false; }, "50 of 50 lines",
       "OTEL_PYTHON_LOG_CORRELATION=true"},
      {"LinesWithoutIdsOfAnyLanguage", Fault::kLinesWithoutIds, true,
       [](World& w) {
         w.pay().lines_with_ids = 0;
         w.pay().language = "";
       },
       [](World& w) { w.pay().lines = 9; }, "50 of 50 lines", "trace_id=<32 hex digits>"},
      {"LinesWithoutIdsOfWhatSendsNoSpans", Fault::kLinesWithoutIds, false,
       [](World& w) {
         w.pay().lines_with_ids = 0;
         w.pay().spans = 0;
       },
       [](World& w) { w.pay().lines_with_ids = 50; }, "50 of 50 lines", "trace_id=%mdc"},
      {"SpansWithoutLines", Fault::kSpansWithoutLines, false,
       [](World& w) { w.pay().spans_with_lines = w.pay().lines = w.pay().lines_with_ids = 0; },
       [](World& w) { w.pay().spans_with_lines = 1; },
       "100 spans came, and no line with a trace id", "OTEL_LOGS_EXPORTER=otlp"},
      {"SpansWithoutLinesThatAreKept", Fault::kSpansWithoutLines, false,
       [](World& w) {
         w.pay().spans_with_lines = w.pay().lines = w.pay().lines_with_ids = 0;
         w.unlinked_kept = false;
       },
       [](World& w) { w.coverage.complete = false; }, "is not known here",
       "logs: {keep_unlinked: true}"},
      {"LinesWithoutSpans", Fault::kLinesWithoutSpans, true,
       [](World& w) {
         w.pay().spans = 0;
         Links(w.pay(), LinkKind::kLog, LinkCause::kNoSpan) = 25;
       },
       [](World& w) { w.pay().spans = 1; }, "25 of 50 lines name traces of which no span came",
       "OTEL_TRACES_EXPORTER=otlp"},
      {"FewLinesWithoutSpans", Fault::kLinesWithoutSpans, true,
       [](World& w) {
         w.pay().spans = 0;
         Links(w.pay(), LinkKind::kLog, LinkCause::kNoSpan) = 25;
       },
       [](World& w) { Links(w.pay(), LinkKind::kLog, LinkCause::kNoSpan) = 24; }, "25 of 50",
       "OTEL_EXPORTER_OTLP_ENDPOINT=<the gateway>"},
      {"LinesWithoutSpansWhereNotAllWasRead", Fault::kLinesWithoutSpans, true,
       [](World& w) {
         w.pay().spans = 0;
         Links(w.pay(), LinkKind::kLog, LinkCause::kNoSpan) = 50;
       },
       [](World& w) { w.coverage.complete = false; }, "50 of 50", "OTEL_TRACES_EXPORTER=otlp"},
      {"UnsampledExemplars", Fault::kDeadExemplars, true,
       [](World& w) { Links(w.pay(), LinkKind::kExemplar, LinkCause::kUnsampledFlag) = 2; },
       [](World& w) { Links(w.pay(), LinkKind::kExemplar, LinkCause::kUnsampledFlag) = 1; },
       "2 of 20 exemplars do not open: 0 without spans, 2 sampled out, 0 expired",
       "OTEL_METRICS_EXEMPLAR_FILTER=trace_based"},
      {"ExemplarsWithoutSpans", Fault::kDeadExemplars, true,
       [](World& w) {
         w.pay().spans = 0;
         Links(w.pay(), LinkKind::kExemplar, LinkCause::kNoSpan) = 20;
       },
       [](World& w) {
         Links(w.pay(), LinkKind::kExemplar, LinkCause::kNoSpan) = 0;
         Links(w.pay(), LinkKind::kExemplar, LinkCause::kYoung) = 20;
       },
       "20 without spans", "OTEL_TRACES_EXPORTER=otlp"},
      {"ExpiredExemplars", Fault::kDeadExemplars, true,
       [](World& w) { Links(w.pay(), LinkKind::kExemplar, LinkCause::kRetention) = 5; },
       [](World& w) { Links(w.pay(), LinkKind::kExemplar, LinkCause::kRetention) = 0; },
       "5 expired", "store: {retention_spans: <that of exemplars, or longer>}"},
      {"DecidedExemplars", Fault::kDeadExemplars, true,
       [](World& w) { Links(w.pay(), LinkKind::kExemplar, LinkCause::kDecision) = 5; },
       [](World& w) { Links(w.pay(), LinkKind::kExemplar, LinkCause::kDecision) = 0; },
       "5 sampled out", ""},
      {"NoExemplars", Fault::kNoExemplars, false,
       [](World& w) { w.pay().exemplars = w.pay().exemplars_with_ids = 0; },
       [](World& w) { w.pay().exemplars = 1; }, "100 spans came, and no exemplar",
       "--enable-feature=exemplar-storage"},
      {"NoExemplarsWhereNotAllWasRead", Fault::kNoExemplars, false,
       [](World& w) { w.pay().exemplars = w.pay().exemplars_with_ids = 0; },
       [](World& w) { w.coverage.complete = false; }, "no exemplar", "send_exemplars: true"},
      {"ExemplarsWithoutIds", Fault::kExemplarsWithoutIds, true,
       [](World& w) { w.pay().exemplars_with_ids = 9; },
       [](World& w) { w.pay().exemplars_with_ids = 10; }, "11 of 20 exemplars carry no trace id",
       "OTEL_METRICS_EXEMPLAR_FILTER=trace_based"},
      {"ExemplarsWithoutIdsThatAreNotKept", Fault::kExemplarsWithoutIds, true,
       [](World& w) { w.pay().exemplars_with_ids = 9; }, [](World& w) { w.unlinked_kept = false; },
       "11 of 20", "OTEL_METRICS_EXEMPLAR_FILTER=trace_based"},
      {"UnreadableIds", Fault::kUnreadableIds, true,
       [](World& w) {
         Links(w.pay(), LinkKind::kLog, LinkCause::kNoId) = 3;
         w.coverage.unreadable = {
             {.trace_id = {}, .text = "other", .service = "front", .reason = "x"},
             {.trace_id = {}, .text = "0xyz", .service = "pay", .reason = "no hex"}};
       },
       [](World& w) { Links(w.pay(), LinkKind::kLog, LinkCause::kNoId) = 0; },
       "3 unreadable ids, such as \"0xyz\" (no hex)", "trace_id=<32 hex digits>"},
      {"ZeroIds", Fault::kZeroIds, false,
       [](World& w) { Links(w.pay(), LinkKind::kLog, LinkCause::kAllZero) = 26; },
       [](World& w) { Links(w.pay(), LinkKind::kLog, LinkCause::kAllZero) = 25; },
       "26 of 50 lines have an id of zeros", ""},
      {"ShortIds", Fault::kShortIds, false, [](World& w) { w.pay().short_ids = 7; },
       [](World& w) { w.pay().short_ids = 0; }, "7 of 50 lines with ids have 64 bits of one; 0 of",
       "trace_id=<32 hex digits>"},
      {"ShortIdsOfDatadogWithSeveralTraces", Fault::kShortIds, true,
       [](World& w) {
         w.pay().short_ids = 7;
         w.pay().spellings[static_cast<std::size_t>(Spelling::kDecimal)] = 7;
         Links(w.pay(), LinkKind::kLog, LinkCause::kSeveralTraces) = 2;
       },
       [](World& w) { w.pay().short_ids = 0; }, "2 of them could be of several traces",
       "DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED=true"},
      {"IdsInLabels", Fault::kIdsInLabels, false, [](World& w) { w.pay().label_ids = 1; },
       [](World& w) { w.pay().label_ids = 0; }, "1 of 50 lines",
       "structured_metadata: {trace_id: }"},
      {"ClockSkew", Fault::kClockSkew, true,
       [](World& w) {
         w.coverage.skew = {
             {.from = "a", .to = "b", .offset_ns = -100'000'000, .bound_ns = 500'000, .pairs = 4}};
       },
       [](World& w) { w.coverage.skew[0].offset_ns = 99'999'999; },
       "the clock of a is 100.0 ms (+- 0.5 ms) ahead of that of b", "timedatectl set-ntp true"},
      {"ClockSkewThatIsProven", Fault::kClockSkew, true,
       [](World& w) {
         w.coverage.skew = {{.from = "a", .to = "b", .offset_ns = 200'000'000, .bound_ns = 1}};
       },
       [](World& w) { w.coverage.skew[0].bound_ns = 200'000'000; }, "the clock of b is 200.0 ms",
       "timedatectl set-ntp true"},
  };
}

const Advice* Find(const std::vector<Advice>& all, Fault fault) {
  const auto at = std::find_if(all.begin(), all.end(),
                               [fault](const Advice& advice) { return advice.fault == fault; });
  return at == all.end() ? nullptr : &*at;
}

class AdviceTest : public testing::TestWithParam<Case> {};

TEST_P(AdviceTest, IsGivenWhereTheFiguresShowItAndNotNextToThat) {
  const Case& test = GetParam();
  World world = WellWorld();
  test.shows(world);
  const auto given = AdviseOn(world.coverage, world.unlinked_kept);
  const Advice* const advice = Find(given, test.fault);
  ASSERT_NE(advice, nullptr);
  EXPECT_EQ(advice->wrong, test.wrong);
  EXPECT_LE(advice->records, advice->of);
  EXPECT_THAT(advice->evidence, HasSubstr(test.evidence));
  const auto& changes = advice->changes;
  const bool has = std::any_of(changes.begin(), changes.end(), [&](const ConfigChange& change) {
    return change.text.find(test.change) != std::string_view::npos;
  });
  EXPECT_EQ(has, *test.change != '\0');
  test.then_not(world);
  EXPECT_EQ(Find(AdviseOn(world.coverage, world.unlinked_kept), test.fault), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Faults, AdviceTest, testing::ValuesIn(Cases()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(CoverageAdvice, IsNoneWhereAllIsWell) {
  World world = WellWorld();
  EXPECT_TRUE(AdviseOn(world.coverage, true).empty());
  EXPECT_TRUE(AdviseOn(world.coverage, false).empty());
  EXPECT_TRUE(AdviseOn({}, true).empty());
}

TEST(CoverageAdvice, SaysWhatIsWrongBeforeHints) {
  World world = WellWorld();
  world.coverage.services.push_back(Well());
  world.coverage.services[1].service = "web";
  world.pay().label_ids = 1;
  Links(world.coverage.services[0], LinkKind::kLog, LinkCause::kNoId) = 1;
  Links(world.coverage.services[1], LinkKind::kLog, LinkCause::kNoId) = 1;
  const auto advice = AdviseOn(world.coverage, true);
  ASSERT_EQ(advice.size(), 3U);
  EXPECT_EQ(advice[0].service, "pay");
  EXPECT_EQ(advice[1].service, "web");
  EXPECT_EQ(advice[2].fault, Fault::kIdsInLabels);
}

}  // namespace
}  // namespace throughline
