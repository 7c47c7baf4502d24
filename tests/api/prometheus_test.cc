// Every row of Grafana's Prometheus data source that is answered: request and answer, as files; and
// what no file shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/number_text.h"
#include "api/prometheus/answer.h"
#include "api/prometheus/handlers.h"
#include "tests/api/golden.h"
#include "tests/api/shop.h"

namespace throughline::api::prometheus {
namespace {

using store::Sample;
using store::SampleExemplar;
using testing::HasSubstr;
using testing::Not;

constexpr char kRange[] = "&start=1749990000&end=1750000100.5";

struct Row {
  const char* name;
  Shop::Handler handler;
  std::string query = {};
  std::string capture = {};
};

std::vector<Row> Rows() {
  const std::string range = kRange;
  const std::string at = "&time=1750000100";
  return {
      {"health", Query, "query=1+1&time=4"},
      {"buildinfo", BuildInfo},
      {"vector", Query, "query=vector(2 * 3)&time=2026-11-28T10:00:00.25Z"},
      {"unknown_instant", Query, "query=up&time=4"},
      {"unknown_range", QueryRange, "query=rate(http_requests_total[1m0s])&step=15" + range},
      {"constant_range", QueryRange, "query=time()/2&start=4&end=6&step=1s"},
      {"parse_error", QueryRange, "query=rate(&step=15" + range},
      {"probe", QueryExemplars, "query=test&start=1753005600000&end=1753009200000"},
      {"exemplars", QueryExemplars,
       "query=histogram_quantile(0.95, sum by (le, host_name) "
       "(rate(http_server_duration_seconds_bucket{service=\"front\"}[1m0s])))" +
           range},
      {"exemplars_raw_name", QueryExemplars,
       "query={\"http.server.duration\",http_route=~\"/b.+\",le=\"0.50\"}" + range},
      {"exemplars_error", QueryExemplars, "query=a{b=~\"(\"}" + range},
      {"exemplars_reversed", QueryExemplars, "query=a&start=10&end=9"},
      {"metric_names", LabelValues, "limit=40000" + range, "__name__"},
      {"label_values", LabelValues, range.substr(1), "U__http_2e_route"},
      {"labels", Labels, "match[]=http_server_duration&limit=3" + range},
      {"series", Series, "match[]={service!=\"\"}" + range},
      {"series_probe", Series, "match[]=traces_service_graph_request_server_seconds&limit=1"},
      {"graph_total", Query,
       "query=sum by (client, server) (rate(traces_service_graph_request_total[3600s]))" + at},
      {"graph_failed", Query,
       "query=sum by (client, server) (rate(traces_service_graph_request_failed_total[3600s]))" +
           at},
      {"graph_server_seconds", Query,
       "query=sum by (client, server) "
       "(rate(traces_service_graph_request_server_seconds_sum{client=\"front\"}[3600s]))" +
           at},
      {"graph_types", Query,
       "query=group by (client, connection_type, server) (traces_service_graph_request_total{})" +
           at},
      {"graph_quantile", Query,
       "query=histogram_quantile(.9, sum(rate("
       "traces_service_graph_request_server_seconds_bucket[3600s])) by (le, client, server))" +
           at},
      {"graph_edge_range", QueryRange,
       "query=sum by (client, server)(rate(traces_service_graph_request_total"
       "{client=\"front\",server=\"pay\"}[1m0s]))&start=1749999940&end=1750000120&step=60"},
      {"graph_buckets", Query,
       "query=sum by (client, server) "
       "(rate(traces_service_graph_request_server_seconds_bucket[3600s]))" +
           at},
      {"span_calls", Query,
       "query=topk(2, sum(rate(traces_spanmetrics_calls_total"
       "{span_kind=\"SPAN_KIND_SERVER\"}[3600s])) by (span_name))" +
           at},
      {"span_errors", Query,
       "query=topk(5, sum(rate(traces_spanmetrics_calls_total"
       "{status_code=\"STATUS_CODE_ERROR\",span_name=~\"POST /.*\"}[3600s])) by (span_name))" +
           at},
      {"span_latency", Query,
       "query=histogram_quantile(.9, sum(rate(traces_spanmetrics_latency_bucket"
       "{span_name=~\"POST /charge\"}[3600s])) by (le))" +
           at},
      {"metadata", Metadata, "limit=10"},
      {"rules", Rules},
  };
}

class PrometheusRow : public testing::TestWithParam<Row> {};

TEST_P(PrometheusRow, IsAsInItsFile) {
  const Row& row = GetParam();
  const Response response = Shop().Get(row.handler, row.query, row.capture);
  ExpectGolden("prometheus_" + std::string(row.name) + ".json",
               row.capture + "?" + row.query + "\n" + std::to_string(response.status) + " " +
                   response.content_type + "\n" + Indented(response.body));
}

INSTANTIATE_TEST_SUITE_P(Rows, PrometheusRow, testing::ValuesIn(Rows()),
                         [](const auto& test) { return std::string(test.param.name); });

constexpr char kGraphTotal[] =
    "query=sum by (client, server) (increase(traces_service_graph_request_total[1h]))"
    "&time=1750000100";

TEST(SpanMetrics, TheOrderOfArrivalChangesNothing) {
  const Batches batches = ShopBatches();
  const Batches reversed(batches.rbegin(), batches.rend());
  const std::string body = Shop(reversed).Get(Query, kGraphTotal).body;
  EXPECT_EQ(body, Shop(batches).Get(Query, kGraphTotal).body);
  EXPECT_THAT(body, HasSubstr(R"("client":"front")"));
}

TEST(SpanMetrics, APartIsNoNumber) {
  Shop shop;
  shop.settings.query_traces = 1;
  EXPECT_THAT(shop.Get(Query, kGraphTotal).body,
              testing::AllOf(HasSubstr(R"("result":[])"),
                             HasSubstr("not computed: more than 1 traces (limits.query_traces)")));
  shop.settings.query_traces = 1000;
  shop.settings.query_series = 1;
  EXPECT_THAT(shop.Get(Query, kGraphTotal).body, HasSubstr("more than 1 series"));
}

TEST(SpanMetrics, APeerThatSendsNoSpansIsACall) {
  store::Sample sample;
  sample.From({{"service.name", "front"}});
  sample.Add(store::SampleSpan{
      .trace = {1, 1}, .span = {1}, .kind = 3, .attributes = {{"db.system", "pg"}}});
  sample.Add(store::SampleSpan{
      .trace = {1, 2}, .span = {2}, .kind = 3, .attributes = {{"peer.service", "bank"}}});
  const Shop shop({sample.Finish()});
  const std::string body = shop.Get(Query,
                                    "query=group by (client, server, connection_type) "
                                    "(traces_service_graph_request_total)&time=1750000001")
                               .body;
  EXPECT_THAT(body, HasSubstr(R"("connection_type":"database","server":"pg")"));
  EXPECT_THAT(body, HasSubstr(R"("connection_type":"virtual_node","server":"bank")"));
}

TEST(SpanMetrics, WhatSpansCannotAnswerHasNoSeries) {
  const Shop shop;
  for (const char* expression :
       {"traces_service_graph_request_total", "sum(traces_service_graph_request_total)",
        "sum by (client) (rate(traces_service_graph_request_total[1h] offset 1h))",
        "sum without (client) (rate(traces_service_graph_request_total[1h]))",
        "avg by (client) (rate(traces_service_graph_request_total[1h]))",
        "sum by (client) (rate(traces_service_graph_other_total[1h]))",
        "histogram_quantile(0.9, sum by (client) "
        "(rate(traces_service_graph_request_server_seconds_bucket[1h])))"}) {
    const std::string body =
        shop.Get(Query, "query=" + std::string(expression) + "&time=1750000100").body;
    EXPECT_THAT(body, testing::AllOf(HasSubstr(R"("result":[])"), HasSubstr("has no series here")))
        << expression;
  }
}

TEST(PrometheusApi, AFormIsReadAsTheUrlIs) {
  Request request = MakeRequest("end=1750000100", {});
  request.method = "POST";
  request.headers.emplace_back("content-type", "application/x-www-form-urlencoded; charset=utf-8");
  request.body =
      Body::Of("query=http_server_duration_bucket%7Bhttp_route%3D%22%2Fbuy%22%7D&start=0&x=%zz+1");
  const Shop shop;
  EXPECT_EQ(shop.Call(QueryExemplars, request).body,
            shop.Get(QueryExemplars,
                     "query=http_server_duration_bucket{http_route=\"/buy\"}&end=1750000100")
                .body);
}

TEST(PrometheusApi, TheSameMeasurementOfTwoDoorsIsOne) {
  Sample otlp;
  otlp.From({{"service.name", "front"}});
  otlp.Add(SampleExemplar{.trace = kBuy,
                          .span = {1},
                          .metric = "http.server.duration",
                          .unit = "s",
                          .value = 0.25,
                          .le = 0.5,
                          .labels = {{"http.route", "/buy"}}});
  Sample scraped;
  scraped.From({{"job", "front"}});
  scraped.Add(SampleExemplar{.trace = kBuy,
                             .span = {1},
                             .time = store::kNow + 700'000,
                             .metric = "http_server_duration_seconds_bucket",
                             .value = 0.25,
                             .labels = {{"le", "0.5"}}});
  scraped.Add(SampleExemplar{.trace = kBuy,
                             .span = {1},
                             .time = store::kNow + 3'000'000,
                             .metric = "http_server_duration_seconds_bucket",
                             .value = 0.25,
                             .labels = {{"le", "0.5"}}});
  const Shop shop({otlp.Finish(), scraped.Finish()});
  const std::string body =
      shop.Get(QueryExemplars, "query=http_server_duration_seconds_bucket").body;
  std::size_t count = 0;
  for (std::size_t at = 0; (at = body.find("\"timestamp\"", at)) != std::string::npos; ++at)
    ++count;
  EXPECT_EQ(count, 2U) << body;
  EXPECT_THAT(body, HasSubstr(R"("http_route":"/buy")"));
}

TEST(PrometheusApi, ACappedAnswerKeepsTheSlowOnesAndSaysSo) {
  Sample sample;
  sample.From({{"service.name", "front"}});
  for (std::uint64_t i = 0; i < 300; ++i) {
    const bool slow = i == 0;
    sample.Add(SampleExemplar{.trace = {1, i + 1},
                              .span = {1},
                              .time = store::kNow + i,
                              .metric = "latency",
                              .value = slow ? 9.5 : 0.25,
                              .le = slow ? 10 : 0.5});
  }
  Shop shop({sample.Finish()});
  shop.settings.exemplars_answered = 10;
  const std::string body = shop.Get(QueryExemplars, "query=latency_bucket").body;
  EXPECT_THAT(body, HasSubstr(R"("value":"9.5")"));
  EXPECT_THAT(body, HasSubstr("10 of 300 exemplars"));
  shop.settings.exemplars_read = 100;
  EXPECT_THAT(shop.Get(QueryExemplars, "query=latency_bucket").body,
              HasSubstr("only the newest 100 exemplars were looked at"));
}

TEST(PrometheusApi, ALinkThatCannotBeOpenedIsNone) {
  Shop shop;
  shop.now_unix_ns += 10 * kMinute;  // What named kNowhere is not young any more.
  const std::string body = shop.Get(QueryExemplars, "query=http_server_duration").body;
  EXPECT_THAT(body, HasSubstr(R"("link_state":"never_seen","span_id":"0000000000000099",)"
                              R"("trace_id_unavailable":"33333333333333334444444444444444")"));
  EXPECT_THAT(body, Not(HasSubstr(R"("trace_id":"3333)")));
  EXPECT_THAT(body, HasSubstr(R"("trace_id":"0af7651916cd43dd8448eb211c80319c")"));
}

TEST(PrometheusApi, DeadlineIsSaid) {
  Request request = MakeRequest("query=http_server_duration", {});
  request.scope.deadline = std::chrono::steady_clock::time_point::min();
  const Response response = Shop().Call(QueryExemplars, request);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("warnings"));
}

TEST(PrometheusApi, RangesAreBounded) {
  const Shop shop;
  const auto ask = [&](std::string_view query) { return shop.Get(QueryRange, query); };
  EXPECT_THAT(ask("query=1&start=0&end=11000&step=1").body, HasSubstr("11000 points"));
  EXPECT_EQ(ask("query=1&start=0&end=10999&step=1").status, 200);
  EXPECT_EQ(ask("query=1&start=0&end=1&step=0").status, 400);
  EXPECT_EQ(ask("query=1&start=0&end=1&step=x").status, 400);
  EXPECT_EQ(ask("query=1&start=x&end=1&step=1").status, 400);
  EXPECT_EQ(ask("query=1&end=1&step=1").status, 400);
  EXPECT_EQ(ask("query=\"text\"&start=0&end=1&step=1").status, 400);
  EXPECT_EQ(shop.Get(Series, "").status, 400);
  EXPECT_EQ(shop.Get(Series, "match[]=rate(a[5m])").status, 400);
  EXPECT_EQ(shop.Get(LabelValues, "limit=-1", "job").status, 400);
  EXPECT_EQ(shop.Get(LabelValues, "", "U__broken_").status, 400);
}

TEST(PrometheusApi, NumbersAreAsGoWritesThem) {
  EXPECT_EQ(NumberText(2), "2");
  EXPECT_EQ(NumberText(0.1), "0.1");
  EXPECT_EQ(NumberText(100000), "100000");
  EXPECT_EQ(NumberText(1e21), "1e+21");
  EXPECT_EQ(NumberText(1.5e-7), "1.5e-7");
  EXPECT_EQ(NumberText(-0.000001), "-0.000001");
  EXPECT_EQ(NumberText(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(NumberText(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

}  // namespace
}  // namespace throughline::api::prometheus
