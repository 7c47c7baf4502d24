// GET /critical-path and GET /dependencies over a store.
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/jaeger/handlers.h"
#include "api/links/handlers.h"
#include "api/links/walk_records.h"
#include "tests/api/golden.h"
#include "tests/api/shop.h"
#include "tests/correlate/explain_world.h"

namespace throughline::api {
namespace {

using testing::HasSubstr;
using testing::Not;

// Two minutes; in the second one the call outside is slow.
class TotalsTest : public testing::Test {
 protected:
  TotalsTest() : shop_(Traffic()) {
    shop_.now_unix_ns = ExplainWorld::kStart + 2 * ExplainWorld::kMinute;
  }

  static Batches Traffic() {
    ExplainWorld world(41);
    world.error_share = 0.1;
    world.Minute(0, 60);
    world.api_ms = 1400;
    world.Minute(1, 60);
    Batches batches;
    for (Batch& batch : world.batches) {
      batches.push_back(std::make_shared<Batch>(std::move(batch)));
    }
    return batches;
  }

  Shop shop_;
};

TEST_F(TotalsTest, CriticalPathIsAsInItsFile) {
  const Response answer = shop_.Get(links::CriticalPaths, "start=now-1m&end=now&limit=4");
  ASSERT_EQ(answer.status, 200) << answer.body;
  ExpectGolden("critical_path.json", Indented(answer.body));
}

TEST_F(TotalsTest, CriticalPathBesideABaselineIsAsInItsFile) {
  const Response answer = shop_.Get(links::CriticalPaths,
                                    "service=payment&operation=POST /charge&start=now-1m&end=now&"
                                    "baseline_start=now-2m&baseline_end=now-1m&limit=3");
  ASSERT_EQ(answer.status, 200) << answer.body;
  ExpectGolden("critical_path_growth.json", Indented(answer.body));
}

TEST_F(TotalsTest, CriticalPathOfNothing) {
  const Response answer = shop_.Get(links::CriticalPaths, "service=nobody&start=now-1m&end=now");
  EXPECT_THAT(answer.body, HasSubstr(R"("parts":[],"parts_in_all":0,"complete":true)"));
}

TEST_F(TotalsTest, CriticalPathRefusesWhatIsNoWindow) {
  for (const char* query :
       {"start=x", "start=now&end=now-1m", "baseline_start=now-1m", "baseline_end=now",
        "baseline_start=now&baseline_end=now", "limit=0", "servce=payment"}) {
    EXPECT_EQ(shop_.Get(links::CriticalPaths, query).status, 400) << query;
  }
}

TEST_F(TotalsTest, DependenciesAreAsInTheirFile) {
  const Response answer = shop_.Get(links::Dependencies, "start=now-2m&end=now");
  ASSERT_EQ(answer.status, 200) << answer.body;
  ExpectGolden("dependencies.json", Indented(answer.body));
  EXPECT_EQ(shop_.Get(links::Dependencies, "service=payment").status, 400);
}

TEST_F(TotalsTest, JaegersDependenciesAreThoseOfWhatSendsSpans) {
  const Response answer = shop_.Get(jaeger::Dependencies, "lookback=120000");
  EXPECT_THAT(answer.body, HasSubstr(R"({"parent":"payment","child":"fraud-check","callCount":)"));
  EXPECT_THAT(answer.body, Not(HasSubstr("external-api")));
}

TEST_F(TotalsTest, TheDeadlineIsSaid) {
  Request request = MakeRequest("start=now-2m&end=now", {});
  request.scope.deadline = std::chrono::steady_clock::time_point::min();
  for (const Shop::Handler handler : {&links::CriticalPaths, &links::Dependencies}) {
    EXPECT_THAT(shop_.Call(handler, request).body,
                HasSubstr(R"("complete":false,"incomplete_reason":"timeout")"));
  }
}

// More spans than are in memory at once: the range is read in parts, and nothing is lost or double.
TEST(WalkRecords, ARangeOfAnySizeIsReadInParts) {
  constexpr std::uint64_t kTraces = 30'000;
  constexpr std::uint64_t kSpansATrace = 8;
  static_assert(kTraces * kSpansATrace > links::kSpansAtOnce);
  const std::uint64_t start = kArrival - 30 * kMinute;
  auto batch = std::make_shared<Batch>();
  batch->resources.resize(1);
  batch->resources[0].service = "front";
  for (std::uint64_t t = 0; t < kTraces; ++t) {
    for (std::uint64_t i = 0; i < kSpansATrace; ++i) {
      Span span;
      span.trace_id = {1, t + 1};
      span.span_id = {t * kSpansATrace + i + 1};
      if (i > 0) span.parent_span_id = {t * kSpansATrace + 1};
      span.start_unix_ns = start + t * 50 * kMs + i;
      span.end_unix_ns = span.start_unix_ns + kMs;
      span.resource = 0;
      span.name = "work";
      span.identity = span.span_id.value;
      batch->spans.push_back(span);
    }
  }
  const Shop shop({batch});
  std::uint64_t visits = 0;
  std::uint64_t traces = 0;
  std::uint64_t spans = 0;
  const links::Context context{shop.store, shop.settings, shop.now_unix_ns};
  const auto walked =
      links::WalkRecords(MakeRequest({}, {}), context, {start, start + kTraces * 50 * kMs}, {},
                         [&](const RecordedTraces& records, TraceWindow window) {
                           ++visits;
                           traces += window.size();
                           for (std::uint32_t t = window.first; t < window.last; ++t) {
                             spans += records.traces[t].spans.count;
                           }
                         });
  ASSERT_TRUE(walked);
  EXPECT_TRUE(walked->complete);
  EXPECT_GT(visits, 1U);
  EXPECT_EQ(traces, kTraces);
  EXPECT_EQ(spans, kTraces * kSpansATrace);
}

// So dense that even a second has too many.
TEST(WalkRecords, WhatIsTooDenseIsCutAndSaid) {
  auto batch = std::make_shared<Batch>();
  batch->resources.resize(1);
  for (std::uint64_t i = 0; i < links::kSpansAtOnce + 1000; ++i) {
    Span span;
    span.trace_id = {1, i + 1};
    span.span_id = {i + 1};
    span.start_unix_ns = kArrival + i;
    span.end_unix_ns = span.start_unix_ns + 1;
    span.identity = i;
    span.resource = 0;
    batch->spans.push_back(span);
  }
  const Shop shop({batch});
  const links::Context context{shop.store, shop.settings, shop.now_unix_ns};
  std::uint64_t traces = 0;
  const auto walked = links::WalkRecords(
      MakeRequest({}, {}), context, {kArrival, kArrival + 1'000'000'000}, {},
      [&](const RecordedTraces&, TraceWindow window) { traces += window.size(); });
  ASSERT_TRUE(walked);
  EXPECT_FALSE(walked->complete);
  EXPECT_EQ(walked->incomplete_reason, "limit");
  EXPECT_EQ(traces, links::kSpansAtOnce);
}

}  // namespace
}  // namespace throughline::api
