// Loki's tail over a real websocket: Beast's client against the whole process on loopback.
#include "gateway/tails.h"

#include <memory>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/gateway.h"
#include "tests/gateway/loopback_gateway.h"
#include "tests/gateway/raw_client.h"
#include "tests/test_clock.h"

namespace throughline::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 1'700'000'000 * kSecond;
constexpr char kTrace[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kAll[] = "/loki/api/v1/tail?query=%7B%7D";

// One websocket. What ends it is in `end`.
class TailClient {
 public:
  TailClient(const std::string& address, const std::string& target, const std::string& tenant = {},
             const std::string& origin = {})
      : stream_(loop_) {
    const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    stream_.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
      if (!tenant.empty()) request.set("X-Scope-OrgID", tenant);
      if (!origin.empty()) request.set("Origin", origin);
    }));
    websocket::response_type answer;
    boost::system::error_code failed;
    stream_.handshake(answer, address, target, failed);
    status_ = static_cast<int>(answer.result_int());
    body_ = answer.body();
  }

  int status() const { return status_; }  // Of the handshake: 101.
  const std::string& body() const { return body_; }
  int close_code() const { return stream_.reason().code; }

  // The next message; empty: it ended.
  std::string Read() {
    beast::flat_buffer buffer;
    boost::system::error_code ended;
    stream_.read(buffer, ended);
    return ended ? std::string() : beast::buffers_to_string(buffer.data());
  }
  void Close() {
    boost::system::error_code ignored;
    stream_.close(websocket::close_code::normal, ignored);
  }

 private:
  asio::io_context loop_;
  websocket::stream<asio::ip::tcp::socket> stream_;
  int status_ = 0;
  std::string body_;
};

class TailTest : public ::testing::Test {
 protected:
  void Start(Config config = {}) {
    ASSERT_NO_FATAL_FAILURE(StartInto(gateway_, OnLoopback(std::move(config)), clock_));
    address_ = gateway_->AddressOf(Door::kMain);
  }
  RawResponse Ask(const std::string& request) {
    RawClient client(address_);
    client.Send(request);
    return client.Read();
  }
  RawResponse Get(const std::string& target) {
    return Ask("GET " + target + " HTTP/1.1\r\nHost: gw\r\n\r\n");
  }
  // A line at `second` after kNow - 1 min.
  void Push(const std::string& line, int second, const std::string& tenant = "default") {
    const std::string body =
        R"({"time":")" +
        std::to_string(kNow - 60 * kSecond + static_cast<std::uint64_t>(second) * kSecond) +
        R"(","service":"pay","message":")" + line + R"(","trace_id":")" + kTrace + "\"}\n";
    const RawResponse answer = Ask(
        "POST /api/v1/logs HTTP/1.1\r\nHost: gw\r\nX-Scope-OrgID: " + tenant +
        "\r\nContent-Type: application/x-ndjson\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body);
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  std::string Metric(const std::string& name) {
    const std::string text = Get("/metrics").body;
    const std::size_t begin = text.find("\n" + name + " ") + name.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  void AwaitMetric(const std::string& name, const std::string& value) {
    while (Metric(name) != value) std::this_thread::yield();  // The test's own timeout ends it.
  }

  TestClock clock_{kNow};
  std::unique_ptr<Gateway> gateway_;
  std::string address_;
};

std::string StreamOf(int second, const std::string& line) {
  return R"({"stream":{"detected_level":"unknown","job":"pay","service":"pay",)"
         R"("service_name":"pay","trace_id":")" +
         std::string(kTrace) + R"("},"values":[[")" +
         std::to_string(kNow - 60 * kSecond + static_cast<std::uint64_t>(second) * kSecond) +
         R"(",")" + line + R"("]]})";
}

TEST_F(TailTest, WhatIsThereAndThenWhatComes) {
  Start();
  Push("first", 1);
  for (const char* path : {"/loki/api/v1/tail", "/loki/loki/api/v1/tail"}) {
    TailClient client(address_,
                      path + std::string("?query=%7Bservice_name%3D%22pay%22%7D&limit=1"));
    ASSERT_EQ(client.status(), 101);
    EXPECT_THAT(client.Read(), HasSubstr(R"("first"]])"));
    client.Close();
  }
  TailClient client(address_, kAll);
  EXPECT_EQ(client.Read(), R"({"streams":[)" + StreamOf(1, "first") + "]}");
  // One that is of a time before, too.
  Push("second", 0);
  EXPECT_EQ(client.Read(), R"({"streams":[)" + StreamOf(0, "second") + "]}");
}

TEST_F(TailTest, OnlyWhatTheQueryWantsOfTheOwnTenant) {
  Start();
  TailClient client(address_, "/loki/api/v1/tail?query=%7B%7D%20%7C%3D%20%22wanted%22", "a");
  Push("wanted, of another", 1, "b");
  Push("other", 2, "a");
  Push("wanted", 3, "a");
  EXPECT_EQ(client.Read(), R"({"streams":[)" + StreamOf(3, "wanted") + "]}");
}

TEST_F(TailTest, ARetryIsNotShownAgain) {
  Start();
  TailClient client(address_, kAll);
  Push("first", 1);
  EXPECT_THAT(client.Read(), HasSubstr("first"));
  Push("first", 1);
  Push("second", 2);
  EXPECT_THAT(client.Read(), AllOf(HasSubstr("second"), Not(HasSubstr("first"))));
}

TEST_F(TailTest, WithADelayLinesAreInOrder) {
  Start();
  TailClient client(address_, kAll + std::string("&delay_for=2"));
  Push("later", 2);
  Push("earlier", 1);
  const std::string message = client.Read();
  EXPECT_LT(message.find("earlier"), message.find("later"));
  EXPECT_THAT(message, HasSubstr("later"));
}

TEST_F(TailTest, WhatDoesNotFitIsSaid) {
  Config config;
  config.tail_bytes = 2048;
  Start(config);
  TailClient client(address_, kAll);
  Push("small", 1);
  EXPECT_THAT(client.Read(), HasSubstr("small"));
  Push(std::string(4096, 'x'), 2);
  EXPECT_EQ(client.Read(), R"({"streams":[],"dropped_entries":[{"timestamp":")" +
                               std::to_string(kNow - 58 * kSecond) +
                               R"(","labels":{"job":"pay","service_name":"pay"}}]})");
  EXPECT_EQ(Metric("throughline_tail_lines_dropped_total"), "1");
  EXPECT_EQ(Metric("throughline_tail_lines_sent_total"), "1");
}

TEST_F(TailTest, WhatIsRefused) {
  Config config;
  config.tails = 1;
  config.cors_allowed_origins = {"http://grafana:3000"};
  Start(config);
  const RawResponse plain = Get(kAll);
  EXPECT_EQ(plain.status, 400);
  EXPECT_THAT(plain.body, HasSubstr("websocket"));
  const TailClient bad(address_, "/loki/api/v1/tail?query=%7Ba%3D%22b%22%7D%20foo");
  EXPECT_EQ(bad.status(), 400);
  EXPECT_EQ(bad.body(), "parse error at line 1, col 9: syntax error: unexpected IDENTIFIER\n");
  const TailClient foreign(address_, kAll, {}, "http://elsewhere");
  EXPECT_EQ(foreign.status(), 403);
  {
    TailClient allowed(address_, kAll, {}, "http://grafana:3000");
    EXPECT_EQ(allowed.status(), 101);
    const TailClient second(address_, kAll);
    EXPECT_EQ(second.status(), 429);
    EXPECT_THAT(second.body(), HasSubstr("limits.tails"));
    allowed.Close();
  }
  AwaitMetric("throughline_tails", "0");
  const TailClient again(address_, kAll, {}, "http://" + address_);
  EXPECT_EQ(again.status(), 101);
}

constexpr char kHandshake[] =
    " HTTP/1.1\r\nHost: gw\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

TEST_F(TailTest, AClientThatAnswersNoPingIsCutOff) {
  Config config;
  config.tail_ping = std::chrono::milliseconds(20);
  Start(config);
  RawClient client(address_);
  client.Send("GET " + std::string(kAll) + kHandshake);
  const RawResponse answer = client.Read();
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.Header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_THAT(client.ReadBytes(1000), HasSubstr("\x89"));  // A ping, and then the end.
  AwaitMetric("throughline_tails", "0");
}

TEST_F(TailTest, ATailEndsInTime) {
  Config config;
  config.tail_duration = std::chrono::milliseconds(1);
  Start(config);
  TailClient client(address_, kAll);
  EXPECT_EQ(client.Read(), "");
  EXPECT_EQ(client.close_code(), websocket::close_code::normal);
}

TEST_F(TailTest, StoppingClosesTails) {
  Start();
  TailClient client(address_, kAll);
  Push("first", 1);
  EXPECT_THAT(client.Read(), HasSubstr("first"));
  std::string last = "?";
  std::thread reader([&] { last = client.Read(); });
  EXPECT_TRUE(gateway_->Stop());
  reader.join();
  EXPECT_EQ(last, "");
  EXPECT_EQ(client.close_code(), websocket::close_code::going_away);
}

TEST_F(TailTest, StoppingDoesNotWaitForADeadClient) {
  Config config;
  config.drain_timeout = std::chrono::milliseconds(0);
  Start(config);
  RawClient client(address_);
  client.Send("GET " + std::string(kAll) + kHandshake);
  EXPECT_EQ(client.Read().status, 101);
  EXPECT_FALSE(gateway_->Stop());
  gateway_.reset();
}

TEST_F(TailTest, BytesBehindTheHandshakeAreRefused) {
  Start();
  RawClient client(address_);
  client.Send("GET " + std::string(kAll) + kHandshake + "\x89");
  EXPECT_EQ(client.Read().status, 400);
}

}  // namespace
}  // namespace throughline::gateway
