// Jaeger's answers, as files; units, parameters and bounds.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/jaeger/handlers.h"
#include "api/root_trace.h"
#include "tests/api/products.h"
#include "tests/api/shop.h"

namespace throughline::api {
namespace {

using store::Sample;
using store::SampleSpan;
using testing::HasSubstr;
using testing::Not;

// Around kArrival, in us.
constexpr char kRange[] = "&start=1749999000000000&end=1750000000000000";

std::vector<ProductCall> Calls() {
  const std::string buy = ToHex(kBuy);
  const std::string nothing = "99999999999999998888888888888888";
  const auto search = [](const char* name, const std::string& query) {
    return ProductCall{name, jaeger::FindTraces, "/api/traces?" + query + kRange};
  };
  return {
      {"services", jaeger::Services, "/api/services"},
      {"operations", jaeger::Operations, "/api/services/pay/operations", "pay"},
      {"operations_unknown", jaeger::Operations, "/api/services/a/b/operations", "a/b"},
      {"trace", jaeger::GetTrace, "/api/traces/" + buy, buy},
      {"trace_at_root", GetRootTrace, "/api/traces/" + buy, buy, "application/json, */*"},
      {"trace_short_id", jaeger::GetTrace,
       "/api/traces/1234567890abcdef?start=1749999000000&end=1750000000000", "1234567890abcdef"},
      {"trace_not_found", jaeger::GetTrace, "/api/traces/" + nothing, nothing},
      {"trace_malformed", jaeger::GetTrace, "/api/traces/x", "x"},
      search("search", "service=mail&limit=20"),
      search(
          "search_filtered",
          R"(service=front&operation=POST /buy&tags={"error":"true","http.response.status_code":502,)"
          R"("gift":"false","span.kind":"server"}&minDuration=400ms&maxDuration=1.5s&limit=1)"),
      search("search_nothing", R"(service=front&operation=POST&tags={"span.kind":"server"})"),
      {"search_no_service", jaeger::FindTraces, "/api/traces?limit=20"},
      {"dependencies", jaeger::Dependencies,
       "/api/dependencies?endTs=1750000000000&lookback=3600000"},
      {"v3_services", jaeger::ServicesV3, "/api/v3/services"},
      {"v3_operations", jaeger::OperationsV3, "/api/v3/operations?service=front"},
      {"v3_trace", jaeger::GetTraceV3,
       "/api/v3/traces/" + buy +
           "?start_time=2025-06-15T15:00:00.5Z&end_time=2025-06-15T16:00:00.000000001Z",
       buy},
      {"v3_trace_not_found", jaeger::GetTraceV3, "/api/v3/traces/" + nothing, nothing},
  };
}

class JaegerTest : public testing::TestWithParam<ProductCall> {};

TEST_P(JaegerTest, IsAsInItsFile) {
  ExpectGoldenCall("jaeger", GetParam(), Ask(Shop(), GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Calls, JaegerTest, testing::ValuesIn(Calls()),
                         [](const auto& test) { return std::string(test.param.name); });

struct Search {
  const char* name;
  const char* query;
  int status;
  const char* in_body;
};

class JaegerSearchTest : public testing::TestWithParam<Search> {};

TEST_P(JaegerSearchTest, StatusAndWords) {
  const Response response =
      Ask(Shop(), {"", jaeger::FindTraces, std::string("/api/traces?") + GetParam().query});
  EXPECT_EQ(response.status, GetParam().status) << response.body;
  EXPECT_THAT(response.body, HasSubstr(GetParam().in_body));
  EXPECT_EQ(response.content_type, "application/json");
}

constexpr char kBuyId[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kNone[] = R"({"data":[],"total":0,)";

INSTANTIATE_TEST_SUITE_P(
    Parameters, JaegerSearchTest,
    testing::Values(
        Search{"LastHour", "service=pay", 200, kBuyId},
        Search{"Microseconds", "service=pay&start=1749999880060000&end=1749999880060000", 200,
               kBuyId},
        Search{"BeforeIt", "service=pay&start=1&end=1749999880059999", 200, kNone},
        Search{"Reversed", "service=pay&start=1750000000000000&end=1749999000000000", 400,
               "start is after end"},
        Search{"Operation", "service=pay&operation=POST /buy", 200, kNone},
        Search{"Number", R"(service=front&tags={"cart.value":"12.5"})", 200, kBuyId},
        Search{"OfResource", R"(service=pay&tags={"k8s.pod.name":"pay-7"})", 200, kBuyId},
        Search{"NoError", R"(service=pay&tags={"error":"false"})", 200, kBuyId},
        Search{"Status", R"(service=pay&tags={"otel.status_code":"OK"})", 200, kNone},
        Search{"ScopeName", R"(service=pay&tags={"otel.scope.name":"http.server"})", 200, kBuyId},
        Search{"OldTag", "service=pay&tag=error:true", 200, kBuyId},
        Search{"BadOldTag", "service=pay&tag=error", 400, "tag: want key:value"},
        Search{"NoObject", "service=pay&tags=[]", 400, "tags: want a JSON object"},
        Search{"NoJson", "service=pay&tags={", 400, "tags: want a JSON object"},
        Search{"Nested", R"(service=pay&tags={"a":{}})", 400, "tags: want texts"},
        Search{"QuotesStayText", R"(service=pay&tags={"a\"b":"\" || true || .x = \""})", 200,
               kNone},
        Search{"KindStaysAWord", R"(service=pay&tags={"span.kind":"server || true"})", 200, kNone},
        Search{"TooLong", "service=pay&minDuration=1s", 200, kNone},
        Search{"BadDuration", "service=pay&minDuration=fast", 400, "minDuration: want"},
        Search{"BadLimit", "service=pay&limit=x", 400, "limit: want a whole number"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(JaegerSearch, BoundsTracesAndSaysWhatItWasCutBy) {
  Sample sample;
  sample.From({{"service.name", "a"}});
  for (std::uint64_t i = 1; i <= 30; ++i) {
    sample.Add(SampleSpan{.trace = {i, i}, .span = {1}, .start = kArrival + i});
  }
  Shop shop({sample.Finish()});
  const auto ask = [&](const std::string& query) {
    return Ask(shop, {"", jaeger::FindTraces, "/api/traces?service=a" + query});
  };
  EXPECT_THAT(ask("").body, HasSubstr("\"total\":20,"));
  EXPECT_THAT(ask("&limit=25").body, HasSubstr("\"total\":25,"));
  EXPECT_TRUE(ask("&limit=25").headers.empty());
  shop.settings.query_traces = 7;
  const Response cut = ask("");
  EXPECT_THAT(cut.body, HasSubstr("\"total\":7,"));
  ASSERT_EQ(cut.headers.size(), 1U);
  EXPECT_EQ(cut.headers[0].first, "X-Throughline-Incomplete");
}

TEST(JaegerDependencies, BadTimes) {
  const auto ask = [](const std::string& query) {
    return Ask(Shop(), {"", jaeger::Dependencies, "/api/dependencies?" + query});
  };
  EXPECT_EQ(ask("endTs=x").status, 400);
  EXPECT_EQ(ask("lookback=-1").status, 400);
  EXPECT_THAT(ask("endTs=1000&lookback=99999999999").body, HasSubstr("\"data\":[]"));
}

TEST(RootTrace, IsOfTheProductThatIsAskedFor) {
  const std::string buy = ToHex(kBuy);
  EXPECT_EQ(Ask(Shop(), {"", GetRootTrace, "/api/traces/" + buy, buy, "application/protobuf"})
                .content_type,
            "application/protobuf");
  EXPECT_THAT(Ask(Shop(), {"", GetRootTrace, "/api/traces/" + buy, buy, "*/*"}).body,
              HasSubstr("\"processes\""));
}

}  // namespace
}  // namespace throughline::api
