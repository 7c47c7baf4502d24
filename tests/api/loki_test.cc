// Every row of Grafana's Loki data source that is answered: request and answer, as files; and what
// no file shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/loki/handlers.h"
#include "api/loki/line_labels.h"
#include "api/loki/parse_line.h"
#include "tests/api/golden.h"
#include "tests/api/shop.h"

namespace throughline::api::loki {
namespace {

using store::Sample;
using store::SampleLine;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kFirst = kArrival - 10 * kMinute;
constexpr char kBuyId[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kRange[] = "&start=1749996000000000000&end=1750000000000000000";

// Lines as an OTLP sender and a shipper of Loki's send them, beside the shop's.
Batches LineBatches() {
  Batches batches = ShopBatches();
  Sample otlp;
  otlp.From({{"service.name", "checkout"},
             {"service.namespace", "shop"},
             {"k8s.pod.name", "checkout-1"},
             {"process.pid", 7}},
            "app");
  otlp.Add(SampleLine{.trace = kBuy,
                      .span = {0xf1},
                      .time = kFirst,
                      .body = "level=error msg=\"payment failed\" status=502 took=1.5s",
                      .severity = 17,
                      .attributes = {{"user.id", "u-1"}}});
  otlp.Add(SampleLine{
      .trace = kTwinA, .time = kFirst + kMinute, .body = "level=info msg=ok status=200 took=20ms"});
  batches.push_back(otlp.Finish());
  Sample shipped;
  shipped.From({{"service_name", "web"}, {"env", "prod"}});
  shipped.Add(
      SampleLine{.trace = kTwinB,
                 .time = kFirst + 2 * kMinute,
                 .body = R"({"msg":"hello","http":{"status":404,"path":"/x"},"tags":["a"]})",
                 .severity = 0,
                 .service = "web"});
  shipped.Add(SampleLine{.trace = kTwinB,
                         .time = kFirst + 3 * kMinute,
                         .body = "GET /y 200",
                         .severity = 0,
                         .service = "web"});
  batches.push_back(shipped.Finish());
  return batches;
}

struct Row {
  const char* name;
  Shop::Handler handler;
  std::string query = {};
  std::string capture = {};
  bool categorize = false;
};

std::vector<Row> Rows() {
  const std::string range = kRange;
  const std::string id = kBuyId;
  return {
      {"health", Query, "direction=backward&query=vector(1)+vector(1)&time=4000000000"},
      {"streams", QueryRange, "query={service_name=~\"checkout|web\"}&direction=backward" + range},
      {"streams_categorized", QueryRange,
       "query={service_name=\"checkout\"} | logfmt | status >= 500&limit=1000" + range, "", true},
      {"streams_forward", QueryRange,
       "query={env=\"prod\"} | json | __error__=``&direction=forward" + range, "", true},
      {"trace_id", QueryRange, "query={} | trace_id=\"" + id + "\"" + range, "", true},
      {"trace_to_logs", QueryRange,
       "query={service_name=\"checkout\"} | label_format log_line_contains_trace_id=`{{ contains "
       "\"" +
           id + "\" __line__  }}` | log_line_contains_trace_id=\"true\" or trace_id=\"" + id +
           "\"" + range,
       "", true},
      {"trace_to_logs_unclosed", QueryRange,
       "query={service_name=\"checkout\"} | label_format log_line_contains_trace_id=`{{ contains "
       "\"" +
           id + "\" __line__  }}` | log_line_contains_trace_id=\"true\" OR trace_id=\"" + id +
           range,
       "", true},
      {"instant_lines", Query, "query={env=\"prod\"} |= ``&time=1749999999999999999"},
      {"formats", QueryRange,
       "query={env=\"prod\"} | pattern `<method> <path> <status>` | line_format `{{.path}}: "
       "{{.status}}` | label_format verb=method | keep verb, status" +
           range,
       "", true},
      {"volume_histogram", QueryRange,
       "query=sum by (level, detected_level) (count_over_time({service_name=~\".%2B\"} | drop "
       "__error__[5m]))&step=300000ms&start=1749999300000000000&end=1750000200000000000"},
      {"rate", QueryRange,
       "query=sum(rate({service_name=\"checkout\"}[10m])) * 60&step=600&start=1749999600"
       "&end=1750000800"},
      {"instant_metric", Query,
       "query=sum by (service_name) (bytes_over_time({service_name!=\"\"}[1h]))&time=1750000000"},
      {"ungrouped_metric", Query,
       "query=count_over_time({service_name=\"checkout\"} | logfmt | drop took, msg[1h])"
       "&time=1750000000"},
      {"unwrap_quantile", QueryRange,
       "query=quantile_over_time(0.5, {service_name=\"checkout\"} | logfmt | unwrap duration(took) "
       "| __error__=`` [1h]) by (level)&step=3600" +
           range},
      {"topk", Query,
       "query=topk(1, sum by (service_name) (count_over_time({service_name=~\".%2B\"}[1h])))"
       "&time=1750000000"},
      {"labels", Labels, range.substr(1)},
      {"label_values", LabelValues, range.substr(1), "service_name"},
      {"label_values_of_selector", LabelValues, "query={env=\"prod\"}" + range, "job"},
      {"label_values_unknown", LabelValues, range.substr(1), "__stream_shard__"},
      {"series", Series, "match[]={service_name=~\"checkout|web\"}" + range},
      {"index_stats", IndexStats, "query={service_name=\"checkout\"}" + range},
      {"index_volume", IndexVolume, "query={service_name=~\".%2B\"}&limit=5000" + range},
      {"index_volume_of_targets", IndexVolume,
       "query={service_name=~\".%2B\"}&limit=0&targetLabels=env,job" + range},
      {"index_volume_by_labels", IndexVolume,
       "query={service_name=~\".%2B\"}&limit=30&aggregateBy=labels" + range},
      {"index_volume_aggregation", IndexVolume, "query={}&aggregateBy=lines" + range},
      {"index_volume_range", VolumeRange,
       "query={service_name=~\".%2B\"}&limit=30&step=60" + range},
      {"detected_labels", DetectedLabels, "query={env=\"prod\"}" + range},
      {"detected_fields", DetectedFields,
       "query={service_name=~\"checkout|web\"}&limit=1000" + range},
      {"detected_field_values", DetectedFieldValues, "query={service_name=\"checkout\"}" + range,
       "status"},
      {"parse_error", QueryRange, "query={a=\"b\"} foo" + range},
      {"unsupported", QueryRange, "query={a=\"b\"} | unwrap x" + range},
      {"pipeline_error", QueryRange,
       "query=sum(count_over_time({env=\"prod\"} | json [1h]))&step=3600" + range},
  };
}

Response Ask(const Shop& shop, const Row& row) {
  // The tables are not encoded, but for the '+' of expressions.
  std::string query = row.query;
  for (std::size_t at = 0; (at = query.find("%2B", at)) != std::string::npos;) {
    query.replace(at, 3, "+");
  }
  Request request = MakeRequest(query, row.capture);
  if (row.categorize) {
    request.headers.emplace_back("x-loki-response-encoding-flags", "categorize-labels");
  }
  return shop.Call(row.handler, request);
}

std::string Body(const Response& response) {
  return response.content_type == "application/json" ? Indented(response.body) : response.body;
}

class LokiRow : public testing::TestWithParam<Row> {};

TEST_P(LokiRow, IsAsInItsFile) {
  const Row& row = GetParam();
  const Response response = Ask(Shop(LineBatches()), row);
  ExpectGolden("loki_" + std::string(row.name) + ".json",
               row.capture + "?" + row.query + "\n" + std::to_string(response.status) + " " +
                   response.content_type + "\n" + Body(response));
}

INSTANTIATE_TEST_SUITE_P(Rows, LokiRow, testing::ValuesIn(Rows()),
                         [](const auto& test) { return std::string(test.param.name); });

Response Range(const Shop& shop, const std::string& query, const std::string& more = {}) {
  return shop.Get(QueryRange, "query=" + query + kRange + more);
}

std::size_t Count(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

TEST(LokiApi, ATraceIdIsFoundInAnySpelling) {
  const Shop shop(LineBatches());
  const std::string all = Range(shop, "{} | trace_id=\"" + std::string(kBuyId) + "\"").body;
  EXPECT_GT(Count(all, "\"trace_id\""), 2U);
  for (const char* spelling : {"0AF7651916CD43DD8448EB211C80319C",
                               "af7651916cd43dd8448eb211c80319c", "8448eb211c80319c"}) {
    EXPECT_EQ(Range(shop, "{} | trace_id=\"" + std::string(spelling) + "\"").body, all) << spelling;
  }
}

TEST(LokiApi, TheRangeHoldsForTraceIdsToo) {
  const Shop shop(LineBatches());
  const std::string query = "query={} | trace_id=\"" + std::string(kBuyId) + "\"";
  EXPECT_THAT(shop.Get(QueryRange, query + "&start=1&end=2").body, HasSubstr(R"("result":[])"));
}

TEST(LokiApi, LinesWithoutAServiceAreOfTheirTrace) {
  const Shop shop(LineBatches());
  EXPECT_THAT(Range(shop, "{service_name=\"front\"}").body, HasSubstr("nobody's line"));
  EXPECT_THAT(Range(shop, "{service_name=~\"fro.*\"}").body, HasSubstr("nobody's line"));
  EXPECT_THAT(Range(shop, "{service_name=\"unknown_service\"}").body,
              HasSubstr("waiting for spans"));
}

// So many traces that a query cannot remember the services of all, with a line each that states
// none.
Batches ManyTraces(std::size_t count) {
  Sample spans;
  spans.From({{"service.name", "web"}, {"service.namespace", "shop"}});
  Sample lines;
  lines.From({{"env", "prod"}});
  for (std::size_t i = 1; i <= count; ++i) {
    spans.Add(store::SampleSpan{.trace = {7, i}, .span = {i}});
    lines.Add(SampleLine{.trace = {7, i}, .time = kFirst + i, .body = "plain", .severity = 9});
  }
  return {spans.Finish(), lines.Finish()};
}

TEST(LokiApi, LinesOfAnyNumberOfTracesHaveTheirServices) {
  const Shop shop(ManyTraces(1500));
  for (const char* query :
       {"sum by (service_name) (count_over_time({env=\"prod\"}[2h]))",
        "sum by (service_name) (count_over_time({service_name=\"web\"}[2h]))"}) {
    const std::string body = shop.Get(Query, "time=1750000000&query=" + std::string(query)).body;
    EXPECT_THAT(body, HasSubstr(R"("result":[{"metric":{"service_name":"web"},)"
                                R"("value":[1750000000,"1500"]}])"))
        << query;
  }
  EXPECT_THAT(
      shop.Get(IndexVolume, "query={service_name=~\".*\"}" + std::string(kRange)).body,
      HasSubstr(R"("result":[{"metric":{"service_name":"web"},"value":[1750000000,"7500"]}])"));
}

TEST(LokiApi, ListsAreOfTheNewestLinesWhoseServiceIsAskedFor) {
  const Shop shop(ManyTraces(2500));
  const Response services = shop.Get(LabelValues, std::string(kRange).substr(1), "service_name");
  EXPECT_THAT(services.body, HasSubstr(R"("data":["web"])"));
  EXPECT_THAT(services.body, HasSubstr("only the newest 2001 lines were looked at (few of them"));
  const Response names = shop.Get(Labels, std::string(kRange).substr(1));
  EXPECT_THAT(names.body, HasSubstr(R"("data":["env","job","service_name"]})"));
  const Response values =
      shop.Get(LabelValues, "query={service_name=~\".*\"}" + std::string(kRange), "env");
  EXPECT_THAT(values.body, HasSubstr(R"("data":["prod"]})"));
  EXPECT_THAT(shop.Get(LabelValues, "query={job=\"x\"}" + std::string(kRange), "env").body,
              HasSubstr(R"("data":[],"warnings")"));
}

TEST(LokiApi, ACountThatNoServiceDecidesIsTheSameWithoutThem) {
  const Shop shop(ManyTraces(3));
  for (const char* selector :
       {"{env=\"prod\"}", "{service_name=~\".*\"}", "{service_name!=\"\"}",
        "{service_name=\"web\"}", "{job=~\"web|shop.*\"}", "{env=\"prod\"} | service_name=\"web\"",
        "{env=\"prod\"} | line_format `{{.service_name}}` |= `web`"}) {
    const std::string body =
        shop.Get(Query, "time=1750000000&query=sum by (level) (count_over_time(" +
                            std::string(selector) + "[2h]))")
            .body;
    EXPECT_THAT(body,
                HasSubstr(R"("result":[{"metric":{"level":"info"},"value":[1750000000,"3"]}])"))
        << selector;
  }
  EXPECT_THAT(shop.Get(Query,
                       "time=1750000000&query=sum by (level) (count_over_time("
                       "{env=\"prod\"} | service_name=\"unknown_service\"[2h]))")
                  .body,
              HasSubstr(R"("result":[])"));
}

TEST(LokiApi, LimitsAndDirections) {
  const Shop shop(LineBatches());
  const std::string newest = Range(shop, "{service_name=\"web\"}", "&limit=1").body;
  EXPECT_THAT(newest, HasSubstr("GET /y"));
  EXPECT_THAT(newest, Not(HasSubstr("hello")));
  EXPECT_THAT(Range(shop, "{service_name=\"web\"}", "&limit=1&direction=forward").body,
              HasSubstr("hello"));
  for (const char* bad :
       {"&limit=0", "&limit=-1", "&limit=10001", "&direction=up", "&start=x", "&step=x"}) {
    const std::string query = std::string("query=rate({}[5m])") + bad +
                              (std::string_view(bad).starts_with("&start") ? "" : kRange);
    EXPECT_EQ(shop.Get(QueryRange, query).status, 400) << bad;
  }
  EXPECT_EQ(shop.Get(QueryRange, "query={}&start=2&end=1").status, 400);
  EXPECT_EQ(shop.Get(QueryRange, "query=rate({}[5m])&start=0.5&end=20000&step=1").status, 400);
}

TEST(LokiApi, TimesAreReadInEveryUnit) {
  const Shop shop(LineBatches());
  const std::string query = "query={service_name=\"web\"}&start=";
  const std::string in_ns =
      shop.Get(QueryRange, query + "1749999000000000000&end=1750000000000000000").body;
  EXPECT_THAT(in_ns, HasSubstr("hello"));
  for (const char* range : {"1749999000&end=1750000000", "1749999000.0&end=1750000000.0",
                            "2025-06-15T14:50:00Z&end=2025-06-15T15:06:40.000Z"}) {
    EXPECT_EQ(shop.Get(QueryRange, query + range).body, in_ns) << range;
  }
}

TEST(LokiApi, PagesGoOnUntilThereAreEnough) {
  Sample sample;
  sample.From({{"service.name", "s"}});
  for (std::uint64_t i = 0; i < 500; ++i) {
    sample.Add(SampleLine{
        .trace = {1, i + 1}, .time = kFirst + i * kMs, .body = i % 100 == 0 ? "wanted" : "other"});
  }
  Shop shop({sample.Finish()});
  const std::string query = "{} | label_format x=`{{ __line__ }}` | x=\"wanted\"";
  EXPECT_EQ(Count(Range(shop, query, "&limit=5").body, "\"wanted\"]"), 5U);
  EXPECT_EQ(Count(Range(shop, query, "&limit=3&direction=forward").body, "\"wanted\"]"), 3U);
  shop.settings.lines_read = 50;
  const std::string cut = Range(shop, query, "&limit=5").body;
  EXPECT_THAT(cut, HasSubstr("lines are missing: only 50 were looked at (limits.lines_read)"));
}

TEST(LokiApi, PointsThatWereNotCountedWholeAreLeftOut) {
  Sample sample;
  sample.From({{"service.name", "s"}});
  for (std::uint64_t i = 0; i < 40; ++i) {
    sample.Add(SampleLine{.trace = {1, i + 1}, .time = kFirst + i * store::kSecond, .body = "x"});
  }
  Shop shop({sample.Finish()});
  const std::string query =
      "query=sum(count_over_time({}[10s]))&start=1749999400&end=1749999440&step=10";
  const std::string whole = shop.Get(QueryRange, query).body;
  EXPECT_THAT(whole, HasSubstr(R"([[1749999400,"1"],[1749999410,"10"],[1749999420,"10"],)"
                               R"([1749999430,"10"],[1749999440,"9"]])"));
  shop.settings.lines_read = 20;
  const std::string cut = shop.Get(QueryRange, query).body;
  EXPECT_THAT(cut, HasSubstr(R"([[1749999430,"10"],[1749999440,"9"]])"));
  EXPECT_THAT(cut, HasSubstr("3 of 5 points are left out"));
  EXPECT_EQ(shop.Get(IndexStats, std::string("query={}") + kRange).status, 400);
}

// Lines of two hosts, a second apart: took 1s, 2s, ... 8s, and as many bytes.
Batches Numbers() {
  Sample sample;
  sample.From({{"service.name", "s"}});
  for (std::uint64_t i = 1; i <= 8; ++i) {
    sample.Add(SampleLine{.trace = {1, i},
                          .time = kFirst + i * store::kSecond,
                          .body = "host=" + std::string(i % 2 == 0 ? "b" : "a") +
                                  " n=" + std::to_string(i) + " took=" + std::to_string(i) +
                                  "s size=" + std::to_string(i) + "KB"});
  }
  sample.Add(SampleLine{.trace = {1, 9}, .time = kFirst + store::kSecond, .body = "host=a n=many"});
  return {sample.Finish()};
}

struct MetricCase {
  const char* query;
  const char* a;  // The value of host a, and of host b; empty: there is none.
  const char* b;
};

TEST(LokiApi, NumbersThatAreUnwrapped) {
  const Shop shop(Numbers());
  const std::string good = " | __error__=`` [1m]) by (host)";
  for (const MetricCase& c : std::vector<MetricCase>{
           {"sum_over_time({} | logfmt | unwrap n", "16", "20"},
           {"avg_over_time({} | logfmt | unwrap n", "4", "5"},
           {"max_over_time({} | logfmt | unwrap n", "7", "8"},
           {"min_over_time({} | logfmt | unwrap n", "1", "2"},
           {"first_over_time({} | logfmt | unwrap n", "1", "2"},
           {"last_over_time({} | logfmt | unwrap n", "7", "8"},
           {"stdvar_over_time({} | logfmt | unwrap n", "5", "5"},
           {"quantile_over_time(0.5, {} | logfmt | unwrap n", "4", "5"},
           {"quantile_over_time(2, {} | logfmt | unwrap n", "+Inf", "+Inf"},
           {"sum_over_time({} | logfmt | unwrap duration(took)", "16", "20"},
           {"max_over_time({} | logfmt | unwrap bytes(size)", "7000", "8000"},
           {"rate({} | logfmt | n > 4 | unwrap n", "0.2", "0.23333333333333334"},
           {"sum_over_time({} | logfmt | host=`a` | unwrap n", "16", ""}}) {
    const Response response = shop.Get(Query, "query=" + std::string(c.query) + good +
                                                  "&time=" + std::to_string(kFirst + kMinute));
    ASSERT_EQ(response.status, 200) << c.query << response.body;
    for (const auto& [host, value] : {std::pair("a", c.a), std::pair("b", c.b)}) {
      const std::string series = R"({"metric":{"host":")" + std::string(host) + R"("},"value":[)";
      const std::string whole = series + "1749999460,\"" + value + "\"]}";
      EXPECT_EQ(Count(response.body, *value == '\0' ? series : whole), *value == '\0' ? 0U : 1U)
          << c.query << response.body;
    }
  }
  const std::string at = "&time=" + std::to_string(kFirst + kMinute);
  // Without a by the series has its labels, but not the number.
  EXPECT_THAT(
      shop.Get(Query,
               "query=sum_over_time({} | logfmt | n < 2 | drop took, size, detected_level "
               "| unwrap n "
               "| __error__=`` [1m])" +
                   at)
          .body,
      HasSubstr(R"("metric":{"host":"a","job":"s","service_name":"s"},"value":[1749999460,"1"])"));
  // What is no number is an error, unless it is passed by.
  const Response bad = shop.Get(Query, "query=sum_over_time({} | logfmt | unwrap n [1m])" + at);
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr("pipeline error: 'SampleExtractionErr'"));
}

TEST(LokiApi, WindowsOfUnwrappedNumbersMove) {
  const Shop shop(Numbers());
  const std::string first = std::to_string(kFirst / store::kSecond);
  const std::string last = std::to_string(kFirst / store::kSecond + 10);
  EXPECT_THAT(
      shop.Get(QueryRange,
               "query=max_over_time({} | logfmt | host=`a` | unwrap n | __error__=`` [2s]) "
               "by (host)&start=" +
                   first + "&end=" + last + "&step=2")
          .body,
      HasSubstr(R"([[1749999402,"1"],[1749999404,"3"],[1749999406,"5"],[1749999408,"7"]])"));
}

TEST(LokiApi, TopAndComparisons) {
  const Shop shop(Numbers());
  const std::string sums =
      "sum by (host) (sum_over_time({} | logfmt | unwrap n | __error__=`` [1m]))";
  const auto hosts = [&](const std::string& query) {
    const std::string body =
        shop.Get(Query, "query=" + query + "&time=" + std::to_string(kFirst + kMinute)).body;
    return std::string(Count(body, R"("host":"a")") > 0 ? "a" : "") +
           (Count(body, R"("host":"b")") > 0 ? "b" : "");
  };
  EXPECT_EQ(hosts(sums), "ab");
  EXPECT_EQ(hosts("topk(1, " + sums + ")"), "b");
  EXPECT_EQ(hosts("bottomk(1, " + sums + ")"), "a");
  EXPECT_EQ(hosts("topk by (host) (1, " + sums + ")"), "ab");
  EXPECT_EQ(hosts(sums + " > 16"), "b");
  EXPECT_EQ(hosts("16 >= " + sums), "a");
  EXPECT_EQ(hosts(sums + " == " + sums), "ab");
  EXPECT_EQ(hosts(sums + " > bool 16"), "ab");
  EXPECT_EQ(hosts("count by (host) (" + sums + " != 20)"), "a");
}

TEST(LokiApi, SeriesAreBounded) {
  Shop shop(LineBatches());
  shop.settings.query_series = 1;
  const Response response =
      shop.Get(Query, "query=sum by (service_name) (count_over_time({}[1h]))&time=1750000000");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("maximum of series (1) reached"));
}

TEST(LokiApi, DeadlineIsSaid) {
  const Shop shop(LineBatches());
  Request request = MakeRequest(std::string("query={}") + kRange, {});
  request.scope.deadline = std::chrono::steady_clock::time_point::min();
  EXPECT_THAT(shop.Call(QueryRange, request).body, HasSubstr("cut at limits.lookup_deadline"));
}

TEST(LokiApi, AServiceThatComesTooLateIsNotMadeUp) {
  const Batches batches = ManyTraces(2);
  const Shop shop(batches);
  const Context context{
      .store = shop.store, .settings = shop.settings, .now_unix_ns = shop.now_unix_ns};
  Scope scope;
  for (const bool late : {false, true}) {
    if (late) scope.deadline = std::chrono::steady_clock::time_point::min();
    LineLabeler labeler(scope, context, {});
    labeler.Begin(*batches[1]);
    const LineLabels& labels = labeler.StreamOf(batches[1]->logs[0]);
    EXPECT_EQ(labeler.gave_up(), late);
    EXPECT_EQ(labels.ValueOf("service_name"), late ? kUnknownService : "web");
  }
}

TEST(LokiApi, FieldsOfJson) {
  std::string value;
  const std::string line = R"({"a":{"b":[{"c":"x\ny"},2]},"d":null,"e":1.50})";
  EXPECT_TRUE(JsonAt(line, "a.b[0].c", value));
  EXPECT_EQ(value, "x\ny");
  EXPECT_TRUE(JsonAt(line, "a[\"b\"][1]", value));
  EXPECT_EQ(value, "2");
  EXPECT_TRUE(JsonAt(line, "a.b", value));
  EXPECT_EQ(value, R"([{"c":"x\ny"},2])");
  for (const char* none : {"a.c", "a.b[2]", "a.b[x]", "a[", "e.f", "."}) {
    EXPECT_FALSE(JsonAt(line, none, value)) << none;
  }
  EXPECT_FALSE(JsonAt("no json", "a", value));
}

TEST(LokiApi, FieldsOfLogfmt) {
  std::string found;
  ParseLogfmt("a=1 b=\"two \\\"words\\\"\" c= d \"e=5 f=g=h", [&](auto key, auto value) {
    found.append(key).append("=").append(value).append(";");
  });
  EXPECT_EQ(found, "a=1;b=two \"words\";c=;d=;e=5;f=g=h;");
}

}  // namespace
}  // namespace throughline::api::loki
