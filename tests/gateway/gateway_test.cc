// The whole process in one test program, over real sockets, with the memory store.
#include "gateway/gateway.h"

#include <atomic>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/loopback_gateway.h"
#include "tests/gateway/raw_client.h"
#include "tests/test_clock.h"
#include "wire/compress.h"

namespace throughline::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 1'700'000'000 * kSecond;
constexpr char kTrace[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kOther[] = "11112222333344445555666677778888";

// One span of OTLP/JSON.
std::string SpanJson(const std::string& trace, const std::string& span = "b7ad6b7169203331") {
  return R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":)"
         R"({"stringValue":"pay"}}]},"scopeSpans":[{"spans":[{"traceId":")" +
         trace + R"(","spanId":")" + span +
         R"(","name":"POST /pay","kind":2,"startTimeUnixNano":")" + std::to_string(kNow) +
         R"(","endTimeUnixNano":")" + std::to_string(kNow + 5'000'000) + R"("}]}]}]})";
}

class GatewayTest : public ::testing::Test {
 protected:
  void StartGateway(Config config = {}) {
    config = OnLoopback(std::move(config));
    config.otlp_http_listen = "127.0.0.1:0";
    config.loops = 2;
    ASSERT_NO_FATAL_FAILURE(StartInto(gateway_, config, clock_));
  }
  std::unique_ptr<RawClient> Connect(Door door = Door::kMain) {
    return std::make_unique<RawClient>(gateway_->AddressOf(door));
  }
  static std::string RequestText(const std::string& method, const std::string& target,
                                 const std::string& headers = {}, const std::string& body = {}) {
    return method + " " + target + " HTTP/1.1\r\nHost: gw:80\r\n" + headers +
           (body.empty() && method != "POST"
                ? ""
                : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
           "\r\n" + body;
  }
  RawResponse Ask(const std::string& method, const std::string& target,
                  const std::string& headers = {}, const std::string& body = {},
                  Door door = Door::kMain) {
    const auto client = Connect(door);
    client->Send(RequestText(method, target, headers, body));
    return client->Read(method == "HEAD");
  }
  RawResponse Get(const std::string& target, const std::string& headers = {}) {
    return Ask("GET", target, headers);
  }
  RawResponse PostSpan(const std::string& trace, const std::string& headers = {}) {
    return Ask("POST", "/v1/traces", "Content-Type: application/json\r\n" + headers,
               SpanJson(trace));
  }
  // The value of one sample of /metrics.
  std::string Metric(const std::string& sample) {
    const std::string text = Get("/metrics").body;
    const std::size_t at = text.find("\n" + sample + " ");
    if (at == std::string::npos) return "absent";
    const std::size_t begin = at + sample.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  TestClock clock_{kNow};
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayTest, SpansLinesAndLookupsMeet) {
  StartGateway();
  const RawResponse spans = PostSpan(kTrace);
  EXPECT_EQ(spans.status, 200);
  EXPECT_EQ(spans.Header("Content-Type"), "application/json");
  EXPECT_EQ(spans.body, "{}");
  const RawResponse lines =
      Ask("POST", "/api/v1/logs", "Content-Type: application/x-ndjson\r\n",
          std::string("{\"msg\":\"paid\",\"trace_id\":\"") + kTrace + "\"}\n{\"msg\":\"no id\"}\n");
  EXPECT_EQ(lines.status, 200);
  EXPECT_EQ(lines.body, R"({"received":2,"accepted":1,"deduplicated":0,"unlinked":1,"rejected":0,)"
                        R"("kept_unlinked":0,"errors":[]})");
  const RawResponse trace = Get(std::string("/api/v1/traces/") + kTrace);
  EXPECT_EQ(trace.status, 200);
  EXPECT_THAT(trace.body, HasSubstr("POST /pay"));
  EXPECT_THAT(trace.body, HasSubstr("paid"));
  // The same trace by a spelling with separators in it.
  EXPECT_EQ(Get(std::string("/api/v1/locate/projects%2Fp%2Ftraces%2F") + kTrace).status, 200);
  EXPECT_THAT(Get("/api/v1/services").body, HasSubstr("\"pay\""));
}

TEST_F(GatewayTest, CountsAddUp) {
  StartGateway();
  PostSpan(kTrace);
  PostSpan(kTrace);  // A retry.
  const std::string labels = "{door=\"otlp_http\",signal=\"traces\"}";
  EXPECT_EQ(Metric("throughline_records_received_total" + labels), "2");
  EXPECT_EQ(Metric("throughline_records_stored_total" + labels), "1");
  EXPECT_EQ(Metric("throughline_records_deduplicated_total" + labels), "1");
  EXPECT_EQ(Metric("throughline_records_rejected_total" + labels), "0");
  EXPECT_EQ(Metric("throughline_store_spans"), "1");
  EXPECT_EQ(Metric("throughline_http_requests_total"
                   "{method=\"POST\",route=\"/v1/traces\",status=\"200\"}"),
            "2");
}

TEST_F(GatewayTest, NamedGaugesAreKeptOthersArePassedBy) {
  Config config;
  config.explain_gauges = {"queue.depth", "k8s.pod.cpu.*"};
  StartGateway(config);
  const auto point = [](const char* metric) {
    return R"({"name":")" + std::string(metric) + R"(","gauge":{"dataPoints":[{"timeUnixNano":")" +
           std::to_string(kNow) + R"(","asDouble":0.5}]}})";
  };
  const std::string body =
      R"({"resourceMetrics":[{"resource":{"attributes":[{"key":"k8s.pod.name","value":)"
      R"({"stringValue":"pay-0"}}]},"scopeMetrics":[{"metrics":[)" +
      point("k8s.pod.cpu.usage") + "," + point("container.cpu.usage") + "," + point("queue_depth") +
      "]}]}]}";
  for (int i = 0; i < 2; ++i) {  // The second is a retry.
    EXPECT_EQ(Ask("POST", "/v1/metrics", "Content-Type: application/json\r\n", body).status, 200);
  }
  const RawResponse found = Get("/api/v1/gauges?metric=k8s.*");
  EXPECT_EQ(found.status, 200);
  EXPECT_THAT(found.body, HasSubstr("\"metric\":\"k8s.pod.cpu.usage\""));
  EXPECT_THAT(found.body, HasSubstr("\"k8s.pod.name\":\"pay-0\""));
  EXPECT_THAT(found.body, Not(HasSubstr("queue_depth")));
  const std::string labels = "{door=\"otlp_http\",signal=\"metrics\"}";
  EXPECT_EQ(Metric("throughline_records_received_total" + labels), "4");
  EXPECT_EQ(Metric("throughline_records_stored_total" + labels), "2");
  EXPECT_EQ(Metric("throughline_records_deduplicated_total" + labels), "2");
  EXPECT_EQ(Metric("throughline_metric_points_passed_total" + labels), "2");
  EXPECT_EQ(Metric("throughline_store_gauge_points"), "2");
}

TEST_F(GatewayTest, NamedGaugesThatArePushedStandAtTheirArrival) {
  StartGateway();
  const std::string body =
      "# TYPE process_cpu_use gauge\nprocess_cpu_use{pod=\"a\"} 0.5\nprocess_cpu_use{pod=\"b\"} "
      "0.25\n"
      "# TYPE width gauge\nwidth 7\n# EOF\n";
  const auto push = [&] {
    EXPECT_EQ(Ask("POST", "/api/v1/import/openmetrics?job=pay", "", body).status, 204);
  };
  push();
  push();  // In the same ten seconds.
  clock_.Advance(10 * kSecond);
  push();
  const RawResponse found = Get("/api/v1/gauges?metric=process.cpu.use&service=pay");
  EXPECT_THAT(found.body, HasSubstr("\"time_unix_nano\":\"" + std::to_string(kNow) + "\""));
  EXPECT_THAT(found.body,
              HasSubstr("\"time_unix_nano\":\"" + std::to_string(kNow + 10 * kSecond) + "\""));
  EXPECT_THAT(found.body, HasSubstr("\"pod\":\"b\""));
  const std::string labels = "{door=\"openmetrics\",signal=\"metrics\"}";
  EXPECT_EQ(Metric("throughline_records_received_total" + labels), "6");
  EXPECT_EQ(Metric("throughline_records_stored_total" + labels), "4");
  EXPECT_EQ(Metric("throughline_records_deduplicated_total" + labels), "2");
  EXPECT_EQ(Metric("throughline_metric_points_passed_total" + labels), "3");
}

TEST_F(GatewayTest, ZipkinsSpansAreSpans) {
  StartGateway();
  const std::string halves =
      R"([{"traceId":"8448eb211c80319c","id":"2","kind":"CLIENT","name":"get /stock",)"
      R"("timestamp":1700000000000000,"duration":20,"localEndpoint":{"serviceName":"shop"}},)"
      R"({"traceId":"8448eb211c80319c","id":"2","kind":"SERVER","shared":true,)"
      R"("timestamp":1700000000000005,"duration":9,"localEndpoint":{"serviceName":"stock"}},)"
      R"({"traceId":"no","id":"2"}])";
  EXPECT_EQ(Ask("POST", "/api/v2/spans", "Content-Type: application/json\r\n", halves).status, 202);
  // The full id of the same trace, from elsewhere.
  const RawResponse trace = Get(std::string("/api/v1/traces/") + kTrace);
  EXPECT_THAT(trace.body, HasSubstr("get /stock"));
  EXPECT_THAT(trace.body, HasSubstr("\"stock\""));
  const std::string labels = "{door=\"zipkin\",signal=\"traces\"}";
  EXPECT_EQ(Metric("throughline_records_received_total" + labels), "3");
  EXPECT_EQ(Metric("throughline_records_stored_total" + labels), "2");
  EXPECT_EQ(Metric("throughline_records_rejected_total" + labels), "1");
}

TEST_F(GatewayTest, KeepsUnlinkedLinesWhenTold) {
  Config config;
  config.logs_keep_unlinked = true;
  StartGateway(config);
  EXPECT_EQ(Ask("POST", "/api/v1/logs", "Content-Type: text/plain\r\n", "a\nb\n").body,
            R"({"received":2,"accepted":2,"deduplicated":0,"unlinked":0,"rejected":0,)"
            R"("kept_unlinked":2,"errors":[]})");
  // So which share of lines has ids is known.
  EXPECT_THAT(Get("/api/v1/coverage").body, HasSubstr("\"unknown\":[]"));
}

struct RouteCase {
  const char* name;
  const char* method;
  const char* target;
  const char* headers;
  std::string body;
  int status;
  const char* header;  // That the answer has, and its value.
  const char* value;
};

TEST_F(GatewayTest, RefusesByTheTable) {
  Config config;
  config.request_bytes = 64U << 10U;
  StartGateway(config);
  const std::string bomb = wire::Gzip(std::string(1U << 20U, 'a'));
  const char* const kProtobuf = "Content-Type: application/x-protobuf\r\n";
  const char* const kGzip = "Content-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n";
  const RouteCase cases[] = {
      {"NoPath", "GET", "/nothing", "", "", 404, "Content-Type", "application/problem+json"},
      {"NoPathPost", "POST", "/v1/nothing", kProtobuf, "", 404, "Connection", ""},
      {"NoMethod", "GET", "/v1/traces", "", "", 405, "Allow", "POST, OPTIONS"},
      {"NoMethodOfTwo", "PUT", "/api/v1/logs", "", "", 405, "Allow", "POST, GET, HEAD, OPTIONS"},
      {"Options", "OPTIONS", "/api/v1/logs", "", "", 204, "Allow", "POST, GET, HEAD, OPTIONS"},
      {"NoType", "POST", "/v1/traces", "", "", 415, "Content-Type", "application/json"},
      {"TextType", "POST", "/v1/traces", "Content-Type: text/plain\r\n", "", 415, "Content-Type",
       "application/json"},
      {"BadEncoding", "POST", "/v1/traces",
       "Content-Type: application/x-protobuf\r\nContent-Encoding: br\r\n", "x", 415, "Content-Type",
       "application/x-protobuf"},
      {"LinesType", "POST", "/api/v1/logs", "Content-Type: image/png\r\n", "x", 415, "Content-Type",
       "application/problem+json"},
      {"BadProtobuf", "POST", "/v1/traces", kProtobuf, "\x0a\x7f", 400, "Content-Type",
       "application/x-protobuf"},
      {"BadJson", "POST", "/v1/logs", "Content-Type: Application/JSON; charset=utf-8\r\n", "{", 400,
       "Content-Type", "application/json"},
      {"BadGzip", "POST", "/v1/traces", kGzip, "xxxx", 400, "Content-Type",
       "application/x-protobuf"},
      {"Bomb", "POST", "/v1/traces", kGzip, bomb, 413, "Content-Type", "application/x-protobuf"},
      {"TooLarge", "POST", "/v1/traces", kProtobuf, std::string((64U << 10U) + 1, 'a'), 413,
       "Content-Type", "application/x-protobuf"},
      {"BadTenant", "POST", "/v1/traces",
       "Content-Type: application/x-protobuf\r\nX-Scope-OrgID: a/b\r\n", "", 400, "Content-Type",
       "application/x-protobuf"},
      {"BadTenantLookup", "GET", "/api/v1/services", "X-Scope-OrgID: a b\r\n", "", 400,
       "Content-Type", "application/problem+json"},
      {"BadPercent", "GET", "/api/v1/traces/%zz", "", "", 400, "", ""},
      {"BadId", "GET", "/api/v1/traces/xyz", "", "", 400, "", ""},
      {"BadWait", "GET", "/api/v1/traces/1234567890abcdef?wait=soon", "", "", 400, "", ""},
      {"UnknownId", "GET", "/api/v1/traces/1234567890abcdef", "", "", 404, "Content-Type",
       "application/problem+json"},
      {"EmptyBody", "POST", "/v1/traces", kProtobuf, "", 200, "Content-Length", "0"},
      {"Alias", "POST", "/otlp/v1/traces", kProtobuf, "", 200, "", ""},
      {"LokiAlias", "POST", "/loki/otlp/v1/logs", kProtobuf, "", 200, "", ""},
      {"MetricsAlias", "POST", "/api/v1/otlp/v1/metrics", kProtobuf, "", 200, "", ""},
      {"Zipkin", "POST", "/api/v2/spans", "", "[]", 202, "Content-Length", "0"},
      {"ZipkinProtobuf", "POST", "/api/v2/spans", kProtobuf, "", 202, "", ""},
      {"ZipkinBadJson", "POST", "/api/v2/spans", "Content-Type: application/json\r\n", "[1]", 400,
       "Content-Type", "text/plain; charset=utf-8"},
      {"ZipkinType", "POST", "/api/v2/spans", "Content-Type: application/x-thrift\r\n", "x", 415,
       "Content-Type", "text/plain; charset=utf-8"},
      {"Index", "GET", "/", "", "", 200, "Content-Type", "text/plain; charset=utf-8"},
      {"Healthy", "GET", "/-/healthy", "", "", 200, "", ""},
      {"Ready", "GET", "/ready", "", "", 200, "", ""},
      {"BuildInfo", "GET", "/api/status/buildinfo", "", "", 200, "Content-Type",
       "application/json"},
      {"OpenApi", "GET", "/api/v1/openapi.yaml", "", "", 200, "", ""},
      {"Coverage", "GET", "/api/v1/coverage", "", "", 200, "Content-Type", "application/json"},
      {"Provisioning", "GET", "/api/v1/coverage?format=grafana-provisioning", "", "", 200,
       "Content-Type", "application/yaml"},
      {"Head", "HEAD", "/api/v1/services", "", "", 200, "Content-Type", "application/json"},
  };
  for (const RouteCase& c : cases) {
    SCOPED_TRACE(c.name);
    const RawResponse response = Ask(c.method, c.target, c.headers, c.body);
    EXPECT_EQ(response.status, c.status) << response.body;
    if (*c.header != '\0') {
      EXPECT_EQ(response.Header(c.header), c.value);
    }
  }
}

TEST_F(GatewayTest, TheOtlpDoorTakesOtlpAlone) {
  StartGateway();
  EXPECT_EQ(
      Ask("POST", "/v1/traces", "Content-Type: application/json\r\n", SpanJson(kTrace), Door::kOtlp)
          .status,
      200);
  EXPECT_EQ(Ask("GET", "/-/healthy", "", "", Door::kOtlp).status, 200);
  EXPECT_EQ(Ask("GET", std::string("/api/v1/traces/") + kTrace, "", "", Door::kOtlp).status, 404);
}

TEST_F(GatewayTest, TenantsDoNotMeet) {
  StartGateway();
  PostSpan(kTrace, "X-Scope-OrgID: a\r\n");
  const std::string target = std::string("/api/v1/traces/") + kTrace;
  EXPECT_EQ(Get(target, "X-SCOPE-ORGID: a\r\n").status, 200);
  EXPECT_EQ(Get(target).status, 404);
}

TEST_F(GatewayTest, AnswersCarryTagsAndGzip) {
  StartGateway();
  PostSpan(kTrace);
  const std::string target = std::string("/api/v1/traces/") + kTrace;
  const RawResponse plain = Get(target);
  ASSERT_EQ(plain.status, 200);
  const std::string tag = plain.Header("ETag");
  EXPECT_THAT(tag, HasSubstr("W/\""));
  EXPECT_EQ(Get(target, "If-None-Match: " + tag + "\r\n").status, 304);
  EXPECT_EQ(Get(target, "If-None-Match: \"0\"\r\n").status, 200);
  const RawResponse packed = Get("/api/v1/openapi.yaml", "Accept-Encoding: br, gzip;q=0.5\r\n");
  EXPECT_EQ(packed.Header("Content-Encoding"), "gzip");
  const auto inflated = wire::Inflate(wire::Encoding::kGzip, packed.body, 10U << 20U, 0);
  ASSERT_TRUE(inflated);
  EXPECT_EQ(std::string(inflated->data.get(), inflated->size), Get("/api/v1/openapi.yaml").body);
  EXPECT_EQ(Get("/api/v1/openapi.yaml", "Accept-Encoding: gzip;q=0\r\n").Header("Content-Encoding"),
            "");
}

TEST_F(GatewayTest, BrowsersOfAllowedOriginsMaySend) {
  Config config;
  config.cors_allowed_origins = {"https://shop.example"};
  StartGateway(config);
  const std::string origin = "Origin: https://shop.example\r\n";
  const RawResponse preflight =
      Ask("OPTIONS", "/v1/traces", origin + "Access-Control-Request-Headers: content-type,x-a\r\n");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.Header("Access-Control-Allow-Origin"), "https://shop.example");
  EXPECT_EQ(preflight.Header("Access-Control-Allow-Headers"), "content-type,x-a");
  EXPECT_EQ(PostSpan(kTrace, origin).Header("Access-Control-Allow-Origin"), "https://shop.example");
  const RawResponse stranger = PostSpan(kTrace, "Origin: https://evil.example\r\n");
  EXPECT_EQ(stranger.status, 200);
  EXPECT_THAT(stranger.head, Not(HasSubstr("Access-Control")));
}

TEST_F(GatewayTest, ALookupWaitsForTheFirstRecord) {
  StartGateway();
  const auto waiter = Connect();
  waiter->Send(RequestText("GET", std::string("/api/v1/traces/") + kTrace + "?wait=20s"));
  while (Metric("throughline_lookups_waiting") != "1") {
  }
  PostSpan(kOther);  // Of another trace: no reason to answer.
  EXPECT_EQ(Metric("throughline_lookups_waiting"), "1");
  PostSpan(kTrace);
  const RawResponse response = waiter->Read();
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("POST /pay"));
  EXPECT_EQ(Metric("throughline_store_watches"), "0");
}

TEST_F(GatewayTest, AWaitEndsWithItsPatience) {
  StartGateway();
  const RawResponse response = Get(std::string("/api/v1/locate/") + kTrace + "?wait=1ms");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.Header("Retry-After"), "1");
}

TEST_F(GatewayTest, ACompleteTraceIsQuietForASecond) {
  StartGateway();
  PostSpan(kTrace);
  clock_.Advance(2 * kSecond);
  // Quiet already: the answer does not take the twenty seconds.
  EXPECT_EQ(Get(std::string("/api/v1/traces/") + kTrace + "?wait=20s&complete=1").status, 200);
}

TEST_F(GatewayTest, TooManyWatchesAreRefused) {
  Config config;
  config.watches = 1;
  StartGateway(config);
  const auto waiter = Connect();
  waiter->Send(RequestText("GET", std::string("/api/v1/traces/") + kTrace + "?wait=20s"));
  while (Metric("throughline_store_watches") != "1") {
  }
  EXPECT_EQ(Get(std::string("/api/v1/traces/") + kOther + "?wait=20s").status, 429);
  PostSpan(kTrace);
  EXPECT_EQ(waiter->Read().status, 200);
}

TEST_F(GatewayTest, EnrichesRecordsAndCountsTheMalformed) {
  StartGateway();
  PostSpan(kTrace);
  const RawResponse response =
      Ask("POST", "/api/v1/enrich?fields=state,service", "Content-Type: application/x-ndjson\r\n",
          std::string("{\"a\":1,\"trace_id\":\"") + kTrace + "\"}\n{oops\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("X-Throughline-Malformed"), "1");
  EXPECT_THAT(response.body, HasSubstr("\"a\":1"));
  EXPECT_THAT(response.body, HasSubstr("live"));
  EXPECT_THAT(response.body, HasSubstr("\n{oops\n"));
  EXPECT_EQ(Ask("POST", "/api/v1/enrich", "Content-Type: image/png\r\n", "x").status, 415);
}

TEST_F(GatewayTest, EnrichWaitsForPendingIds) {
  StartGateway();
  const auto waiter = Connect();
  waiter->Send(RequestText("POST", "/api/v1/enrich?pending=wait:20s&fields=state",
                           "Content-Type: application/json\r\n",
                           std::string("{\"trace_id\":\"") + kTrace + "\"}"));
  while (Metric("throughline_lookups_waiting") != "1") {
  }
  PostSpan(kTrace);
  EXPECT_THAT(waiter->Read().body, HasSubstr("live"));
}

TEST_F(GatewayTest, StopAnswersWhoWaits) {
  StartGateway();
  const auto waiter = Connect();
  waiter->Send(RequestText("GET", std::string("/api/v1/traces/") + kTrace + "?wait=20s"));
  while (Metric("throughline_lookups_waiting") != "1") {
  }
  EXPECT_TRUE(gateway_->Stop());
  EXPECT_EQ(waiter->Read().status, 404);
}

TEST_F(GatewayTest, AFullStoreIsUnavailable) {
  Config config;
  config.store_hot_bytes = 1;  // Below what the table allows: full at once.
  StartGateway(config);
  const RawResponse response = PostSpan(kTrace);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("Retry-After"), "1");
  EXPECT_EQ(Metric("throughline_records_failed_total{door=\"otlp_http\",signal=\"traces\"}"), "1");
}

TEST_F(GatewayTest, ATenantMayHaveARateOfItsOwn) {
  Config config;
  config.tenant_records_per_second = 1;
  config.tenant_rates["batch"] = {.records_per_second = 0, .bytes_per_second = {}};
  StartGateway(config);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(PostSpan(kTrace, "X-Scope-OrgID: batch\r\n").status, 200);
    EXPECT_EQ(PostSpan(kTrace, "X-Scope-OrgID: other\r\n").status, i < 2 ? 200 : 429);
  }
}

TEST_F(GatewayTest, ATenantOverItsRateIsToldSoBeforeItsBodyIsRead) {
  Config config;
  config.tenant_records_per_second = 1;
  StartGateway(config);
  const std::string noisy = "X-Scope-OrgID: noisy\r\n";
  EXPECT_EQ(PostSpan(kTrace, noisy).status, 200);
  EXPECT_EQ(PostSpan(kOther, noisy).status, 200);  // Pays with the next second.
  const auto client = Connect();
  client->Send("POST /v1/traces HTTP/1.1\r\nHost: gw\r\nContent-Type: application/json\r\n" +
               noisy + "Content-Length: 100\r\n\r\n");
  const RawResponse refused = client->Read(false);
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.head, HasSubstr("Retry-After: 1"));
  EXPECT_THAT(refused.body, HasSubstr("limits.tenant_records_per_second"));
  EXPECT_EQ(PostSpan(kTrace, "X-Scope-OrgID: quiet\r\n").status, 200);
  EXPECT_EQ(Metric(R"(throughline_tenant_requests_refused_total{tenant="noisy"})"), "1");
  EXPECT_EQ(Metric(R"(throughline_tenant_records_stored_total{tenant="noisy"})"), "2");
  EXPECT_EQ(Metric(R"(throughline_tenant_records_stored_total{tenant="quiet"})"), "1");
  clock_.Advance(kSecond);
  EXPECT_EQ(PostSpan(kTrace, noisy).status, 200);
}

}  // namespace
}  // namespace throughline::gateway
