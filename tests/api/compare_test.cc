// POST /compare over a store: its request, its answer as JSON and as text.
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

// Ten minutes in which three of ten payments are of version 2, which asks for an index that is
// missing.
class CompareTest : public testing::Test {
 protected:
  CompareTest() : shop_(Traffic()) {
    shop_.now_unix_ns = ExplainWorld::kStart + 10 * ExplainWorld::kMinute;
  }

  static Batches Traffic() {
    ExplainWorld world(21);
    world.canary_is_broken = true;
    for (std::uint64_t minute = 0; minute < 10; ++minute) world.Minute(minute, 40);
    Batches batches;
    for (Batch& batch : world.batches) {
      batches.push_back(std::make_shared<Batch>(std::move(batch)));
    }
    return batches;
  }

  Response Ask(const std::string& body, const std::string& query = {}) const {
    Request request = MakeRequest(query, {});
    request.method = "POST";
    request.body = Body::Of(body);
    return shop_.Call(links::CompareSelections, request);
  }

  static constexpr const char* kCanary =
      R"({"window":{"start":"now-10m","end":"now"},"service":"payment",)"
      R"("baseline":{"attributes":{"service.version":"1"}},)"
      R"("candidate":{"attributes":{"service.version":"2"}}})";

  Shop shop_;
};

TEST_F(CompareTest, IsAsInItsFile) {
  const Response answer = Ask(kCanary);
  ASSERT_EQ(answer.status, 200) << answer.body;
  ExpectGolden("compare.json", Indented(answer.body));
}

TEST_F(CompareTest, AsTextIsAsInItsFile) {
  const Response answer = Ask(kCanary, "format=text");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  ExpectGolden("compare.txt", answer.body);
}

TEST_F(CompareTest, TwoWindowsOfTheSameTrafficPass) {
  const Response answer = Ask(R"({"service":"payment","attributes":{"service.version":"1"},)"
                              R"("baseline":{"window":{"start":"now-10m","end":"now-5m"}},)"
                              R"("candidate":{"window":{"start":"now-5m","end":"now"}}})");
  EXPECT_THAT(answer.body, HasSubstr(R"("verdict":"pass","reason":"nothing got worse")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("in_both":0)"));
}

TEST_F(CompareTest, WithNothingThereItIsInconclusive) {
  const Response answer =
      Ask(R"({"window":{"start":"now-10m","end":"now"},"baseline":{"service":"nobody"},)"
          R"("candidate":{"service":"payment"}})");
  EXPECT_THAT(answer.body, HasSubstr(R"("verdict":"inconclusive")"));
  const Response same =
      Ask(R"({"window":{"start":"now-10m","end":"now"},"baseline":{},"candidate":{}})");
  EXPECT_THAT(same.body, HasSubstr(R"("verdict":"inconclusive")"));
  EXPECT_THAT(same.body, HasSubstr(R"("in_both":400)"));
}

TEST_F(CompareTest, NothingPassesWhereNotAllWasRead) {
  Request request = MakeRequest({}, {});
  request.body = Body::Of(kCanary);
  request.scope.deadline = std::chrono::steady_clock::time_point::min();
  const Response answer = shop_.Call(links::CompareSelections, request);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("verdict":"inconclusive")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("complete":false,"incomplete_reason":"timeout")"));
}

struct BadCompare {
  const char* name;
  const char* body;
  const char* problem;
};

class BadCompareTest : public testing::TestWithParam<BadCompare> {};

TEST_P(BadCompareTest, IsRefused) {
  const Response answer = Shop().Post(links::CompareSelections, GetParam().body);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, BadCompareTest,
    testing::Values(
        BadCompare{"Empty", "", "body: "}, BadCompare{"NoObject", "[]", "want an object"},
        BadCompare{"Nothing", "{}", "body: want baseline and candidate"},
        BadCompare{"NoCandidate", R"({"baseline":{}})", "body: want baseline and candidate"},
        BadCompare{"NoWindow", R"({"baseline":{},"candidate":{}})", "baseline: want a window"},
        BadCompare{"NoObjectInside", R"({"baseline":1})", "baseline: want an object"},
        BadCompare{"Unknown", R"({"versions":1})", "unknown member versions"},
        BadCompare{"UnknownInside", R"({"baseline":{"version":1}})", "unknown member version"},
        BadCompare{"Window", R"({"candidate":{"window":{"start":"x","end":2}}})",
                   "candidate.window.start: "},
        BadCompare{"Attributes", R"({"baseline":{"attributes":["a"]}})", "want an object of keys"},
        BadCompare{"Value", R"({"baseline":{"attributes":{"a":1}}})",
                   "baseline.attributes.a: want text"},
        BadCompare{"TooMany",
                   R"({"attributes":{"a":"","b":"","c":"","d":"","e":"","f":"","g":"","h":"",)"
                   R"("i":"","j":"","k":""}})",
                   "attributes: more than 10"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace throughline::api
