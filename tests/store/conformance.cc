// What is appended: counted, deduplicated, bounded, kept apart by tenant, there after a restart.
#include "tests/store/conformance.h"

#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "tests/store/dump.h"
#include "tests/store/sample.h"

namespace throughline::store {

void StoreTest::Open(const StoreLimits& limits) {
  under_test_ = GetParam().open(limits);
  sample_hash_seed = store().hash_seed();
}

void StoreTest::Reopen() { under_test_->Reopen(); }

Appended StoreTest::Append(std::shared_ptr<const Batch> batch, std::uint64_t arrival_unix_ns,
                           const std::string& tenant) {
  const Appending appending{
      .tenant = tenant, .batch = std::move(batch), .arrival_unix_ns = arrival_unix_ns};
  const auto appended = store().Append({&appending, 1});
  EXPECT_TRUE(appended) << appended.error().message;
  return appended ? appended->front() : Appended();
}

Appended StoreTest::Append(std::shared_ptr<const Batch> batch) {
  return Append(std::move(batch), kNow);
}

namespace {

using testing::ElementsAre;

constexpr TraceId kTrace{.high = 0xabc, .low = 0x123};
constexpr TraceId kOther{.high = 0xdef, .low = 0x456};

SampleSpan ASpan(TraceId trace, std::uint64_t span) {
  return SampleSpan{.trace = trace, .span = {span}};
}

std::shared_ptr<const Batch> SpansOf(TraceId trace, std::uint64_t first, std::uint64_t count) {
  Sample sample;
  sample.From({{"service.name", "pay"}});
  for (std::uint64_t i = 0; i < count; ++i) sample.Add(ASpan(trace, first + i));
  return sample.Finish();
}

std::shared_ptr<const Batch> OneOfEach(TraceId trace) {
  return Sample()
      .From({{"service.name", "pay"}, {"service.version", "1.2"}}, "library")
      .Add(SampleSpan{.trace = trace, .span = {1}})
      .Add(SampleLine{.trace = trace, .span = {1}})
      .Add(SampleExemplar{.trace = trace, .span = {1}})
      .Add(SampleGauge{})
      .Finish();
}

std::uint64_t SpanCount(const Store& store, const std::string& tenant, TraceId trace) {
  const auto found = store.FindTrace(AsTenant(tenant), trace, {});
  return found ? found->records.spans.size() : UINT64_MAX;
}

TEST_P(StoreConformance, CountsWhatItStores) {
  Sample sample;
  const Appended counts = Append(sample.Add(ASpan(kTrace, 1))
                                     .Add(ASpan(kTrace, 2))
                                     .Add(SampleLine{.trace = kTrace})
                                     .Add(SampleLine{})
                                     .Add(SampleExemplar{.trace = kOther})
                                     .Add(SampleGauge{})
                                     .Finish());
  EXPECT_EQ(counts.spans, 2U);
  EXPECT_EQ(counts.logs, 2U);
  EXPECT_EQ(counts.exemplars, 1U);
  EXPECT_EQ(counts.gauges, 1U);
  EXPECT_EQ(counts.deduplicated_spans + counts.deduplicated_logs + counts.deduplicated_exemplars +
                counts.deduplicated_gauges,
            0U);
  const StoreUsage usage = store().Usage();
  EXPECT_EQ(usage.spans, 2U);
  EXPECT_EQ(usage.logs, 2U);
  EXPECT_EQ(usage.exemplars, 1U);
  EXPECT_EQ(usage.gauges, 1U);
  EXPECT_EQ(usage.traces, 2U);
  EXPECT_EQ(usage.tenants, 1U);
}

TEST_P(StoreConformance, AnEmptyBatchChangesNothing) {
  const Appended counts = Append(Sample().Finish());
  EXPECT_EQ(counts.spans + counts.logs + counts.exemplars, 0U);
  EXPECT_EQ(store().Usage().traces, 0U);
}

TEST_P(StoreConformance, ARetryIsDeduplicated) {
  Append(OneOfEach(kTrace));
  const std::string before = Dump(*store().FindTrace({}, kTrace, {}));
  const Appended counts = Append(OneOfEach(kTrace), kNow + kSecond);
  EXPECT_EQ(counts.spans + counts.logs + counts.exemplars + counts.gauges, 0U);
  EXPECT_EQ(counts.deduplicated_spans, 1U);
  EXPECT_EQ(counts.deduplicated_logs, 1U);
  EXPECT_EQ(counts.deduplicated_exemplars, 1U);
  EXPECT_EQ(counts.deduplicated_gauges, 1U);
  EXPECT_EQ(Dump(*store().FindTrace({}, kTrace, {})), before);
  EXPECT_EQ(store().Usage().spans, 1U);
}

TEST_P(StoreConformance, DuplicatesWithinOneAppendAreFound) {
  // Twice in one batch, and again in a second one of the same append.
  auto twice = Sample().Add(ASpan(kTrace, 1)).Add(ASpan(kTrace, 1)).Finish();
  auto again = Sample().Add(ASpan(kTrace, 1)).Add(ASpan(kTrace, 2)).Finish();
  const std::vector<Appending> appendings{
      {.tenant = "default", .batch = twice, .arrival_unix_ns = kNow},
      {.tenant = "default", .batch = again, .arrival_unix_ns = kNow}};
  const auto counts = store().Append(appendings);
  ASSERT_TRUE(counts);
  ASSERT_EQ(counts->size(), 2U);
  EXPECT_EQ((*counts)[0].spans, 1U);
  EXPECT_EQ((*counts)[0].deduplicated_spans, 1U);
  EXPECT_EQ((*counts)[1].spans, 1U);
  EXPECT_EQ((*counts)[1].deduplicated_spans, 1U);
  EXPECT_EQ(SpanCount(store(), "default", kTrace), 2U);
}

TEST_P(StoreConformance, TheSameSpanIdWithOtherContentIsKept) {
  Append(Sample()
             .Add(SampleSpan{.trace = kTrace, .span = {1}, .name = "client", .kind = 3})
             .Add(SampleSpan{.trace = kTrace, .span = {1}, .name = "server", .kind = 2})
             .Finish());
  EXPECT_EQ(SpanCount(store(), "default", kTrace), 2U);
}

TEST_P(StoreConformance, EqualIdentitiesOfTwoKindsAreTwoRecords) {
  const auto batch = std::const_pointer_cast<Batch>(OneOfEach(kTrace));
  batch->spans[0].identity = 7;
  batch->logs[0].identity = 7;
  batch->exemplars[0].identity = 7;
  batch->gauges[0].identity = 7;
  const Appended counts = Append(batch);
  EXPECT_EQ(counts.spans + counts.logs + counts.exemplars + counts.gauges, 4U);
}

TEST_P(StoreConformance, TenantsNeverMeet) {
  Append(OneOfEach(kTrace), kNow, "one");
  const Appended second = Append(OneOfEach(kTrace), kNow, "two");
  EXPECT_EQ(second.spans, 1U);  // Not a duplicate of the other tenant's.
  Append(SpansOf(kOther, 1, 3), kNow, "two");

  EXPECT_EQ(SpanCount(store(), "one", kOther), 0U);
  EXPECT_EQ(SpanCount(store(), "two", kOther), 3U);
  EXPECT_EQ(SpanCount(store(), "three", kTrace), 0U);
  EXPECT_TRUE(store().Summarize(AsTenant("one"), kOther)->empty());
  EXPECT_EQ(store().FindTraces(AsTenant("one"), {})->items.size(), 1U);
  EXPECT_EQ(store().FindTraces(AsTenant("two"), {})->items.size(), 2U);
  EXPECT_TRUE(store().FindTraces(AsTenant("three"), {})->items.empty());
  EXPECT_EQ(store().FindLogs(AsTenant("one"), {})->records.logs.size(), 1U);
  EXPECT_TRUE(store().FindLogs(AsTenant("three"), {})->records.logs.empty());
  EXPECT_EQ(store().FindExemplars(AsTenant("two"), {})->records.exemplars.size(), 1U);
  EXPECT_TRUE(store().FindExemplars(AsTenant("three"), {})->records.exemplars.empty());
  EXPECT_EQ(store().FindGauges(AsTenant("two"), {})->records.gauges.size(), 1U);
  EXPECT_TRUE(store().FindGauges(AsTenant("three"), {})->records.gauges.empty());
  EXPECT_EQ(store().Services(AsTenant("one"))->front().span_count, 1U);
  EXPECT_EQ(store().Services(AsTenant("two"))->front().span_count, 4U);
  EXPECT_TRUE(store().Services(AsTenant("three"))->empty());
  EXPECT_EQ(store().Operations(AsTenant("one"), "pay")->front().span_count, 1U);
  EXPECT_TRUE(store().Operations(AsTenant("three"), "pay")->empty());
  EXPECT_EQ(store().Usage().tenants, 2U);
}

TEST_P(StoreConformance, OneTenantTooManyIsRefusedWhole) {
  Open({.tenants = 2});
  Append(SpansOf(kTrace, 1, 1), kNow, "one");
  const std::vector<Appending> appendings{
      {.tenant = "two", .batch = SpansOf(kTrace, 1, 1), .arrival_unix_ns = kNow},
      {.tenant = "three", .batch = SpansOf(kTrace, 1, 1), .arrival_unix_ns = kNow},
      {.tenant = "one", .batch = SpansOf(kTrace, 2, 1), .arrival_unix_ns = kNow}};
  const auto refused = store().Append(appendings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kOverloaded);
  for (const char* tenant : {"two", "three"}) EXPECT_EQ(SpanCount(store(), tenant, kTrace), 0U);
  EXPECT_EQ(SpanCount(store(), "one", kTrace), 1U);
  // What failed is stored when it is tried again, and not taken for a duplicate.
  EXPECT_EQ(Append(SpansOf(kTrace, 2, 1), kNow, "one").spans, 1U);
  EXPECT_EQ(Append(SpansOf(kTrace, 1, 1), kNow, "two").spans, 1U);
}

TEST_P(StoreConformance, AFullStoreRefusesAndKeepsWhatItHas) {
  if (!GetParam().bounded) GTEST_SKIP() << "has no bound of its own";
  constexpr std::uint64_t kMemory = 8U << 20U;
  constexpr std::uint64_t kSpansInBatch = 500;
  constexpr std::uint64_t kBatchesAtMost = 10'000;
  Open({.memory_bytes = kMemory});
  std::uint64_t stored = 0;
  Result<std::vector<Appended>> last = std::vector<Appended>();
  for (std::uint64_t i = 0; i < kBatchesAtMost && last; ++i) {
    const TraceId trace{.high = 1, .low = i + 1};
    const Appending appending{
        .tenant = "default", .batch = SpansOf(trace, 1, kSpansInBatch), .arrival_unix_ns = kNow};
    last = store().Append({&appending, 1});
    if (last) stored += last->front().spans;
  }
  ASSERT_FALSE(last) << stored << " spans went into " << kMemory << " bytes";
  EXPECT_EQ(last.error().code, Errc::kUnavailable);
  const StoreUsage usage = store().Usage();
  EXPECT_EQ(usage.spans, stored);
  EXPECT_EQ(usage.memory_limit_bytes, kMemory);
  EXPECT_LE(usage.memory_bytes, kMemory);
  EXPECT_EQ(SpanCount(store(), "default", {.high = 1, .low = 1}), kSpansInBatch);
  EXPECT_EQ(SpanCount(store(), "default", {.high = 1, .low = stored / kSpansInBatch + 1}), 0U);
}

TEST_P(StoreConformance, EveryFieldComesBack) {
  Sample sample;
  sample.From({{"service.name", "pay"}, {"service.version", "1.2"}, {"zone", 3}}, "library");
  sample.Add(SampleSpan{
      .trace = kTrace,
      .span = {2},
      .parent = {1},
      .name = "charge",
      .status = 2,
      .attributes = {{"int", -1},
                     {"double", 0.5},
                     {"bool", true},
                     {"empty", ""},
                     {"list", SampleValue::Array({"a", 1})}},
      .events = {{.name = "exception", .attributes = {{"type", "E"}}}, {.name = "retry"}},
      .links = {{.trace = kOther, .span = {9}, .attributes = {{"why", "batch"}}}},
      .status_message = "refused",
      .trace_state = "a=b"});
  sample.Add(SampleLine{.trace = kTrace,
                        .span = {2},
                        .observed = kNow + 1,
                        .body = SampleValue::Array({"structured", 1}),
                        .severity = 17,
                        .attributes = {{"thread", "main"}},
                        .sampled = Sampled::kNo,
                        .found_by = FoundBy::kShape,
                        .related = {{kOther, {3}}},
                        .service = "stated"});
  sample.Add(SampleExemplar{.trace = kTrace,
                            .span = {2},
                            .metric = "http.server.duration",
                            .unit = "s",
                            .value = 0.25,
                            .le = 0.5,
                            .labels = {{"http.method", "GET"}},
                            .attributes = {{"user", "x"}}});
  // A second origin, and none at all.
  sample.From({{"service.name", "stock"}}).Add(ASpan(kTrace, 3));
  const auto batch = sample.Finish();
  Append(batch, kNow + kSecond);

  const auto expected = std::const_pointer_cast<Batch>(batch);
  for (Span& span : expected->spans) span.arrival_unix_ns = kNow + kSecond;
  expected->logs[0].arrival_unix_ns = kNow + kSecond;
  expected->exemplars[0].arrival_unix_ns = kNow + kSecond;
  const auto found = store().FindTrace({}, kTrace, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(DumpSorted(found->records), DumpSorted(*expected));
  EXPECT_EQ(DumpOrdered(store().FindLogs({}, {})->records),
            (std::vector<std::string>{Dump(expected->logs[0], *expected)}));
  EXPECT_EQ(DumpOrdered(store().FindExemplars({}, {})->records),
            (std::vector<std::string>{Dump(expected->exemplars[0], *expected)}));
}

TEST_P(StoreConformance, AnswersOutliveWhatWasAppended) {
  const auto found = [this] {
    Append(OneOfEach(kTrace));
    return store().FindTrace({}, kTrace, {});
  }();
  const std::string before = Dump(*found);
  for (std::uint64_t i = 1; i < 50; ++i) Append(SpansOf({.high = 5, .low = i}, 1, 200));
  EXPECT_EQ(Dump(*found), before);
}

TEST_P(StoreConformance, EverythingIsThereAfterReopening) {
  if (!GetParam().durable) GTEST_SKIP() << "keeps nothing";
  Append(OneOfEach(kTrace), kNow, "one");
  Append(SpansOf(kOther, 1, 3), kNow + 1, "two");
  Append(Sample().Add(SampleLine{}).Finish(), kNow + 2, "two");
  const auto answers = [this] {
    std::string out = std::to_string(store().hash_seed());
    for (const char* tenant : {"one", "two"}) {
      const Scope scope = AsTenant(tenant);
      LogQuery all_lines;
      all_lines.linked_only = false;
      for (const TraceId trace : {kTrace, kOther}) {
        out += Dump(*store().FindTrace(scope, trace, {})) + Dump(*store().Summarize(scope, trace));
      }
      out += Dump(*store().FindTraces(scope, {})) + Dump(*store().FindLogs(scope, all_lines)) +
             Dump(*store().FindExemplars(scope, {})) + Dump(*store().FindGauges(scope, {})) +
             Dump(*store().Services(scope)) + Dump(*store().Operations(scope, "pay"));
    }
    const StoreUsage usage = store().Usage();
    return out + std::to_string(usage.spans) + " " + std::to_string(usage.logs) + " " +
           std::to_string(usage.exemplars) + " " + std::to_string(usage.gauges) + " " +
           std::to_string(usage.traces) + " " + std::to_string(usage.tenants);
  };
  const std::string before = answers();
  Reopen();
  EXPECT_EQ(answers(), before);
  // Retries across the restart are known, and new records come in.
  EXPECT_EQ(Append(OneOfEach(kTrace), kNow + kSecond, "one").deduplicated_spans, 1U);
  EXPECT_EQ(answers(), before);
  EXPECT_EQ(Append(OneOfEach(kOther), kNow + kSecond, "one").spans, 1U);
  const std::string grown = answers();
  Reopen();
  EXPECT_EQ(answers(), grown);
}

TEST_P(StoreConformance, ReadersSeeWholeAppends) {
  constexpr std::uint64_t kSpansInAppend = 20;
  constexpr std::uint64_t kAppends = 100;
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> acknowledged = 0;
  std::thread reader([&] {
    while (!done) {
      const std::uint64_t at_least = acknowledged;
      const std::uint64_t count = SpanCount(store(), "default", kTrace);
      EXPECT_GE(count, at_least);
      EXPECT_EQ(count % kSpansInAppend, 0U);
      const auto page = store().FindTraces({}, {});
      if (!page->items.empty()) {
        EXPECT_EQ(page->items.front().evidence.span_count % kSpansInAppend, 0U);
      }
    }
  });
  for (std::uint64_t i = 0; i < kAppends; ++i) {
    // Two batches of one append are seen together too.
    const std::vector<Appending> appendings{
        {.tenant = "default",
         .batch = SpansOf(kTrace, i * kSpansInAppend + 1, kSpansInAppend / 2),
         .arrival_unix_ns = kNow},
        {.tenant = "default",
         .batch = SpansOf(kTrace, i * kSpansInAppend + kSpansInAppend / 2 + 1, kSpansInAppend / 2),
         .arrival_unix_ns = kNow}};
    EXPECT_TRUE(store().Append(appendings));
    acknowledged = (i + 1) * kSpansInAppend;
  }
  done = true;
  reader.join();
  EXPECT_EQ(SpanCount(store(), "default", kTrace), kAppends * kSpansInAppend);
}

TEST_P(StoreConformance, WatchesHearOfWhatLinks) {
  const auto count_calls = [this](const Scope& scope, TraceId id, int& calls) {
    auto handle = store().Watch(scope, id, [&calls] { ++calls; });
    EXPECT_TRUE(handle);
    return std::move(handle).value();
  };
  int calls = 0;
  int low_calls = 0;
  int other_calls = 0;
  int tenant_calls = 0;
  auto watch = count_calls({}, kTrace, calls);
  auto low_watch = count_calls({}, {.high = 0, .low = kTrace.low}, low_calls);
  auto other_watch = count_calls({}, {.high = 0x999, .low = kTrace.low}, other_calls);
  auto tenant_watch = count_calls(AsTenant("other"), kTrace, tenant_calls);
  EXPECT_EQ(store().Usage().watches, 4U);

  Append(SpansOf(kTrace, 1, 1));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(low_calls, 1);
  Append(SpansOf(kTrace, 1, 1));  // Nothing new.
  Append(SpansOf(kOther, 1, 1));
  EXPECT_EQ(calls, 1);
  Append(Sample().Add(SampleLine{.trace = {.high = 0, .low = kTrace.low}}).Finish());
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(low_calls, 2);
  EXPECT_EQ(other_calls, 1);  // The line has no high half: it may be that trace's.
  Append(Sample().Add(SampleExemplar{.trace = kTrace}).Finish());
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(tenant_calls, 0);

  watch.reset();
  Append(SpansOf(kTrace, 2, 1));
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(low_calls, 4);
  EXPECT_EQ(store().Usage().watches, 3U);
}

// Who watches first and looks then misses nothing, however the append falls between.
TEST_P(StoreConformance, WhatIsNotSeenIsHeardOf) {
  constexpr std::uint64_t kRounds = 300;
  for (std::uint64_t i = 1; i <= kRounds && !HasFailure(); ++i) {
    const TraceId trace{.high = 1, .low = i};
    const auto batch = SpansOf(trace, 1, 1);
    std::atomic<bool> go = false;
    std::atomic<bool> heard = false;
    std::thread appender([&] {
      while (!go) std::this_thread::yield();
      Append(batch);
    });
    go = true;
    const auto watch = store().Watch({}, trace, [&heard] { heard = true; });
    const bool seen = SpanCount(store(), "default", trace) == 1;
    appender.join();
    EXPECT_TRUE(seen || heard) << "round " << i;
  }
}

TEST_P(StoreConformance, AFailedAppendTellsNobody) {
  Open({.tenants = 1});
  Append(SpansOf(kOther, 1, 1));
  int calls = 0;
  const auto watch = store().Watch({}, kTrace, [&calls] { ++calls; });
  const std::vector<Appending> appendings{
      {.tenant = "default", .batch = SpansOf(kTrace, 1, 1), .arrival_unix_ns = kNow},
      {.tenant = "second", .batch = SpansOf(kTrace, 1, 1), .arrival_unix_ns = kNow}};
  EXPECT_FALSE(store().Append(appendings));
  EXPECT_EQ(calls, 0);
}

TEST_P(StoreConformance, OneWatchTooManyIsRefused) {
  Open({.watches = 2});
  auto first = store().Watch({}, kTrace, [] {});
  const auto second = store().Watch({}, kTrace, [] {});
  const auto third = store().Watch({}, kTrace, [] {});
  ASSERT_TRUE(second);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::kOverloaded);
  first.value().reset();
  EXPECT_TRUE(store().Watch({}, kTrace, [] {}));
}

}  // namespace
}  // namespace throughline::store
