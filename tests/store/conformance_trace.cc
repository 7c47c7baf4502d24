// What links to an id, and a trace in one line.
#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/store/conformance.h"
#include "tests/store/dump.h"
#include "tests/store/sample.h"

namespace throughline::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kLow = 0x48485a3953bb6124;
constexpr TraceId kFull{.high = 0x463ac35c9f6413ad, .low = kLow};
constexpr TraceId kHalf{.high = 0, .low = kLow};
constexpr TraceId kSecondFull{.high = 0x7, .low = kLow};

SampleSpan Named(TraceId trace, std::uint64_t span, const std::string& name) {
  return SampleSpan{.trace = trace, .span = {span}, .name = name};
}

std::vector<std::string> NamesOf(const Result<TraceRecords>& found) {
  std::vector<std::string> names;
  for (const Span& span : found->records.spans) names.emplace_back(span.name);
  std::sort(names.begin(), names.end());
  return names;
}

TEST_P(StoreConformance, NothingIsFoundInAnEmptyStore) {
  const auto found = store().FindTrace({}, kFull, {});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->matches, IsEmpty());
  EXPECT_EQ(found->records.record_count(), 0U);
  EXPECT_TRUE(found->complete);
  EXPECT_EQ(found->evidence.first_arrival_unix_ns, 0U);
  EXPECT_THAT(*store().Summarize({}, kFull), IsEmpty());
  EXPECT_THAT(*store().Services({}), IsEmpty());
  EXPECT_THAT(store().FindTraces({}, {})->items, IsEmpty());
}

TEST_P(StoreConformance, TwoWidthsOfOneIdLink) {
  Append(Sample().Add(Named(kHalf, 1, "half")).Finish());
  for (const TraceId asked : {kHalf, kFull}) {
    const auto found = store().FindTrace({}, asked, {});
    EXPECT_THAT(found->matches, ElementsAre(kHalf));
    EXPECT_THAT(NamesOf(found), ElementsAre("half"));
  }
  Append(Sample().Add(Named(kFull, 2, "full")).Finish());
  for (const TraceId asked : {kHalf, kFull}) {
    const auto found = store().FindTrace({}, asked, {});
    EXPECT_THAT(found->matches, ElementsAre(kFull));
    EXPECT_THAT(NamesOf(found), ElementsAre("full", "half"));
    const auto summaries = store().Summarize({}, asked);
    ASSERT_EQ(summaries->size(), 1U);
    EXPECT_EQ(summaries->front().trace_id, kFull);
    EXPECT_EQ(summaries->front().evidence.span_count, 2U);
  }
}

TEST_P(StoreConformance, SeveralTracesBehindA64BitSpellingAreAmbiguous) {
  Append(Sample()
             .Add(Named(kFull, 1, "first"))
             .Add(Named(kSecondFull, 1, "second"))
             .Add(Named(kHalf, 2, "either"))
             .Finish());
  const auto ambiguous = store().FindTrace({}, kHalf, {});
  EXPECT_THAT(ambiguous->matches, ElementsAre(kSecondFull, kFull));
  EXPECT_EQ(ambiguous->records.record_count(), 0U);
  EXPECT_THAT(NamesOf(store().FindTrace({}, kFull, {})), ElementsAre("either", "first"));
  EXPECT_THAT(NamesOf(store().FindTrace({}, kSecondFull, {})), ElementsAre("either", "second"));

  const auto summaries = store().Summarize({}, kHalf);
  ASSERT_EQ(summaries->size(), 2U);
  EXPECT_EQ((*summaries)[0].trace_id, kSecondFull);
  EXPECT_EQ((*summaries)[1].trace_id, kFull);
  EXPECT_EQ((*summaries)[0].evidence.span_count, 2U);
  EXPECT_EQ((*summaries)[1].evidence.span_count, 2U);
  EXPECT_EQ(store().FindTraces({}, {})->items.size(), 2U);
}

// Any number of traces behind one low half: bounded answers, and appends that cost no more than
// others do.
TEST_P(StoreConformance, ManyTracesBehindOneLowHalfAreBounded) {
  constexpr std::uint64_t kTraces = 20'000;
  Sample sample;
  for (std::uint64_t i = 0; i < kTraces; ++i) {
    sample.Add(SampleSpan{.trace = {.high = i + 1, .low = 7}, .span = {i + 1}, .name = "n"});
  }
  EXPECT_EQ(Append(sample.Finish()).spans, kTraces);
  const auto found = store().FindTrace({}, {.high = 0, .low = 7}, {});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->matches.size(), kMaxMatches);
  EXPECT_EQ(found->matches.front(), (TraceId{.high = 1, .low = 7}));
  EXPECT_EQ(found->matches.back(), (TraceId{.high = kMaxMatches, .low = 7}));
  EXPECT_EQ(store().Summarize({}, {.high = 0, .low = 7})->size(), kMaxMatches);
  EXPECT_EQ(store().FindTrace({}, {.high = kTraces, .low = 7}, {})->records.spans.size(), 1U);
}

TEST_P(StoreConformance, AnotherKnownHighHalfIsAnotherTrace) {
  Append(Sample().Add(Named(kSecondFull, 1, "second")).Finish());
  EXPECT_THAT(store().FindTrace({}, kFull, {})->matches, IsEmpty());
  EXPECT_THAT(*store().Summarize({}, kFull), IsEmpty());
  // With a record that may be of either, that one alone is found, not what else it links to.
  Append(Sample().Add(Named(kHalf, 2, "either")).Finish());
  const auto found = store().FindTrace({}, kFull, {});
  EXPECT_THAT(found->matches, ElementsAre(kHalf));
  EXPECT_THAT(NamesOf(found), ElementsAre("either"));
  const auto summaries = store().Summarize({}, kFull);
  ASSERT_EQ(summaries->size(), 1U);
  EXPECT_EQ(summaries->front().evidence.span_count, 1U);
}

TEST_P(StoreConformance, AHighHalfAloneNeverLinks) {
  Append(Sample().Add(Named({.high = kFull.high, .low = 1}, 1, "other low half")).Finish());
  EXPECT_THAT(store().FindTrace({}, kFull, {})->matches, IsEmpty());
  EXPECT_THAT(store().FindTrace({}, {.high = 0, .low = kFull.high}, {})->matches, IsEmpty());
}

TEST_P(StoreConformance, AZeroLowHalfJoinsOnAllBytes) {
  constexpr TraceId kFirst{.high = 1, .low = 0};
  constexpr TraceId kSecond{.high = 2, .low = 0};
  Append(Sample().Add(Named(kFirst, 1, "first")).Add(Named(kSecond, 1, "second")).Finish());
  Append(Sample().Add(SampleLine{}).Finish());  // Unlinked: links to neither.
  const auto found = store().FindTrace({}, kFirst, {});
  EXPECT_THAT(found->matches, ElementsAre(kFirst));
  EXPECT_THAT(NamesOf(found), ElementsAre("first"));
  EXPECT_EQ(found->records.record_count(), 1U);
  EXPECT_EQ(store().FindTraces({}, {})->items.size(), 2U);
}

TEST_P(StoreConformance, OptionsChooseWhatIsRead) {
  Append(Sample()
             .Add(Named(kFull, 1, "span"))
             .Add(SampleLine{.trace = kFull})
             .Add(SampleExemplar{.trace = kFull})
             .Finish());
  FindOptions options;
  options.hint = {.start_unix_ns = 1, .end_unix_ns = 2};  // Orders the search, never excludes.
  EXPECT_EQ(store().FindTrace({}, kFull, options)->records.record_count(), 3U);
  options.logs = false;
  options.exemplars = false;
  EXPECT_EQ(store().FindTrace({}, kFull, options)->records.record_count(), 1U);
  options = {};
  options.spans = false;
  const auto found = store().FindTrace({}, kFull, options);
  EXPECT_EQ(found->records.spans.size(), 0U);
  EXPECT_EQ(found->records.record_count(), 2U);
  EXPECT_THAT(found->matches, ElementsAre(kFull));
}

TEST_P(StoreConformance, TheRecordLimitIsTold) {
  Sample sample;
  for (std::uint64_t i = 1; i <= 10; ++i) sample.Add(Named(kFull, i, "span"));
  Append(sample.Finish());
  FindOptions options;
  options.record_limit = 9;
  const auto cut = store().FindTrace({}, kFull, options);
  EXPECT_EQ(cut->records.spans.size(), 9U);
  EXPECT_FALSE(cut->complete);
  EXPECT_EQ(cut->incomplete_reason, "limit");
  options.record_limit = 10;
  const auto whole = store().FindTrace({}, kFull, options);
  EXPECT_EQ(whole->records.spans.size(), 10U);
  EXPECT_TRUE(whole->complete);
}

TEST_P(StoreConformance, ATraceIsSummedUp) {
  Sample sample;
  sample.From({{"service.name", "shop"}, {"service.version", "2"}})
      .Add(
          SampleSpan{.trace = kFull, .span = {1}, .start = kNow, .duration = 100, .name = "GET /"});
  sample.From({{"service.name", "pay"}, {"service.version", "1"}})
      .Add(SampleSpan{.trace = kFull,
                      .span = {2},
                      .parent = {1},
                      .start = kNow + 10,
                      .duration = 500,
                      .status = 2})
      .Add(SampleLine{.trace = kFull, .time = kNow - kSecond, .sampled = Sampled::kNo});
  sample.From({}).Add(SampleLine{.trace = kFull, .service = "mail"});
  Append(sample.Finish(), kNow + 7);
  Append(Sample()
             .From({{"service.name", "meter"}})
             .Add(SampleExemplar{.trace = kHalf, .time = kNow + kHour})
             .Finish(),
         kNow + 5);
  const auto summaries = store().Summarize({}, kFull);
  ASSERT_EQ(summaries->size(), 1U);
  const TraceSummary& summary = summaries->front();
  EXPECT_EQ(summary.root_service, "shop");
  EXPECT_EQ(summary.root_operation, "GET /");
  EXPECT_EQ(summary.root_span_id, SpanId{1});
  // Spans alone decide the times, where there are any.
  EXPECT_EQ(summary.start_unix_ns, kNow);
  EXPECT_EQ(summary.end_unix_ns, kNow + 510);
  EXPECT_EQ(summary.duration_ns, 510U);
  EXPECT_EQ(summary.error_count, 1U);
  EXPECT_THAT(summary.services, ElementsAre("mail", "meter", "pay", "shop"));
  EXPECT_THAT(summary.versions, ElementsAre("1", "2"));
  EXPECT_EQ(summary.evidence.span_count, 2U);
  EXPECT_EQ(summary.evidence.log_count, 2U);
  EXPECT_EQ(summary.evidence.exemplar_count, 1U);
  EXPECT_TRUE(summary.evidence.said_unsampled);
  EXPECT_FALSE(summary.evidence.in_expired);
  EXPECT_EQ(summary.evidence.first_arrival_unix_ns, kNow + 5);
  EXPECT_EQ(Dump(*summaries), Dump(store().FindTraces({}, {})->items));
  const LinkEvidence evidence = store().FindTrace({}, kFull, {})->evidence;
  EXPECT_EQ(evidence.log_count, 2U);
  EXPECT_TRUE(evidence.said_unsampled);
  EXPECT_EQ(evidence.first_arrival_unix_ns, kNow + 5);
}

TEST_P(StoreConformance, ATraceWithoutSpansIsSummedUpByItsOtherRecords) {
  Append(Sample()
             .Add(SampleLine{.trace = kFull, .time = kNow})
             .Add(SampleExemplar{.trace = kFull, .time = kNow - 5})
             .Add(SampleLine{.trace = kFull, .time = 0})  // By its arrival.
             .Finish(),
         kNow + 20);
  const auto summaries = store().Summarize({}, kFull);
  ASSERT_EQ(summaries->size(), 1U);
  EXPECT_EQ(summaries->front().start_unix_ns, kNow - 5);
  EXPECT_EQ(summaries->front().end_unix_ns, kNow + 20);
  EXPECT_EQ(summaries->front().root_operation, "");
  EXPECT_FALSE(summaries->front().root_span_id.IsValid());
}

TEST_P(StoreConformance, TheRootIsTheEarliestWithoutParentElseWithAMissingOne) {
  Append(Sample()
             .Add(SampleSpan{
                 .trace = kFull, .span = {1}, .parent = {2}, .start = kNow, .name = "loop1"})
             .Add(SampleSpan{.trace = kFull, .span = {2}, .parent = {1}, .start = kNow + 1})
             .Finish());
  EXPECT_EQ(store().Summarize({}, kFull)->front().root_operation, "loop1");
  Append(Sample()
             .Add(SampleSpan{
                 .trace = kFull, .span = {3}, .parent = {8}, .start = kNow + 9, .name = "late"})
             .Add(SampleSpan{
                 .trace = kFull, .span = {4}, .parent = {9}, .start = kNow + 5, .name = "orphan"})
             .Finish());
  EXPECT_EQ(store().Summarize({}, kFull)->front().root_operation, "orphan");
  Append(
      Sample()
          .Add(SampleSpan{.trace = kFull, .span = {6}, .start = kNow + kHour, .name = "later root"})
          .Add(SampleSpan{.trace = kFull, .span = {7}, .start = kNow + kSecond, .name = "root"})
          .Finish());
  EXPECT_EQ(store().Summarize({}, kFull)->front().root_operation, "root");
}

TEST_P(StoreConformance, EqualRootsAreToldApartInAnyOrder) {
  for (const bool lower_first : {true, false}) {
    SCOPED_TRACE(lower_first);
    Open({});
    const auto lower = Sample().Add(Named(kFull, 1, "lower")).Finish();
    const auto higher = Sample().Add(Named(kFull, 2, "higher")).Finish();
    Append(lower_first ? lower : higher);
    Append(lower_first ? higher : lower);
    EXPECT_EQ(store().Summarize({}, kFull)->front().root_operation, "lower");
  }
}

TEST_P(StoreConformance, TimesThatCannotBeAreReplacedByArrival) {
  constexpr std::uint64_t kDay = 24 * kHour;
  Append(Sample().Add(SampleSpan{.trace = kFull, .span = {1}, .start = 5, .duration = 30}).Finish(),
         kNow);
  const auto summaries = store().Summarize({}, kFull);
  EXPECT_EQ(summaries->front().start_unix_ns, kNow);
  EXPECT_EQ(summaries->front().duration_ns, 30U);
  EXPECT_EQ(store().FindTrace({}, kFull, {})->records.spans[0].start_unix_ns, 5U);  // As sent.
  TraceQuery query;
  query.time = {.start_unix_ns = kNow - 1, .end_unix_ns = kNow + 1};
  EXPECT_EQ(store().FindTraces({}, query)->items.size(), 1U);
  Append(Sample().Add(SampleLine{.trace = kFull, .time = kNow + 2 * kDay}).Finish(), kNow);
  LogQuery lines;
  lines.time = query.time;
  EXPECT_EQ(store().FindLogs({}, lines)->records.logs.size(), 1U);
}

}  // namespace
}  // namespace throughline::store
