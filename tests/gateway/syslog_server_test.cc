#include "gateway/syslog_server.h"

#include <future>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/stream_door.h"

namespace throughline::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class UdpClient {
 public:
  explicit UdpClient(const std::string& address) {
    fd_ = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(
        static_cast<std::uint16_t>(std::atoi(address.substr(address.rfind(':') + 1).c_str())));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  ~UdpClient() { ::close(fd_); }
  UdpClient(const UdpClient&) = delete;
  UdpClient& operator=(const UdpClient&) = delete;

  void Send(const std::string& bytes) const {
    ASSERT_EQ(::send(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

 private:
  int fd_;
};

class SyslogServerTest : public StreamDoorTest {
 protected:
  SyslogServerTest() = default;
  explicit SyslogServerTest(store::Writer::Limits limits) : StreamDoorTest(limits) {}

  void StartServer(const SyslogServer::Limits& limits = {}) {
    auto started = SyslogServer::Start("127.0.0.1:0", "127.0.0.1:0", limits, streams_, ingest_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(started).value();
  }
  void StopServers() override {
    if (server_ != nullptr) server_->Stop(seconds(10));
    server_.reset();
  }
  RawClient Connect() { return RawClient(server_->tcp_address()); }

  // Later ones stand later.
  static std::string Message(const std::string& text, int second = 0) {
    return (second < 10 ? "<13>1 2026-11-22T21:16:0" : "<13>1 2026-11-22T21:16:") +
           std::to_string(second) + "Z vm shop - - [a@1 trace_id=\"" + std::string(kTrace) +
           "\"] " + text;
  }
  static std::string Counted(const std::string& message) {
    return std::to_string(message.size()) + " " + message;
  }

  std::unique_ptr<SyslogServer> server_;
};

TEST_F(SyslogServerTest, TcpStoresMessagesInEitherFraming) {
  store_.ReleaseAll();
  StartServer();
  RawClient client(server_->tcp_address());
  client.Send(Message("a", 1) + "\n" + Counted(Message("b", 2)) + Message("c", 3) + '\0' +
              Counted(Message("d", 4)));
  EXPECT_THAT(AwaitBodies(4), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(line(0).service, "shop");
  EXPECT_EQ(attribute(0, "host.name"), "vm");
  EXPECT_EQ(metrics_.Of(Intake::kSyslog).received, 4U);
  EXPECT_TRUE(Eventually([this] { return metrics_.Of(Intake::kSyslog).stored == 4U; }));
}

TEST_F(SyslogServerTest, BytesMayComeOneByOneAndTheLastMessageNeedsNoEnd) {
  store_.ReleaseAll();
  StartServer();
  RawClient client(server_->tcp_address());
  for (const char byte : Counted(Message("a", 1)) + Message("b", 2)) client.Send({&byte, 1});
  client.EndSending();
  EXPECT_THAT(AwaitBodies(2), ElementsAre("a", "b"));
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(SyslogServerTest, UdpStoresEachDatagram) {
  store_.ReleaseAll();
  StartServer();
  UdpClient client(server_->udp_address());
  client.Send(Message("a", 1));
  client.Send(Message("b\nc", 2) + "\n");
  client.Send("<13>x trace_id=" + std::string(kTrace));
  EXPECT_THAT(AwaitBodies(3), ElementsAre("a", "b\nc", "x trace_id=" + std::string(kTrace)));
  EXPECT_EQ(server_->GetStats().datagrams, 3U);
  EXPECT_EQ(server_->GetStats().dropped_datagrams, 0U);
}

TEST_F(SyslogServerTest, LongMessagesAreCut) {
  store_.ReleaseAll();
  SyslogServer::Limits limits;
  limits.message_bytes = 100;
  StartServer(limits);
  RawClient client(server_->tcp_address());
  const std::string prefix = Message("", 1);
  client.Send(prefix + std::string(200, 'a') + "\n" + Counted(Message(std::string(200, 'b'), 2)) +
              Message("c", 3) + "\n");
  UdpClient(server_->udp_address()).Send(Message(std::string(200, 'd'), 4));
  const std::string of_a(100 - prefix.size(), 'a');
  const std::string of_b(100 - prefix.size(), 'b');
  const std::string of_d(100 - prefix.size(), 'd');
  EXPECT_THAT(AwaitBodies(4), ElementsAre(of_a, of_b, "c", of_d));
  EXPECT_EQ(server_->GetStats().cut_messages, 3U);
}

TEST_F(SyslogServerTest, ASlowStoreHoldsTheSenderBackAndLosesNothing) {
  SyslogServer::Limits limits;
  limits.stream.inflight_bytes = 64U << 10U;
  StartServer(limits);
  constexpr int kMessages = 20'000;
  std::thread sender([address = server_->tcp_address()] {
    RawClient client(address);
    for (int i = 0; i < kMessages; ++i) {
      client.Send(Message(std::to_string(i) + std::string(400, '.')) + "\n");
    }
  });
  store_.AwaitHeld();
  // A whole read more than the limit, and the read that did not end in a whole message.
  std::uint64_t most = 0;
  for (int i = 0; i < 20; ++i) {
    store_.ReleaseOne();
    store_.AwaitHeld();
    most = std::max(most, server_->GetStats().tcp.held_bytes);
  }
  EXPECT_LE(most, 3 * limits.stream.inflight_bytes);
  store_.ReleaseAll();
  EXPECT_EQ(AwaitBodies(kMessages).size(), kMessages);
  sender.join();
  EXPECT_TRUE(Eventually([this] { return server_->GetStats().tcp.connections == 0; }));
  EXPECT_EQ(server_->GetStats().tcp.held_bytes, 0U);
}

class FullQueueTest : public SyslogServerTest {
 protected:
  FullQueueTest() : SyslogServerTest({.queue_records = 1}) {}

  // One batch is being stored and one waits: the queue is full.
  void FillQueue(const RawClient& first, const RawClient& second) {
    first.Send(Message("a", 1) + "\n");
    store_.AwaitHeld();
    second.Send(Message("b", 2) + "\n");
    ASSERT_TRUE(Eventually([this] { return writer_.stats().waiting_records == 1; }));
  }
};

TEST_F(FullQueueTest, TcpOffersARefusedBatchAgain) {
  SyslogServer::Limits limits;
  limits.stream.first_retry = milliseconds(1);
  StartServer(limits);
  RawClient clients[] = {Connect(), Connect(), Connect()};
  FillQueue(clients[0], clients[1]);
  clients[2].Send(Message("c", 3) + "\n");
  EXPECT_TRUE(Eventually([this] { return server_->GetStats().tcp.retries >= 2; }));
  store_.ReleaseAll();
  EXPECT_THAT(AwaitBodies(3), ElementsAre("a", "b", "c"));
  const IntakeCounts& counts = metrics_.Of(Intake::kSyslog);
  EXPECT_TRUE(Eventually([&counts] { return counts.received == counts.stored + counts.failed; }));
}

TEST_F(FullQueueTest, UdpCountsWhatItDrops) {
  StartServer();
  RawClient clients[] = {Connect(), Connect()};
  FillQueue(clients[0], clients[1]);
  UdpClient(server_->udp_address()).Send(Message("c", 3));
  EXPECT_TRUE(Eventually([this] { return server_->GetStats().dropped_datagrams == 1; }));
  store_.ReleaseAll();
  EXPECT_THAT(AwaitBodies(2), ElementsAre("a", "b"));
}

TEST_F(SyslogServerTest, ConnectionsOverTheLimitAreClosed) {
  SyslogServer::Limits limits;
  limits.stream.connections = 1;
  StartServer(limits);
  RawClient first(server_->tcp_address());
  ASSERT_TRUE(Eventually([this] { return server_->GetStats().tcp.connections == 1; }));
  RawClient second(server_->tcp_address());
  EXPECT_TRUE(second.AtEnd());
  EXPECT_EQ(server_->GetStats().tcp.connections_refused, 1U);
}

TEST_F(SyslogServerTest, IdleConnectionsAreClosed) {
  SyslogServer::Limits limits;
  limits.stream.idle_timeout = milliseconds(1);
  StartServer(limits);
  RawClient client(server_->tcp_address());
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(server_->GetStats().tcp.timeouts, 1U);
}

TEST_F(SyslogServerTest, WhoAddsToMoreThanAllMayHoldIsClosed) {
  SyslogServer::Limits limits;
  limits.stream.total_bytes = 1000;
  StartServer(limits);
  RawClient client(server_->tcp_address());
  client.Send(std::string(2000, 'x'));
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(server_->GetStats().tcp.connections_refused, 1U);
  EXPECT_EQ(server_->GetStats().tcp.held_bytes, 0U);
}

TEST_F(SyslogServerTest, StopWaitsForWhatWasRead) {
  StartServer();
  RawClient client(server_->tcp_address());
  client.Send(Message("a") + "\n");
  store_.AwaitHeld();
  auto stopped = std::async(std::launch::async, [this] { return server_->Stop(seconds(30)); });
  EXPECT_FALSE(RawClient(server_->tcp_address()).HasBytes());
  store_.ReleaseAll();
  EXPECT_TRUE(stopped.get());
  EXPECT_TRUE(client.AtEnd());
  EXPECT_THAT(AwaitBodies(1), ElementsAre("a"));
}

TEST_F(SyslogServerTest, StopEndsWhatDoesNotEndByItself) {
  StartServer();
  RawClient client(server_->tcp_address());
  client.Send(Message("a") + "\n");
  store_.AwaitHeld();
  EXPECT_FALSE(server_->Stop(milliseconds(1)));
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(SyslogServerTest, AnAddressThatCannotBeHadIsAnError) {
  StartServer();
  const auto taken = SyslogServer::Start("", server_->tcp_address(), {}, streams_, ingest_);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::kUnavailable);
  EXPECT_FALSE(SyslogServer::Start("nowhere", "", {}, streams_, ingest_));
  const auto off = SyslogServer::Start("", "", {}, streams_, ingest_);
  ASSERT_TRUE(off);
  EXPECT_EQ((*off)->tcp_address(), "");
  EXPECT_TRUE((*off)->Stop(seconds(1)));
}

}  // namespace
}  // namespace throughline::gateway
