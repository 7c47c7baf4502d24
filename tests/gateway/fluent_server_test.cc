#include "gateway/fluent_server.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/digest.h"
#include "logs/fluent.h"
#include "tests/gateway/stream_door.h"
#include "wire/msgpack.h"

namespace throughline::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

TEST(DigestTest, Sha512OfTheStandardsExample) {
  // FIPS 180-4, "abc".
  EXPECT_EQ(Sha512Hex("abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(RandomBytes(16).size(), 16U);
  EXPECT_NE(RandomBytes(16), RandomBytes(16));
}

class FluentServerTest : public StreamDoorTest {
 protected:
  void StartServer(const FluentServer::Limits& limits = {}, logs::FluentSecrets secrets = {}) {
    auto started =
        FluentServer::Start("127.0.0.1:0", limits, std::move(secrets), streams_, ingest_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(started).value();
  }
  void StopServers() override {
    if (server_ != nullptr) server_->Stop(seconds(10));
    server_.reset();
  }

  // ["t", [[second, {"log": text, "trace_id": ...}]], {"chunk": chunk}]
  static std::string Forward(const std::string& text, int second, const std::string& chunk = {}) {
    std::string message;
    wire::AppendMsgpackArray(chunk.empty() ? 2 : 3, message);
    wire::AppendMsgpackString("t", message);
    wire::AppendMsgpackArray(text.empty() ? 0 : 1, message);
    if (!text.empty()) {
      wire::AppendMsgpackArray(2, message);
      wire::AppendMsgpackInt(1'795'382'100 + second, message);
      wire::AppendMsgpackMap(2, message);
      wire::AppendMsgpackString("log", message);
      wire::AppendMsgpackString(text, message);
      wire::AppendMsgpackString("trace_id", message);
      wire::AppendMsgpackString(kTrace, message);
    }
    if (!chunk.empty()) {
      wire::AppendMsgpackMap(1, message);
      wire::AppendMsgpackString("chunk", message);
      wire::AppendMsgpackString(chunk, message);
    }
    return message;
  }
  static std::string ReadAck(RawClient& client, const std::string& chunk) {
    return client.ReadBytes(logs::FluentAck(chunk).size());
  }

  std::unique_ptr<FluentServer> server_;
};

TEST_F(FluentServerTest, StoresMessagesHoweverTheyComeAndSaysNothingUnasked) {
  store_.ReleaseAll();
  StartServer();
  RawClient client(server_->address());
  client.Send(Forward("a", 1) + "\xc0" + Forward("b", 2));
  for (const char byte : Forward("c", 3)) client.Send({&byte, 1});
  EXPECT_THAT(AwaitBodies(3), ElementsAre("a", "b", "c"));
  EXPECT_EQ(attribute(0, "fluent.tag"), "t");
  client.EndSending();
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(metrics_.Of(Intake::kFluent).stored, 3U);
}

TEST_F(FluentServerTest, AcknowledgesWhatIsStoredAndNotBefore) {
  StartServer();
  RawClient client(server_->address());
  client.Send(Forward("a", 1, "c1"));
  store_.AwaitHeld();
  EXPECT_FALSE(client.HasBytes());
  client.Send(Forward("", 2, "empty"));
  EXPECT_EQ(ReadAck(client, "empty"), logs::FluentAck("empty"));
  store_.ReleaseAll();
  EXPECT_EQ(ReadAck(client, "c1"), logs::FluentAck("c1"));
  client.Send(Forward("b", 2, "c2") + Forward("c", 3, "c3"));
  EXPECT_EQ(ReadAck(client, "c2"), logs::FluentAck("c2"));
  EXPECT_EQ(ReadAck(client, "c3"), logs::FluentAck("c3"));
  EXPECT_THAT(AwaitBodies(3), ElementsAre("a", "b", "c"));
}

TEST_F(FluentServerTest, ARepeatedChunkIsAcknowledgedAndAddsNothing) {
  store_.ReleaseAll();
  StartServer();
  RawClient client(server_->address());
  for (int i = 0; i < 2; ++i) {
    client.Send(Forward("a", 1, "c1"));
    EXPECT_EQ(ReadAck(client, "c1"), logs::FluentAck("c1"));
  }
  EXPECT_THAT(AwaitBodies(1), ElementsAre("a"));
  EXPECT_EQ(metrics_.Of(Intake::kFluent).deduplicated, 1U);
}

TEST_F(FluentServerTest, AnAckIsStillSentWhenTheSenderHasEnded) {
  StartServer();
  RawClient client(server_->address());
  client.Send(Forward("a", 1, "c1"));
  client.EndSending();
  store_.AwaitHeld();
  store_.ReleaseAll();
  EXPECT_EQ(ReadAck(client, "c1"), logs::FluentAck("c1"));
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(FluentServerTest, WhatCannotBeStoredIsNotAcknowledged) {
  store_.Fail("default", Error{Errc::kDataLoss, "disk"});
  store_.ReleaseAll();
  StartServer();
  RawClient client(server_->address());
  client.Send(Forward("a", 1, "c1"));
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(server_->GetStats().lost_batches, 1U);
}

TEST_F(FluentServerTest, WhatIsNoFluentForwardClosesTheConnectionAndCostsNoMessageBefore) {
  store_.ReleaseAll();
  StartServer();
  for (const std::string& bad :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x93\x01\x02\x03"),
        std::string("\x92\xa1t\xc1"), std::string("\xdd\xff\xff\xff\xff")}) {
    RawClient client(server_->address());
    client.Send(bad);
    EXPECT_TRUE(client.AtEnd());
  }
  RawClient client(server_->address());
  client.Send(Forward("a", 1, "c1") + "\x92\x01\x02" + Forward("b", 2, "c2"));
  EXPECT_EQ(ReadAck(client, "c1"), logs::FluentAck("c1"));
  EXPECT_TRUE(client.AtEnd());
  EXPECT_THAT(AwaitBodies(1), ElementsAre("a"));
  EXPECT_EQ(metrics_.Of(Intake::kFluent).bad_requests, 5U);
  EXPECT_EQ(server_->GetStats().problems, 5U);
}

TEST_F(FluentServerTest, AMessageOverTheLimitClosesTheConnection) {
  FluentServer::Limits limits;
  limits.message_bytes = 1000;
  StartServer(limits);
  RawClient client(server_->address());
  client.Send(Forward(std::string(2000, 'x'), 1).substr(0, 100));
  EXPECT_TRUE(client.AtEnd());
}

class HandshakeTest : public FluentServerTest {
 protected:
  static logs::FluentSecrets Secrets() {
    return {.shared_key = "key", .users = {{"ann", "secret"}}, .hostname = "us"};
  }
  // Reads HELO, and gives a PING with these.
  static std::string Ping(RawClient& client, const std::string& key, const std::string& password) {
    // ["HELO", {"nonce": 16 bytes, "auth": 16 bytes, "keepalive": true}]
    const std::string helo = client.ReadBytes(1 + 5 + 1 + 6 + 18 + 5 + 18 + 10 + 1);
    const std::string nonce = helo.substr(1 + 5 + 1 + 6 + 2, 16);
    const std::string auth = helo.substr(1 + 5 + 1 + 6 + 18 + 5 + 2, 16);
    std::string ping;
    wire::AppendMsgpackArray(6, ping);
    for (const std::string& field : {std::string("PING"), std::string("them"), std::string("salt"),
                                     Sha512Hex("salt" + std::string("them") + nonce + key),
                                     std::string("ann"), Sha512Hex(auth + "ann" + password)}) {
      wire::AppendMsgpackString(field, ping);
    }
    return ping;
  }
  static std::string Refusal(const std::string& reason) {
    std::string pong;
    wire::AppendMsgpackArray(5, pong);
    wire::AppendMsgpackString("PONG", pong);
    wire::AppendMsgpackBool(false, pong);
    wire::AppendMsgpackString(reason, pong);
    wire::AppendMsgpackString("", pong);
    wire::AppendMsgpackString("", pong);
    return pong;
  }
};

TEST_F(HandshakeTest, WhoSharesTheKeyMaySend) {
  store_.ReleaseAll();
  StartServer({}, Secrets());
  RawClient client(server_->address());
  client.Send(Ping(client, "key", "secret") + Forward("a", 1, "c1"));
  // ["PONG", true, "", "us", 128 digits]
  EXPECT_EQ(client.ReadBytes(1 + 5 + 1 + 1 + 3 + 130).substr(0, 8), "\x95\xa4PONG\xc3\xa0");
  EXPECT_EQ(ReadAck(client, "c1"), logs::FluentAck("c1"));
  EXPECT_THAT(AwaitBodies(1), ElementsAre("a"));
}

TEST_F(HandshakeTest, OthersAreToldWhyAndClosed) {
  store_.ReleaseAll();
  StartServer({}, Secrets());
  const auto answer_to = [this](const auto& make) {
    RawClient client(server_->address());
    const std::string ping = make(client);
    client.Send(ping);
    std::string answer = client.ReadBytes(Refusal("username/password mismatch").size() + 1);
    EXPECT_TRUE(client.AtEnd());
    return answer;
  };
  EXPECT_EQ(answer_to([](RawClient& client) { return Ping(client, "other", "secret"); }),
            Refusal("shared_key mismatch"));
  EXPECT_EQ(answer_to([](RawClient& client) { return Ping(client, "key", "guess"); }),
            Refusal("username/password mismatch"));
  EXPECT_EQ(answer_to([](RawClient& client) {
              Ping(client, "key", "secret");
              return Forward("a", 1);
            }),
            Refusal("invalid ping message"));
  EXPECT_EQ(metrics_.Of(Intake::kFluent).received, 0U);
}

TEST_F(HandshakeTest, ItMustEndInTime) {
  FluentServer::Limits limits;
  limits.stream.handshake_timeout = milliseconds(1);
  StartServer(limits, Secrets());
  RawClient client(server_->address());
  Ping(client, "key", "secret");
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(server_->GetStats().timeouts, 1U);
}

TEST_F(HandshakeTest, APingIsShort) {
  StartServer({}, Secrets());
  RawClient client(server_->address());
  Ping(client, "key", "secret");
  client.Send("\x91\xda\x20\x01");
  EXPECT_TRUE(client.AtEnd());
}

}  // namespace
}  // namespace throughline::gateway
