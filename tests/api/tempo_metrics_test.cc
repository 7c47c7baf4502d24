// TraceQL's metrics, as files; samples, exemplars and bounds.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/tempo/handlers.h"
#include "tests/api/products.h"
#include "tests/api/shop.h"

namespace throughline::api {
namespace {

using store::kSecond;
using store::Sample;
using store::SampleSpan;
using testing::HasSubstr;
using testing::Not;

// The minutes around the shop's traces, which begin at 1749999880.
constexpr char kRange[] = "&start=1749999840&end=1749999960&step=60s";

ProductCall Range(const char* name, const std::string& query) {
  return {name, tempo::MetricsRange, "/api/metrics/query_range?q=" + query + kRange};
}

ProductCall Instant(const char* name, const std::string& query) {
  return {name, tempo::MetricsInstant,
          "/api/metrics/query?q=" + query + "&start=1749999840&end=1749999960"};
}

std::vector<ProductCall> Calls() {
  return {
      Range("metrics_rate", "{nestedSetParent<0} | rate()"),
      Range("metrics_rate_by", "{resource.service.name != nil} | rate() by(resource.service.name)"),
      Range("metrics_quantile",
            "{kind=server} | quantile_over_time(duration, 0.5, .99) by(status)"),
      Range("metrics_histogram", "{} | histogram_over_time(duration) with(sample=true)"),
      Range("metrics_avg", "{} | avg_over_time(span.cart.value)"),
      Range("metrics_compare", "{resource.service.name=\"front\"} | compare({kind=server}, 1)"),
      Range("metrics_none", "{name=\"nothing\"} | rate()"),
      Range("metrics_no_function", "{}"),
      Range("metrics_unknown_function", "{} | stddev_over_time(duration)"),
      Instant("metrics_instant", "{} | count_over_time() by(name) | topk(2)"),
      Instant("metrics_instant_rate", "{} | rate()"),
  };
}

class TempoMetricsTest : public testing::TestWithParam<ProductCall> {};

TEST_P(TempoMetricsTest, IsAsInItsFile) {
  ExpectGoldenCall("tempo", GetParam(), Ask(Shop(), GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Calls, TempoMetricsTest, testing::ValuesIn(Calls()),
                         [](const auto& test) { return std::string(test.param.name); });

// One trace a second, of one span, that lasts as many seconds.
Batches OneASecond(std::uint64_t count) {
  Sample sample;
  for (std::uint64_t i = 1; i <= count; ++i) {
    sample.Add(SampleSpan{.trace = {i, i},
                          .span = {1},
                          .start = kArrival + i * kSecond,
                          .duration = i * kSecond,
                          .name = "n" + std::to_string(i % 3),
                          .attributes = {{"i", static_cast<int>(i)}}});
  }
  return {sample.Finish()};
}

std::string Body(const Shop& shop, const std::string& query,
                 const std::string& rest = "&start=1750000000&end=1750000010&step=5") {
  return Ask(shop, {"", tempo::MetricsRange, "/api/metrics/query_range?q=" + query + rest}).body;
}

TEST(TempoMetrics, ASampleCoversTheStepBeforeIt) {
  const Shop shop(OneASecond(10));
  EXPECT_THAT(Body(shop, "{} | count_over_time()"),
              HasSubstr(R"("samples":[{"timestampMs":"1750000005000","value":5},)"
                        R"({"timestampMs":"1750000010000","value":5}])"));
  EXPECT_THAT(Body(shop, "{} | rate()"), HasSubstr(R"("value":1}])"));
  EXPECT_THAT(Body(shop, "{} | max_over_time(duration)"),
              HasSubstr(R"("value":5},{"timestampMs":"1750000010000","value":10}])"));
  EXPECT_THAT(Body(shop, "{} | min_over_time(.i)"), HasSubstr(R"("value":1},)"));
  EXPECT_THAT(Body(shop, "{} | sum_over_time(.i)"), HasSubstr(R"("value":15},)"));
  EXPECT_THAT(Body(shop, "{} | quantile_over_time(duration, 0.5)"), HasSubstr(R"("value":3},)"));
  EXPECT_THAT(Body(shop, "{} | avg_over_time(.absent)"), HasSubstr(R"("series":[])"));
}

TEST(TempoMetrics, OnlySpansOfTheRangeCount) {
  const Shop shop(OneASecond(10));
  EXPECT_THAT(Body(shop, "{} | count_over_time()", "&start=1750000003&end=1750000004&step=5"),
              HasSubstr(R"("samples":[{"timestampMs":"1750000005000","value":2}])"));
  EXPECT_THAT(Body(shop, "{} || {} | count_over_time()", "&start=1750000003&end=1750000004&step=5"),
              HasSubstr(R"("value":2}])"));
}

TEST(TempoMetrics, ExemplarsStandOnTheLineAndLeadToTraces) {
  const Shop shop(OneASecond(10));
  const std::string rate = Body(shop, "{} | count_over_time()");
  EXPECT_THAT(rate, HasSubstr(R"("exemplars":[{"labels":[{"key":"trace:id","value":{)"
                              R"("stringValue":"00000000000000050000000000000005"}}],)"
                              R"("timestampMs":"1750000005000","value":5})"));
  EXPECT_THAT(Body(shop, "{} | max_over_time(duration)",
                   "&start=1750000000&end=1750000010&step=5&exemplars=1"),
              HasSubstr(R"("timestampMs":"1750000005000","value":5}]}])"));
}

TEST(TempoMetrics, StepsAreBounded) {
  const Shop shop(OneASecond(1));
  const auto ask = [&](const std::string& rest) {
    return Ask(shop, {"", tempo::MetricsRange, "/api/metrics/query_range?q={} | rate()" + rest});
  };
  EXPECT_EQ(ask("&start=1750000000&end=1750011000&step=1s").status, 200);
  const Response over = ask("&start=1750000000&end=1750011001&step=1s");
  EXPECT_EQ(over.status, 400);
  EXPECT_EQ(over.body, "the range has 11001 steps, want 11000 at most: make step larger\n");
  EXPECT_EQ(ask("&step=0.5ms").status, 400);
  EXPECT_EQ(ask("&step=fast").status, 400);
  EXPECT_EQ(ask("&step=-1").status, 400);
  EXPECT_EQ(ask("").status, 200);
}

TEST(TempoMetrics, SeriesAndTracesAreBounded) {
  Shop shop(OneASecond(10));
  shop.settings.query_series = 2;
  const Response series = Ask(
      shop, {"", tempo::MetricsRange, "/?q={} | rate() by(name)&start=1750000000&end=1750000010"});
  EXPECT_THAT(series.body, HasSubstr(R"("status":"PARTIAL","message":"more than 2 series)"));
  shop.settings.query_traces = 3;
  const Response traces = Ask(shop, {"", tempo::MetricsInstant,
                                     "/?q={name=\"n1\"} | rate()&start=1750000000&end=1750000010"});
  EXPECT_THAT(traces.body, Not(HasSubstr("PARTIAL")));  // Its parser would refuse the field.
  ASSERT_EQ(traces.headers.size(), 1U);
  EXPECT_EQ(traces.headers[0].second, "more than 3 traces (limits.query_traces)");
}

TEST(TempoMetrics, TopAndBottom) {
  const Shop shop(OneASecond(4));  // n1 twice, n2 and n0 once.
  const std::string top = Body(shop, "{} | count_over_time() by(name) | topk(1)",
                               "&start=1750000000&end=1750000010&step=10");
  EXPECT_THAT(top, HasSubstr(R"("stringValue":"n1")"));
  EXPECT_THAT(top, Not(HasSubstr(R"("stringValue":"n2")")));
  const std::string bottom = Body(shop, "{} | count_over_time() by(name) | bottomk(2)",
                                  "&start=1750000000&end=1750000010&step=10");
  EXPECT_THAT(bottom, Not(HasSubstr(R"("stringValue":"n1")")));
}

TEST(TempoMetrics, CompareOfATime) {
  const Shop shop(OneASecond(10));
  const std::string body =
      Body(shop, "{} | compare({}, 10, 1750000003000000000, 1750000004000000000)",
           "&start=1750000000&end=1750000010&step=10");
  EXPECT_THAT(body, HasSubstr(R"("value":{"stringValue":"selection_total"}},{"key":"name",)"
                              R"("value":{"stringValue":"nil"}}],)"
                              R"("samples":[{"timestampMs":"1750000010000","value":2}])"));
}

}  // namespace
}  // namespace throughline::api
