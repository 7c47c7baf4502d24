// Gauge points: thinned, found by metric, service and time, there after a restart.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/store/conformance.h"
#include "tests/store/dump.h"
#include "tests/store/sample.h"

namespace throughline::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The beginning of ten seconds.
constexpr std::uint64_t kStep = 10 * kSecond;
constexpr std::uint64_t kThen = kNow - kNow % kStep;

std::vector<double> Values(const Result<RecordPage>& page) {
  std::vector<double> values;
  if (!page) return values;
  for (const GaugePoint& point : page->records.gauges) values.push_back(point.value);
  return values;
}

TEST_P(StoreConformance, EveryFieldOfAGaugeComesBack) {
  Sample sample;
  sample.From({{"service.name", "pay"}, {"k8s.pod.name", "pay-0"}}, "library");
  sample.Add(SampleGauge{.time = kThen + 3,
                         .metric = "container.cpu.time",
                         .unit = "s",
                         .type = MetricType::kSum,
                         .value = -0.25,
                         .labels = {{"cpu", 3}, {"list", SampleValue::Array({"a", 1})}}});
  sample.Add(SampleGauge{.time = kThen + 4, .value = 1e300, .service = "stated"});
  const auto batch = sample.Add(SampleGauge{.time = kThen + kStep, .value = 2}).Finish();
  auto bare = Sample().Add(SampleGauge{.time = kThen, .value = 3}).Finish();
  Append(batch, kNow + kSecond);
  Append(bare, kNow + kSecond);

  const auto page = store().FindGauges({}, {});
  ASSERT_TRUE(page);
  EXPECT_THAT(Values(page), ElementsAre(2, 1e300, -0.25, 3));
  std::vector<std::string> wanted;
  for (const auto& from : {batch, bare}) {
    for (GaugePoint point : from->gauges) {
      point.arrival_unix_ns = kNow + kSecond;
      wanted.push_back(Dump(point, *from));
    }
  }
  EXPECT_THAT(DumpOrdered(page->records), testing::UnorderedElementsAreArray(wanted));
}

TEST_P(StoreConformance, GaugesAreThinnedToAPointIn10Seconds) {
  const auto at = [](std::uint64_t time, double value) {
    return Sample()
        .From({{"k8s.pod.name", "pay-0"}})
        .Add(SampleGauge{.time = time, .value = value, .labels = {{"cpu", "0"}, {"mode", "user"}}})
        .Finish();
  };
  EXPECT_EQ(Append(at(kThen + 7, 1)).gauges, 1U);
  const Appended again = Append(at(kThen + 2, 2));  // The first that came stays.
  EXPECT_EQ(again.gauges, 0U);
  EXPECT_EQ(again.deduplicated_gauges, 1U);
  EXPECT_EQ(Append(at(kThen + kStep - 1, 3)).gauges, 0U);
  EXPECT_EQ(Append(at(kThen + kStep, 4)).gauges, 1U);
  EXPECT_EQ(Append(at(kThen - 1, 5)).gauges, 1U);
  // Labels in another order are the same series; another pod, label or metric is another one.
  const auto varied =
      Sample()
          .From({{"k8s.pod.name", "pay-0"}})
          .Add(SampleGauge{.time = kThen, .value = 6, .labels = {{"mode", "user"}, {"cpu", "0"}}})
          .Add(SampleGauge{.time = kThen, .value = 7, .labels = {{"cpu", "0"}}})
          .Add(SampleGauge{.time = kThen, .metric = "other", .value = 8})
          .From({{"k8s.pod.name", "pay-1"}})
          .Add(SampleGauge{.time = kThen, .value = 9, .labels = {{"cpu", "0"}}})
          .Finish();
  const Appended counts = Append(varied);
  EXPECT_EQ(counts.gauges, 3U);
  EXPECT_EQ(counts.deduplicated_gauges, 1U);
  EXPECT_EQ(store().Usage().gauges, 6U);
  EXPECT_THAT(Values(store().FindGauges({}, {})), testing::UnorderedElementsAre(1, 4, 5, 7, 8, 9));
}

TEST_P(StoreConformance, GaugesAreFound) {
  Sample sample;
  sample.From({{"service.name", "pay"}});
  sample.Add(SampleGauge{.time = kThen, .metric = "k8s.pod.cpu.usage", .value = 1});
  sample.Add(SampleGauge{.time = kThen + kStep, .metric = "k8s.pod.cpu.usage", .value = 2});
  sample.From({{"service.name", "shop"}});
  sample.Add(SampleGauge{.time = kThen + 1, .metric = "k8s.pod.cpu.usage", .value = 3});
  sample.From({{"k8s.pod.name", "x"}});
  sample.Add(SampleGauge{.time = kThen + 2,
                         .metric = "container_cpu_usage_seconds_total",
                         .type = MetricType::kSum,
                         .value = 4});
  sample.Add(SampleGauge{.time = 1, .metric = "k8s.pod.cpu.time", .value = 5});  // Cannot be.
  Append(sample.Finish(), kThen + 3 * kStep);
  struct Case {
    const char* name;
    GaugeQuery query;
    std::vector<double> found;
  };
  const auto metric = [](const char* pattern) { return GaugeQuery{.metric = pattern}; };
  std::vector<Case> cases = {
      {"all", {}, {5, 2, 4, 3, 1}},
      {"any", metric("*"), {5, 2, 4, 3, 1}},
      {"name", metric("k8s.pod.cpu.usage"), {2, 3, 1}},
      {"name in the other spelling", metric("k8s_pod_cpu_usage"), {2, 3, 1}},
      {"beginning", metric("k8s.pod.*"), {5, 2, 3, 1}},
      {"beginning in the other spelling", metric("container.cpu.*"), {4}},
      {"no beginning", metric("k8s.pod.cpu"), {}},
      {"longer", metric("k8s.pod.cpu.usage.x*"), {}},
      {"case matters", metric("K8s*"), {}},
      {"service", {.service = "pay"}, {2, 1}},
      {"service and metric", {.metric = "k8s*", .service = "shop"}, {3}},
      {"no service stated", {.service = ""}, {5, 4}},
      {"unknown service", {.service = "x"}, {}},
      {"time, both ends in", {.time = {kThen + 1, kThen + kStep}}, {2, 4, 3}},
      {"time between", {.time = {kThen + 3, kThen + kStep - 1}}, {}},
      {"time of arrival", {.time = {kThen + 2 * kStep, UINT64_MAX}}, {5}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    const auto page = store().FindGauges({}, test.query);
    ASSERT_TRUE(page);
    EXPECT_EQ(Values(page), test.found);
    EXPECT_TRUE(page->complete);
    GaugeQuery paged = test.query;
    paged.limit = 1;
    std::vector<double> one_by_one;
    do {
      const auto one = store().FindGauges({}, paged);
      ASSERT_TRUE(one);
      for (const double value : Values(one)) one_by_one.push_back(value);
      paged.cursor = one->cursor;
    } while (!paged.cursor.empty() && one_by_one.size() < 10);
    EXPECT_EQ(one_by_one, test.found);
  }
}

TEST_P(StoreConformance, BadGaugeQueriesAreRefused) {
  Append(Sample().Add(SampleGauge{}).Add(SampleGauge{.time = kNow + kStep}).Finish());
  const auto refused = [this](const GaugeQuery& query) {
    const auto page = store().FindGauges({}, query);
    return !page && page.error().code == Errc::kInvalidArgument;
  };
  EXPECT_TRUE(refused({.metric = "a*b"}));
  EXPECT_TRUE(refused({.metric = "**"}));
  EXPECT_TRUE(refused({.limit = 0}));
  EXPECT_TRUE(refused({.limit = 1, .cursor = "x"}));
  ExemplarQuery exemplars;
  exemplars.cursor = store().FindGauges({}, {.limit = 1})->cursor;
  ASSERT_FALSE(exemplars.cursor.empty());
  EXPECT_FALSE(store().FindExemplars({}, exemplars));  // A cursor of another list.
}

// More points than a page holds at once: none is lost, none comes twice.
TEST_P(StoreConformance, PagesOfManyGauges) {
  constexpr std::uint64_t kPoints = 5000;
  Sample sample;
  for (std::uint64_t i = 0; i < kPoints; ++i) {
    // Neither ascending nor descending.
    const std::uint64_t step = i * 1231 % kPoints;
    sample.Add(SampleGauge{.time = kThen - step * kStep, .value = static_cast<double>(step)});
  }
  Append(sample.Finish());
  GaugeQuery query;
  query.limit = 333;
  std::vector<double> wanted;
  std::vector<double> values;
  for (std::uint64_t i = 0; i < kPoints; ++i) wanted.push_back(static_cast<double>(i));
  do {
    const auto page = store().FindGauges({}, query);
    ASSERT_TRUE(page);
    for (const double value : Values(page)) values.push_back(value);
    query.cursor = page->cursor;
  } while (!query.cursor.empty() && values.size() <= kPoints);
  EXPECT_EQ(values, wanted);
}

TEST_P(StoreConformance, GaugesAreThereAfterReopening) {
  if (!GetParam().durable) GTEST_SKIP() << "keeps nothing";
  const auto some = [](std::uint64_t from) {
    Sample sample;
    for (const char* pod : {"a", "b"}) {
      sample.From({{"k8s.pod.name", pod}, {"service.name", "pay"}});
      for (std::uint64_t i = from; i < from + 3; ++i) {
        sample.Add(SampleGauge{.time = kThen + i * kStep, .labels = {{"cpu", "0"}}});
        sample.Add(SampleGauge{.time = kThen + i * kStep, .service = "other"});
        sample.Add(SampleSpan{.trace = {1, i + 1}, .span = {1}});
      }
    }
    return sample.Finish();
  };
  Append(some(0), kNow, "one");
  Append(some(2), kNow + 1, "two");
  const auto answers = [this] {
    std::string out;
    for (const char* tenant : {"one", "two"}) {
      out += Dump(*store().FindGauges(AsTenant(tenant), {})) +
             Dump(*store().FindGauges(AsTenant(tenant), {.service = "other"}));
    }
    return out + std::to_string(store().Usage().gauges);
  };
  const std::string before = answers();
  Reopen();
  EXPECT_EQ(answers(), before);
  EXPECT_EQ(Append(some(0), kNow, "one").gauges, 0U);  // Known, though they were written before.
  EXPECT_EQ(Append(some(1), kNow, "one").gauges, 4U);
  const std::string grown = answers();
  Reopen();
  EXPECT_EQ(answers(), grown);
}

TEST_P(StoreConformance, AFailedAppendLeavesNoGauge) {
  Open({.tenants = 1});
  const auto batch = Sample().From({{"pod", "new"}}).Add(SampleGauge{}).Finish();
  const std::vector<Appending> appendings{
      {.tenant = "default", .batch = batch, .arrival_unix_ns = kNow},
      {.tenant = "second", .batch = batch, .arrival_unix_ns = kNow}};
  EXPECT_FALSE(store().Append(appendings));
  EXPECT_THAT(Values(store().FindGauges({}, {})), IsEmpty());
  EXPECT_EQ(Append(batch).gauges, 1U);
  EXPECT_THAT(Values(store().FindGauges({}, {})), ElementsAre(1));
}

TEST_P(StoreConformance, AStoreFullOfGaugesRefuses) {
  if (!GetParam().bounded) GTEST_SKIP() << "has no bound of its own";
  constexpr std::uint64_t kMemory = 4U << 20U;
  constexpr std::uint64_t kAppendsAtMost = 10'000;
  Open({.memory_bytes = kMemory});
  std::uint64_t stored = 0;
  for (std::uint64_t i = 0;; ++i) {
    ASSERT_LT(i, kAppendsAtMost);
    Sample sample;
    for (std::uint64_t pod = 0; pod < 100; ++pod) {
      sample.From({{"pod", std::to_string(pod)}}).Add(SampleGauge{.time = kThen + i * kStep});
    }
    const Appending appending{
        .tenant = "default", .batch = sample.Finish(), .arrival_unix_ns = kNow};
    const auto appended = store().Append({&appending, 1});
    if (!appended) {
      EXPECT_EQ(appended.error().code, Errc::kUnavailable);
      break;
    }
    stored += appended->front().gauges;
  }
  EXPECT_EQ(store().Usage().gauges, stored);
  EXPECT_LE(store().Usage().memory_bytes, kMemory);
  GaugeQuery all;
  all.limit = stored + 1;
  EXPECT_EQ(store().FindGauges({}, all)->records.gauges.size(), stored);
}

TEST_P(StoreConformance, AGaugeSearchEndsAtTheDeadline) {
  Sample sample;
  for (std::uint64_t i = 1; i <= 10'000; ++i) sample.Add(SampleGauge{.time = i * kStep});
  Append(sample.Finish());
  const Scope cancelled{.cancel = std::make_shared<std::atomic<bool>>(true)};
  const auto page = store().FindGauges(cancelled, {});
  ASSERT_TRUE(page);
  EXPECT_FALSE(page->complete);
  EXPECT_EQ(page->incomplete_reason, "deadline");
  EXPECT_EQ(page->cursor, "");
}

TEST_P(StoreConformance, GaugesAreOfNoTraceAndNoService) {
  Append(Sample().From({{"service.name", "pay"}}).Add(SampleGauge{}).Finish());
  EXPECT_TRUE(store().Services({})->empty());
  EXPECT_TRUE(store().Operations({}, "pay")->empty());
  EXPECT_EQ(store().Usage().traces, 0U);
}

}  // namespace
}  // namespace throughline::store
