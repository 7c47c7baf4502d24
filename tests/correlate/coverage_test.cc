// The figures of a range: what counts for which service, and that no order of arrival changes it.
#include "correlate/analysis/coverage.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/store/sample.h"

namespace throughline {
namespace {

using store::kNow;
using store::kSecond;
using store::Sample;
using store::SampleExemplar;
using store::SampleLine;
using store::SampleSpan;

constexpr TraceId kTrace{0x0af7651916cd43dd, 0x8448eb211c80319c};
constexpr TraceId kOther{0x1111111111111111, 0x2222222222222222};
constexpr char kHex[] = "0af7651916cd43dd8448eb211c80319c";

using Batches = std::vector<std::shared_ptr<const Batch>>;

// As a store gives them: with the time of arrival.
std::shared_ptr<const Batch> Arrived(Sample& sample) {
  const auto batch = std::const_pointer_cast<Batch>(sample.Finish());
  for (Span& span : batch->spans) span.arrival_unix_ns = kNow;
  for (LogLine& line : batch->logs) line.arrival_unix_ns = kNow;
  for (Exemplar& exemplar : batch->exemplars) exemplar.arrival_unix_ns = kNow;
  return batch;
}

Result<std::optional<Link>> NoSpan(TraceId, std::uint64_t) {
  return std::optional<Link>(LinkOfCause(LinkCause::kNoSpan, "none"));
}

Coverage Measure(const Batches& batches, const TimeRange& range = {},
                 const std::optional<std::string>& service = {},
                 const CoverageMeter::Limits& limits = {}) {
  CoverageMeter meter(range, service, 7, limits);
  for (const auto& batch : batches) meter.Add(*batch);
  auto coverage = std::move(meter).Close(NoSpan);
  EXPECT_TRUE(coverage.has_value());
  return *std::move(coverage);
}

const ServiceCoverage& Of(const Coverage& coverage, std::string_view service) {
  const auto at = std::find_if(coverage.services.begin(), coverage.services.end(),
                               [&](const auto& of) { return of.service == service; });
  static const ServiceCoverage kNone;
  EXPECT_NE(at, coverage.services.end()) << service;
  return at == coverage.services.end() ? kNone : *at;
}

std::uint64_t Spelt(const ServiceCoverage& of, Spelling spelling) {
  return of.spellings[static_cast<std::size_t>(spelling)];
}

// pay: three spans of which a line names one, and a line the trace of two. web: no lines.
Batches Small() {
  Sample sample;
  sample.From({{"service.name", "pay"}, {"telemetry.sdk.language", "java"}, {"host.name", "h1"}});
  sample.Add(SampleSpan{.trace = kTrace, .span = {1}, .parent = {9}});
  sample.Add(SampleSpan{.trace = kTrace, .span = {2}, .parent = {1}});
  sample.Add(SampleSpan{.trace = kOther, .span = {3}});
  sample.Add(SampleLine{.trace = kTrace, .span = {1}, .attributes = {{"trace_id", kHex}}});
  sample.Add(SampleLine{.trace = {0, kTrace.low},
                        .time = kNow + 1,
                        .body = "dd.trace_id=9532127138774266268 x",
                        .found_by = FoundBy::kKey});
  sample.Add(SampleLine{.time = kNow + 2});
  sample.Add(SampleLine{.trace = kOther, .event_name = "throughline.sampling.decision"});
  sample.Add(SampleExemplar{.trace = kTrace});
  sample.Add(SampleExemplar{.trace = {3, 3}, .time = kNow + 1});
  sample.Add(SampleExemplar{.time = kNow + 2});
  sample.From({{"service.name", "web"}, {"host.name", "h2"}});
  sample.Add(SampleSpan{
      .trace = kTrace, .span = {9}, .start = kNow - kSecond, .duration = 3 * kSecond, .kind = 3});
  sample.From({{"trace_id", kHex}});
  sample.Add(SampleLine{.trace = kTrace, .time = kNow + 3});
  // Its labels name another trace.
  sample.Add(SampleLine{.trace = kOther, .time = kNow + 4});
  return {Arrived(sample)};
}

TEST(Coverage, CountsWhatEachServiceSent) {
  const Coverage coverage = Measure(Small());
  EXPECT_TRUE(coverage.complete);
  ASSERT_EQ(coverage.services.size(), 3U);
  const ServiceCoverage& pay = Of(coverage, "pay");
  EXPECT_EQ(pay.language, "java");
  EXPECT_EQ(pay.spans, 3U);
  EXPECT_EQ(pay.spans_with_lines, 1U);
  EXPECT_EQ(pay.spans_of_logged_traces, 2U);
  EXPECT_EQ(pay.lines, 3U);
  EXPECT_EQ(pay.lines_with_ids, 2U);
  EXPECT_EQ(pay.short_ids, 1U);
  EXPECT_EQ(pay.label_ids, 0U);
  EXPECT_EQ(pay.stream_lines, 0U);
  EXPECT_EQ(pay.resource_lines, 3U);
  EXPECT_EQ(Spelt(pay, Spelling::kHex32), 1U);
  EXPECT_EQ(Spelt(pay, Spelling::kDecimal), 1U);
  EXPECT_EQ(pay.exemplars, 3U);
  EXPECT_EQ(pay.exemplars_with_ids, 2U);
  const LinkCounts& links = pay.links[static_cast<std::size_t>(LinkKind::kExemplar)];
  EXPECT_EQ(links[static_cast<std::size_t>(LinkCause::kSpansHere)], 1U);
  EXPECT_EQ(links[static_cast<std::size_t>(LinkCause::kNoSpan)], 1U);
  const ServiceCoverage& web = Of(coverage, "web");
  EXPECT_EQ(web.spans, 1U);
  EXPECT_EQ(web.spans_of_logged_traces, 0U);  // The lines are another service's.
  const ServiceCoverage& nobody = Of(coverage, "");
  EXPECT_EQ(nobody.lines, 2U);
  EXPECT_EQ(nobody.label_ids, 1U);
  EXPECT_EQ(nobody.stream_lines, 2U);
  EXPECT_EQ(nobody.resource_lines, 0U);
  ASSERT_EQ(coverage.skew.size(), 1U);
  EXPECT_EQ(coverage.skew[0].from, "h1");
}

TEST(Coverage, JoinsAsLinksDo) {
  struct Case {
    const char* name;
    TraceId span;
    TraceId line;
    bool joins;
  };
  const Case cases[] = {
      {"Equal", {1, 2}, {1, 2}, true},         {"ShortLine", {1, 2}, {0, 2}, true},
      {"ShortSpan", {0, 2}, {1, 2}, true},     {"OtherHigh", {1, 2}, {3, 2}, false},
      {"OtherLow", {1, 2}, {1, 3}, false},     {"ZeroLow", {1, 0}, {1, 0}, true},
      {"ZeroLowOther", {1, 0}, {3, 0}, false},
  };
  for (const Case& test : cases) {
    Sample sample;
    sample.From({{"service.name", "pay"}});
    sample.Add(SampleSpan{.trace = test.span, .span = {5}});
    sample.Add(SampleLine{.trace = test.line, .span = {5}});
    const Coverage coverage = Measure({Arrived(sample)});
    EXPECT_EQ(Of(coverage, "pay").spans_with_lines, test.joins ? 1U : 0U) << test.name;
    EXPECT_EQ(Of(coverage, "pay").spans_of_logged_traces, test.joins ? 1U : 0U) << test.name;
  }
}

TEST(Coverage, ALineOfNoServiceMayBeThatOfTheSpanItNames) {
  Sample sample;
  sample.From({{"service.name", "pay"}});
  sample.Add(SampleSpan{.trace = kTrace, .span = {5}});
  sample.Add(SampleSpan{.trace = kTrace, .span = {6}});
  sample.From({});
  sample.Add(SampleLine{.trace = kTrace, .span = {5}});
  const Batches batches{Arrived(sample)};
  for (const std::optional<std::string>& service :
       {std::optional<std::string>(), std::optional<std::string>("pay")}) {
    const Coverage coverage = Measure(batches, {}, service);
    EXPECT_EQ(coverage.services.size(), service ? 1U : 2U);
    EXPECT_EQ(Of(coverage, "pay").lines, 0U);
    EXPECT_EQ(Of(coverage, "pay").spans_with_lines, 1U);
    EXPECT_EQ(Of(coverage, "pay").spans_of_logged_traces, 1U);
  }
}

TEST(Coverage, TakesOnlyTheRangeAndTheService) {
  EXPECT_TRUE(Measure(Small(), {.start_unix_ns = kNow + kSecond}).services.empty());
  EXPECT_EQ(Of(Measure(Small(), {.start_unix_ns = kNow + 1}), "pay").lines, 2U);
  const Coverage coverage = Measure(Small(), {}, "web");
  ASSERT_EQ(coverage.services.size(), 1U);
  EXPECT_EQ(coverage.services[0].service, "web");
}

TEST(Coverage, EveryLimitSaysThatItIsIncomplete) {
  EXPECT_TRUE(Measure(Small(), {}, {}, {.spans = 4, .records = 8}).complete);
  // Twice as many spans are held before one is too many.
  for (const CoverageMeter::Limits& limits :
       {CoverageMeter::Limits{.spans = 1}, CoverageMeter::Limits{.records = 7},
        CoverageMeter::Limits{.services = 3}}) {
    const Coverage coverage = Measure(Small(), {}, {}, limits);
    EXPECT_FALSE(coverage.complete);
    EXPECT_EQ(coverage.incomplete_reason, "limit");
  }
}

TEST(Coverage, LinesOfNoServiceHaveTheLimitToo) {
  EXPECT_TRUE(Measure(Small(), {}, "web", {.records = 2}).complete);
  EXPECT_FALSE(Measure(Small(), {}, "web", {.records = 1}).complete);
}

TEST(Coverage, RetriedSpansDoNotMeetTheLimit) {
  const Batches once = Small();
  const Batches often(20, once[0]);
  const Coverage coverage = Measure(often, {}, {}, {.spans = 4});
  EXPECT_TRUE(coverage.complete);
  EXPECT_EQ(Of(coverage, "pay").spans, 3U);
}

TEST(Coverage, NamesThatStandForNone) {
  for (const char* name : {"", "unknown_service", "unknown_service:java"}) {
    EXPECT_TRUE(IsUnnamedService(name)) << name;
  }
  for (const char* name : {"pay", "unknown_services", "unknown"}) {
    EXPECT_FALSE(IsUnnamedService(name)) << name;
  }
}

}  // namespace
}  // namespace throughline
