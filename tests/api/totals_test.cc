// GET /critical-path and GET /dependencies over a store.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/jaeger/handlers.h"
#include "api/links/handlers.h"
#include "api/links/path_minutes.h"
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

// What a live window is asked for: it moves, and records come late.
class PathMinutesTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kMinutes = 8;

  PathMinutesTest() : shop_(Batches()) {
    ExplainWorld world(43);
    world.error_share = 0.1;
    for (std::uint64_t minute = 0; minute < kMinutes; ++minute) {
      if (minute == 5) world.api_ms = 900;
      world.Minute(minute, 30);
    }
    for (Batch& batch : world.batches) {
      waiting_.push_back(std::make_shared<Batch>(std::move(batch)));
    }
    std::mt19937_64 random(5);
    std::shuffle(waiting_.begin(), waiting_.end(), random);
    shop_.now_unix_ns = ExplainWorld::kStart + (kMinutes + 1) * ExplainWorld::kMinute;
  }

  void Append(std::size_t count) {
    for (std::size_t i = 0; i < count && !waiting_.empty(); ++i) {
      Append(waiting_.back());
      waiting_.pop_back();
    }
  }
  void Append(const std::shared_ptr<const Batch>& batch) {
    const std::vector<Appending> one{{std::string(kDefaultTenant), batch, ExplainWorld::kStart}};
    ASSERT_TRUE(shop_.store.Append(one));
  }

  std::string Ask(const std::string& query, links::PathMinutes* minutes) const {
    const links::Context context{shop_.store, shop_.settings, shop_.now_unix_ns, minutes};
    const Response answer = links::CriticalPaths(MakeRequest(query, {}), context);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.body;
  }

  Shop shop_;
  Batches waiting_;  // In no order of their times.
};

TEST_F(PathMinutesTest, KeptMinutesChangeNoAnswer) {
  links::PathMinutes minutes(1U << 20U);
  links::PathMinutes few(10'000);  // Holds some minutes, and lets others go.
  std::size_t asked = 0;
  while (!waiting_.empty()) {
    Append(20);
    for (const char* query : {"start=now-8m&end=now", "start=now-6m&end=now-2m",
                              "start=now-500s&end=now-100s", "start=now-7m&end=now&service=payment",
                              "start=now-4m&end=now&baseline_start=now-8m&baseline_end=now-4m"}) {
      const std::string plain = Ask(query, nullptr);
      EXPECT_EQ(Ask(query, &minutes), plain) << query;
      EXPECT_EQ(Ask(query, &minutes), plain) << query;
      EXPECT_EQ(Ask(query, &few), plain) << query;
      ++asked;
    }
    EXPECT_LE(few.size_bytes(), 10'000U);
  }
  EXPECT_GT(asked, 50U);
  EXPECT_GT(minutes.size_bytes(), 10'000U);
}

// At the end of its time nothing can be read: what is answered then was kept.
TEST_F(PathMinutesTest, AWindowIsReadAgainOnlyWhereSomethingCame) {
  const std::shared_ptr<const Batch> late = waiting_.front();
  waiting_.erase(waiting_.begin());
  Append(1'000'000);
  const std::uint64_t start = ExplainWorld::kStart / kMinute * kMinute + kMinute;  // Whole minutes.
  Request request = MakeRequest(
      "start=" + std::to_string(start) + "&end=" + std::to_string(start + 7 * kMinute), {});
  links::PathMinutes minutes(1U << 20U);
  const links::Context context{shop_.store, shop_.settings, shop_.now_unix_ns, &minutes};
  const std::string all = links::CriticalPaths(request, context).body;
  EXPECT_THAT(all, HasSubstr(R"("complete":true)"));
  EXPECT_THAT(all, HasSubstr(R"("callee":"external-api")"));
  request.scope.deadline = std::chrono::steady_clock::time_point::min();
  EXPECT_EQ(links::CriticalPaths(request, context).body, all);
  Append(late);
  EXPECT_THAT(links::CriticalPaths(request, context).body, HasSubstr(R"("complete":false)"));
  // Other traces are asked for: nothing of them is kept.
  request = MakeRequest("service=payment&start=" + std::to_string(start) +
                            "&end=" + std::to_string(start + 7 * kMinute),
                        {});
  request.scope.deadline = std::chrono::steady_clock::time_point::min();
  EXPECT_THAT(links::CriticalPaths(request, context).body, HasSubstr(R"("complete":false)"));
}

TEST_F(PathMinutesTest, AWindowWithATraceOfMinutesIsReadWhole) {
  Append(1'000'000);
  auto batch = std::make_shared<Batch>();
  batch->resources.resize(1);
  batch->resources[0].service = "slow";
  Span root;
  root.trace_id = {9, 9};
  root.span_id = {1};
  root.start_unix_ns = ExplainWorld::kStart + 30 * ExplainWorld::kSecond;
  root.end_unix_ns = root.start_unix_ns + 3 * ExplainWorld::kMinute;
  root.resource = 0;
  root.name = "report";
  root.identity = 1;
  batch->spans.push_back(root);
  Append(batch);
  links::PathMinutes minutes(1U << 20U);
  const std::string query = "start=now-9m&end=now&service=slow";
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Ask(query, &minutes), Ask(query, nullptr));
  // Its child stands in the third minute, whose revision is all that changes.
  auto late = std::make_shared<Batch>();
  late->resources = batch->resources;
  Span child = root;
  child.span_id = {2};
  child.parent_span_id = {1};
  child.start_unix_ns += 2 * ExplainWorld::kMinute;
  child.end_unix_ns = child.start_unix_ns + ExplainWorld::kSecond;
  child.name = "query";
  child.identity = 2;
  late->spans.push_back(child);
  Append(late);
  const std::string plain = Ask(query, nullptr);
  EXPECT_THAT(plain, HasSubstr("query"));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Ask(query, &minutes), plain);
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
