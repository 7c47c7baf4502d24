// POST /explain over a store: its request, its answer as JSON and as text.
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/links/handlers.h"
#include "tests/api/golden.h"
#include "tests/api/shop.h"
#include "tests/correlate/explain_world.h"

namespace throughline::api {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kSpike = 20;  // The minute.

// Twenty quiet minutes, then one in which the call outside is slow.
class ExplainTest : public testing::Test {
 protected:
  ExplainTest() : shop_(Traffic()) {
    shop_.now_unix_ns = ExplainWorld::kStart + (kSpike + 1) * ExplainWorld::kMinute;
  }

  static Batches Traffic() {
    ExplainWorld world(1);
    for (std::uint64_t minute = 0; minute < kSpike; ++minute) world.Minute(minute, 40);
    world.api_ms = 1400;
    world.Minute(kSpike, 40);
    Batches batches;
    for (Batch& batch : world.batches) {
      batches.push_back(std::make_shared<Batch>(std::move(batch)));
    }
    return batches;
  }

  static std::string Window(std::uint64_t first, std::uint64_t last) {
    const auto at = [](std::uint64_t minute) {
      return std::to_string(ExplainWorld::kStart + minute * ExplainWorld::kMinute);
    };
    return R"({"start":")" + at(first) + R"(","end":")" + at(last) + R"("})";
  }

  Response Ask(const std::string& body, const std::string& query = {},
               const std::string& accept = {}) const {
    Request request = MakeRequest(query, {});
    request.method = "POST";
    request.body = Body::Of(body);
    if (!accept.empty()) request.headers.emplace_back("accept", accept);
    return shop_.Call(links::ExplainWindow, request);
  }

  Shop shop_;
};

TEST_F(ExplainTest, IsAsInItsFile) {
  const Response answer = Ask(R"({"window":)" + Window(kSpike, kSpike + 1) + R"(,"limit":2})");
  ASSERT_EQ(answer.status, 200);
  ExpectGolden("explain.json", Indented(answer.body));
}

TEST_F(ExplainTest, AsTextIsAsInItsFile) {
  const std::string body = R"({"window":)" + Window(kSpike, kSpike + 1) + "}";
  const Response answer = Ask(body, "format=text");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  ExpectGolden("explain.txt", answer.body);
  EXPECT_EQ(Ask(body, {}, "text/plain").body, answer.body);
  EXPECT_EQ(Ask(body, "format=json", "text/plain").content_type, "application/json");
}

TEST_F(ExplainTest, TakesTheBaselineThatIsGiven) {
  const Response answer = Ask(R"({"window":)" + Window(kSpike, kSpike + 1) + R"(,"baseline":[)" +
                              Window(3, 4) + "," + Window(1, 2) + "]}");
  EXPECT_THAT(answer.body, HasSubstr(R"("verdict":"culprit")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("chosen":false,"windows":2,"traces":80)"));
}

TEST_F(ExplainTest, LooksForABaselineNoFartherThanItIsTold) {
  const std::string body = R"({"window":)" + Window(kSpike, kSpike + 1) + "}";
  shop_.settings.explain_lookback_ns = 6 * ExplainWorld::kMinute;
  const Response near = Ask(body);
  EXPECT_THAT(near.body, HasSubstr(R"("verdict":"culprit")"));
  EXPECT_THAT(near.body, HasSubstr(R"("chosen":true,"windows":4,)"));
  shop_.settings.explain_lookback_ns = 2 * ExplainWorld::kMinute;
  EXPECT_THAT(Ask(body).body, HasSubstr(R"("verdict":"too_little_data","reason":"no baseline")"));
}

TEST_F(ExplainTest, AQuietWindowHasNoClearCulprit) {
  const Response answer = Ask(R"({"window":)" + Window(15, 16) + "}");
  EXPECT_THAT(answer.body, HasSubstr(R"("verdict":"no_clear_culprit")"));
  EXPECT_THAT(Ask(R"({"window":{"start":"now-5s","end":"now-4s"}})").body,
              HasSubstr(R"("verdict":"too_little_data")"));
}

TEST_F(ExplainTest, ATraceStandsForItsKindAndItsTime) {
  TraceQuery slowest;
  slowest.service = "payment";
  slowest.order = TraceQuery::Order::kDuration;
  const auto found = shop_.store.FindTraces({}, slowest);
  ASSERT_TRUE(found);
  ASSERT_FALSE(found->items.empty());
  const std::string id = ToHex(found->items.front().trace_id);
  const Response answer = Ask(R"({"trace_id":")" + id + R"("})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr(R"("service":"external-api")"));
  EXPECT_EQ(Ask(R"({"trace_id":"77777777777777777777777777777777"})").status, 404);
  EXPECT_EQ(Ask(R"({"trace_id":"no id"})").status, 400);
}

TEST_F(ExplainTest, ASelectorNamesTheService) {
  const std::string window = R"({"window":)" + Window(kSpike, kSpike + 1);
  EXPECT_THAT(Ask(window + R"(,"metric":"latency{service=\"nobody\"}"})").body,
              HasSubstr(R"("verdict":"too_little_data","reason":"no traces in the window")"));
  EXPECT_THAT(Ask(window + R"(,"metric":"latency{job=\"shops/fraud-check\"}"})").body,
              HasSubstr(R"("service":"external-api")"));
}

TEST_F(ExplainTest, SaysThatTheDeadlineCame) {
  Request request = MakeRequest({}, {});
  request.body = Body::Of(R"({"window":)" + Window(kSpike, kSpike + 1) + "}");
  request.scope.deadline = std::chrono::steady_clock::time_point::min();
  const Response answer = shop_.Call(links::ExplainWindow, request);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("complete":false,"incomplete_reason":"timeout")"));
}

struct BadExplain {
  const char* name;
  const char* body;
  const char* problem;
};

class BadExplainTest : public testing::TestWithParam<BadExplain> {};

TEST_P(BadExplainTest, IsRefused) {
  const Response answer = Shop().Post(links::ExplainWindow, GetParam().body);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, BadExplainTest,
    testing::Values(
        BadExplain{"Empty", "", "body: "}, BadExplain{"NoObject", "[]", "want an object"},
        BadExplain{"NoWindow", "{}", "want window, or trace_id"},
        BadExplain{"WindowIsText", R"({"window":"now"})", "window: want an object"},
        BadExplain{"NoEnd", R"({"window":{"start":1}})", "window: want an object"},
        BadExplain{"NoTime", R"({"window":{"start":"x","end":2}})", "window.start: "},
        BadExplain{"OddTime", R"({"window":{"start":1.5,"end":2}})", "as a whole number"},
        BadExplain{"Backwards", R"({"window":{"start":"now","end":"now"}})", "not after"},
        BadExplain{"Long", R"({"window":{"start":"now-25h","end":"now"}})", "longer than 24 h"},
        BadExplain{"Odd", R"({"window":{"start":"now-1m","end":"now","x":1}})", "unknown member x"},
        BadExplain{"Unknown", R"({"windows":1})", "unknown member windows"},
        BadExplain{"Baseline", R"({"baseline":{}})", "baseline: want an array"},
        BadExplain{"BaselineItem", R"({"baseline":[1]})", "baseline[0]: want"},
        BadExplain{"Kind", R"({"kind":"odd"})", "want latency or error"},
        BadExplain{"Limit", R"({"limit":0})", "limit: want 1 to 100"},
        BadExplain{"Metric", R"({"metric":"{"})", "metric: "},
        BadExplain{"Service", R"({"service":1})", "service: want text"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace throughline::api
