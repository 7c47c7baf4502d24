// What is passed on to a real Prometheus, Loki or Tempo, against a small server of this test.
#include "gateway/upstream.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/gateway.h"
#include "tests/gateway/loopback_gateway.h"
#include "tests/gateway/raw_client.h"
#include "tests/gateway/raw_server.h"
#include "tests/test_clock.h"

namespace throughline::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 1'700'000'000 * kSecond;
constexpr char kTrace[] = "0af7651916cd43dd8448eb211c80319c";

std::string Answer(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class UpstreamTest : public ::testing::Test {
 protected:
  void Start(Config config) {
    ASSERT_NO_FATAL_FAILURE(StartInto(gateway_, OnLoopback(std::move(config)), clock_));
  }
  RawResponse Ask(const std::string& request) {
    RawClient client(gateway_->AddressOf(Door::kMain));
    client.Send(request);
    return client.Read(request.starts_with("HEAD"));
  }
  RawResponse Get(const std::string& target, const std::string& headers = {}) {
    return Ask("GET " + target + " HTTP/1.1\r\nHost: gw\r\n" + headers + "\r\n");
  }
  RawResponse Post(const std::string& target, const std::string& type, const std::string& body) {
    return Ask("POST " + target + " HTTP/1.1\r\nHost: gw\r\nContent-Type: " + type +
               "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  // A span of two seconds at kNow, and an exemplar of it.
  void SendTrace() {
    const std::string resource =
        R"("resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay"}}]})";
    const std::string ids =
        R"("traceId":")" + std::string(kTrace) + R"(","spanId":"b7ad6b7169203331")";
    ASSERT_EQ(Post("/v1/traces", "application/json",
                   R"({"resourceSpans":[{)" + resource + R"(,"scopeSpans":[{"spans":[{)" + ids +
                       R"(,"name":"a","startTimeUnixNano":"1700000000000000000",)"
                       R"("endTimeUnixNano":"1700000002000000000"}]}]}]})")
                  .status,
              200);
    ASSERT_EQ(
        Post("/v1/metrics", "application/json",
             R"({"resourceMetrics":[{)" + resource +
                 R"(,"scopeMetrics":[{"metrics":[{"name":"work","histogram":{)"
                 R"("aggregationTemporality":2,"dataPoints":[{"count":"1","bucketCounts":["1"],)"
                 R"("timeUnixNano":"1700000001000000000","exemplars":[{)" +
                 ids + R"(,"asDouble":0.25,"timeUnixNano":"1700000001000400000"}]}]}}]}]}]})")
            .status,
        200);
  }

  TestClock clock_{kNow + 60 * kSecond};
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(UpstreamTest, WhatIsPassedOnComesBackAsItIs) {
  RawServer prometheus([](const std::string&) {
    return Answer("422 Unprocessable Entity",
                  "Content-Type: application/json; charset=utf-8\r\nX-Kept: yes\r\n"
                  "Connection: close, X-Hop\r\nX-Hop: no\r\nKeep-Alive: timeout=5\r\n",
                  R"({"status":"error"})");
  });
  Config config;
  config.prometheus_upstream = "http://" + prometheus.address() + "/prom/";
  Start(config);
  const RawResponse response =
      Get("/prometheus/api/v1/query_range?query=rate(a%5B1m%5D)&x=%2F",
          "Authorization: Basic eDp5\r\nAccept-Encoding: gzip\r\nTE: trailers\r\n"
          "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\n");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.body, R"({"status":"error"})");
  EXPECT_EQ(response.Header("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(response.Header("x-kept"), "yes");
  EXPECT_THAT(response.head, Not(HasSubstr("x-hop")));
  EXPECT_THAT(response.head, Not(HasSubstr("keep-alive: timeout")));
  ASSERT_EQ(prometheus.requests().size(), 1U);
  const std::string asked = prometheus.requests()[0];
  EXPECT_THAT(asked,
              StartsWith("GET /prom/api/v1/query_range?query=rate(a%5B1m%5D)&x=%2F HTTP/1.1\r\n"));
  EXPECT_THAT(asked, HasSubstr("Host: " + prometheus.address() + "\r\n"));
  EXPECT_THAT(asked, HasSubstr("authorization: Basic eDp5\r\n"));
  EXPECT_THAT(asked, HasSubstr("accept-encoding: gzip\r\n"));
  EXPECT_THAT(asked, Not(HasSubstr("x-mine")));
  EXPECT_THAT(asked, Not(HasSubstr("trailers")));

  Post("/prometheus/api/v1/admin/new", "text/plain", "a body");
  EXPECT_THAT(prometheus.requests()[1], StartsWith("POST /prom/api/v1/admin/new HTTP/1.1\r\n"));
  EXPECT_THAT(prometheus.requests()[1], HasSubstr("content-type: text/plain\r\n"));
  EXPECT_TRUE(prometheus.requests()[1].ends_with("\r\n\r\na body"));
}

TEST_F(UpstreamTest, WhatHasNoUpstreamStaysOurs) {
  RawServer prometheus([](const std::string&) { return Answer("200 OK", "", "theirs"); });
  Config config;
  config.prometheus_upstream = "http://" + prometheus.address();
  Start(config);
  EXPECT_EQ(Get("/prometheus/graph").body, "theirs");
  EXPECT_THAT(Get("/prometheus-exemplars/api/v1/query?query=1%2B1").body, HasSubstr("scalar"));
  EXPECT_EQ(Get("/tempo/api/echo").body, "echo\n");
  EXPECT_EQ(Get("/tempo/ready").status, 404);
  EXPECT_EQ(Get("/loki/api/v1/labels").status, 200);
  EXPECT_EQ(Get("/prometheus/../secret").status, 400);
  EXPECT_EQ(Get("/prometheus/a/%2e%2E/secret").status, 400);
  EXPECT_EQ(prometheus.requests().size(), 1U);
}

TEST_F(UpstreamTest, FailuresHaveTheirStatusAndAreSoon) {
  RawServer silent([](const std::string&) { return std::string(); });
  RawServer broken([](const std::string&) { return std::string("nonsense\r\n\r\n"); });
  RawServer large([](const std::string&) { return Answer("200 OK", "", std::string(5000, 'x')); });
  Config config;
  config.prometheus_upstream = "http://" + silent.address();
  config.loki_upstream = "http://" + broken.address();
  config.tempo_upstream = "http://" + large.address();
  config.upstream_timeout = std::chrono::milliseconds(50);
  config.upstream_bytes = 4096;
  Start(config);
  const RawResponse late = Get("/prometheus/api/v1/query?query=up");
  EXPECT_EQ(late.status, 504);
  EXPECT_EQ(late.body, R"x({"status":"error","errorType":"timeout","error":"prometheus.upstream: )x"
                       R"x(no answer within 50ms (upstream.timeout)"})x");
  const RawResponse no_http = Get("/loki/loki/api/v1/labels");
  EXPECT_EQ(no_http.status, 502);
  EXPECT_THAT(no_http.body, StartsWith("loki.upstream: the connection to it broke: "));
  const RawResponse much = Get("/tempo/api/search?q=%7B%7D");
  EXPECT_EQ(much.status, 502);
  EXPECT_EQ(much.body,
            "tempo.upstream: the answer has more than 4096 bytes (limits.upstream_bytes)\n");
  // Of exemplars ours are answered all the same.
  const RawResponse ours = Get("/prometheus/api/v1/query_exemplars?query=work&start=0&end=1");
  EXPECT_EQ(ours.status, 200);
  EXPECT_THAT(ours.body, HasSubstr("prometheus.upstream: no answer within 50ms"));
}

TEST_F(UpstreamTest, NobodyThereIs502) {
  std::string address;
  {
    const RawServer gone([](const std::string&) { return std::string(); });
    address = gone.address();
  }
  Config config;
  config.prometheus_upstream = "http://" + address;
  Start(config);
  const RawResponse response = Get("/prometheus/api/v1/query?query=up");
  EXPECT_EQ(response.status, 502);
  EXPECT_THAT(response.body, HasSubstr("prometheus.upstream: it cannot be reached"));
}

TEST_F(UpstreamTest, ExemplarsOfBothAreMerged) {
  // The first is ours, at the millisecond; the second is of a trace that nobody has sent.
  const std::string theirs =
      R"({"status":"success","data":[{"seriesLabels":{"__name__":"work_bucket","le":"1"},"exemplars":[)"
      R"({"labels":{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"},)"
      R"("value":"0.25","timestamp":1700000001.000},)"
      R"({"labels":{"traceID":"99999999999999998888888888888888"},"value":"0.5","timestamp":1600000000},)"
      R"({"labels":{"traceID":"0af7651916cd43dd8448eb211c80319c"},"value":"0.75","timestamp":1700000001.5},)"
      R"({"labels":{"trace_id":"x"},"value":7,"timestamp":1}]}]})";
  RawServer prometheus([&theirs](const std::string&) {
    return Answer("200 OK", "Content-Type: application/json\r\n", theirs);
  });
  Config config;
  config.prometheus_upstream = "http://" + prometheus.address();
  Start(config);
  SendTrace();
  const std::string form = "query=work_bucket&start=1500000000&end=1800000000";
  const RawResponse response =
      Post("/prometheus/api/v1/query_exemplars", "application/x-www-form-urlencoded", form);
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(prometheus.requests()[0].ends_with("\r\n\r\n" + form));
  std::size_t count = 0;
  for (std::size_t at = 0; (at = response.body.find("\"timestamp\"", at)) != std::string::npos;
       ++at)
    ++count;
  EXPECT_EQ(count, 3U) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"({"labels":{"span_id":"b7ad6b7169203331","trace_id":)"
                                       R"("0af7651916cd43dd8448eb211c80319c"},"value":"0.25",)"));
  // Theirs get a link where it can be opened, whatever they call it, and none where not.
  EXPECT_THAT(response.body, HasSubstr(R"("trace_id":"0af7651916cd43dd8448eb211c80319c")"));
  EXPECT_THAT(response.body,
              HasSubstr(R"("link_state":"never_seen",)"
                        R"("traceID":"99999999999999998888888888888888",)"
                        R"("trace_id_unavailable":"99999999999999998888888888888888")"));
}

TEST_F(UpstreamTest, ATraceThatWeKnowNarrowsTheRange) {
  RawServer both([](const std::string&) { return Answer("200 OK", "", "{}"); });
  Config config;
  config.loki_upstream = "http://" + both.address();
  config.tempo_upstream = "http://" + both.address();
  Start(config);
  SendTrace();
  const std::string id = kTrace;
  const auto asked = [&](const std::string& target) {
    EXPECT_EQ(Get(target).status, 200);
    const std::string request = both.requests().back();
    return request.substr(4, request.find(" HTTP") - 4);
  };
  // From the first record to the last, and a minute around them.
  EXPECT_EQ(asked("/tempo/api/v2/traces/" + id),
            "/api/v2/traces/" + id + "?start=1699999940&end=1700000063");
  EXPECT_EQ(asked("/tempo/api/traces/" + id + "?start=1&end=2"),
            "/api/traces/" + id + "?start=1&end=2");
  const std::string unknown = "99999999999999998888888888888888";
  EXPECT_EQ(asked("/tempo/api/traces/" + unknown), "/api/traces/" + unknown);
  const std::string lines = "query=%7Ba%3D%22b%22%7D%20%7C%20trace_id%3D%22" + id + "%22";
  const std::string path = "/loki/api/v1/query_range?";
  EXPECT_EQ(asked("/loki" + path + lines + "&start=1690000000&end=1700000010&limit=9"),
            path + lines + "&limit=9&start=1699999940000000000&end=1700000010000000000");
  const std::string elsewhere = lines + "&start=1690000000&end=1690000010";
  EXPECT_EQ(asked("/loki" + path + elsewhere), path + elsewhere);
  const std::string any = "query=%7Ba%3D%22b%22%7D&start=1690000000&end=1700000010";
  EXPECT_EQ(asked("/loki" + path + any), path + any);
}

TEST(UpstreamAddressTest, ReadsUrls) {
  const auto address = ParseUpstream("http://[::1]:9090/a/b/");
  ASSERT_TRUE(address) << address.error().message;
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, "9090");
  EXPECT_EQ(address->address, "[::1]:9090");
  EXPECT_EQ(address->path, "/a/b");
  EXPECT_EQ(ParseUpstream("http://prometheus")->port, "80");
  for (const char* url : {"", "prometheus:9090", "https://a", "http://", "http://a:x",
                          "http://a/?q", "http://a b", "http://u@h/"}) {
    EXPECT_FALSE(ParseUpstream(url)) << url;
  }
  Config config;
  config.loki_upstream = "loki:3100";
  EXPECT_EQ(CheckConfig(config).error().message,
            "loki.upstream has \"loki:3100\", want http://HOST[:PORT][/PATH]");
}

}  // namespace
}  // namespace throughline::gateway
