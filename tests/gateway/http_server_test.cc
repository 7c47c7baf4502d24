#include "gateway/http_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/gateway/raw_client.h"

namespace throughline::gateway {
namespace {

// Answers with what it got: method, path and body. Paths steer it: /refuse is refused before its
// body, /hold is answered by Release() from another thread, /drop never.
class Echo final : public RequestHandler {
 public:
  Admission Admit(Door door, api::Request& head) override {
    Admission admission;
    admission.route = static_cast<std::uint32_t>(door);
    if (head.path == "/refuse") admission.refusal = Text(404, "refused");
    return admission;
  }
  void Handle(std::uint32_t route, api::Request request, Reply reply) override {
    if (request.path == "/drop") return;
    api::Response response =
        Text(200, request.method + " " + request.path + " " + std::to_string(route) + " " +
                      std::string(request.body.view()));
    if (request.path == "/hold") {
      const std::lock_guard<std::mutex> lock(mutex_);
      held_.emplace_back(std::move(reply), std::move(response));
      changed_.notify_all();
      return;
    }
    reply(std::move(response));
  }
  void OnFinished(const Finished& finished) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    finished_.push_back(finished);
    changed_.notify_all();
  }
  api::Response Refuse(int status, std::string detail, const api::Request& /*head*/) override {
    return Text(status, std::move(detail));
  }

  static api::Response Text(int status, std::string text) {
    api::Response response;
    response.status = status;
    response.content_type = "text/plain";
    response.body = std::move(text);
    return response;
  }
  void WaitUntilHeld(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return held_.size() >= count; });
  }
  void Release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [reply, response] : held_) reply(std::move(response));
    held_.clear();
  }
  std::vector<Finished> WaitUntilFinished(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return finished_.size() >= count; });
    return finished_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<Reply, api::Response>> held_;
  std::vector<Finished> finished_;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void StartServer(ServerLimits limits = {}, std::size_t loops = 2) {
    auto started = HttpServer::Start({{Door::kMain, "127.0.0.1:0"}, {Door::kOtlp, "127.0.0.1:0"}},
                                     loops, limits, echo_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(started).value();
    address_ = server_->AddressOf(Door::kMain);
  }
  RawResponse Ask(const std::string& bytes) {
    RawClient client(address_);
    client.Send(bytes);
    return client.Read();
  }

  Echo echo_;
  std::unique_ptr<HttpServer> server_;
  std::string address_;
};

struct Case {
  const char* name;
  std::string bytes;
  int status;
  std::string body;  // Empty: any.
  bool closes = true;
};

std::string Post(const std::string& body, const std::string& headers = {}) {
  return "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

TEST_F(HttpServerTest, AnswersByTheBookWhateverIsSent) {
  StartServer({.header_bytes = 4096, .request_bytes = 1000});
  const std::string chunked = "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string ones = chunked;
  for (int i = 0; i < 900; ++i) ones += "1\r\na\r\n";
  const std::vector<Case> cases = {
      {"Get", "GET /a?b=%20c HTTP/1.1\r\nHost: x\r\n\r\n", 200, "GET /a?b=%20c 0 ", false},
      {"Post", Post("hello"), 200, "POST /p 0 hello", false},
      {"Chunked", chunked + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n", 200,
       "POST /p 0 abcde", false},
      {"ChunksOfOneByte", ones + "0\r\n\r\n", 200, "POST /p 0 " + std::string(900, 'a'), false},
      {"Http10", "GET / HTTP/1.0\r\n\r\n", 200, "GET / 0 ", true},
      {"Close", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, "GET / 0 ", true},
      {"LengthAndEncoding",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
       "0\r\n\r\n",
       400, ""},
      {"EncodingAndLength",
       "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
       "0\r\n\r\n",
       400, ""},
      {"EncodingNotChunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400,
       ""},
      {"EncodingInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
       ""},
      {"TwoLengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 7\r\n\r\n",
       400, ""},
      {"NegativeLength", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, ""},
      {"LengthOver64Bits",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400, ""},
      {"LengthOverLimit",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'a'), 413,
       "", false},
      {"LengthFarOverLimit", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 107374182400\r\n\r\n",
       413, ""},
      {"ChunkedOverLimit", chunked + "3e9\r\n" + std::string(1001, 'a') + "\r\n0\r\n\r\n", 413, ""},
      {"ManyChunksOverLimit", ones + "65\r\n" + std::string(101, 'a') + "\r\n0\r\n\r\n", 413, ""},
      {"BadChunkSize", chunked + "ZZ\r\nabc\r\n0\r\n\r\n", 400, ""},
      {"HugeChunkSize", chunked + "ffffffffffffffff\r\nabc", 413, ""},
      {"LongChunkExtension", chunked + "1;" + std::string(40000, 'x'), 400, ""},
      {"LongHeader", "GET / HTTP/1.1\r\nHost: x\r\nX-A: " + std::string(65536, 'a') + "\r\n\r\n",
       431, ""},
      {"ManyShortHeaders",
       [] {
         std::string bytes = "GET / HTTP/1.1\r\nHost: x\r\n";
         for (int i = 0; i < 3000; ++i) bytes += "a: b\r\n";
         return bytes + "\r\n";
       }(),
       431, ""},
      {"NoHost", "GET / HTTP/1.1\r\n\r\n", 400, ""},
      {"TwoHosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, ""},
      {"BareLineFeeds", "GET / HTTP/1.1\nHost: x\n\n", 400, ""},
      {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, ""},
      {"TlsHello", std::string("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 11), 400, ""},
      {"UnknownExpectation", Post("x", "Expect: tea\r\n"), 417, ""},
      {"RefusedBeforeItsBody", "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
       404, "refused", false},
      {"RefusedChunked",
       "POST /refuse HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 404,
       "refused"},
      {"Dropped", "GET /drop HTTP/1.1\r\nHost: x\r\n\r\n", 503, "", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    RawClient client(address_);
    client.Send(c.bytes);
    const RawResponse response = client.Read();
    EXPECT_EQ(response.status, c.status);
    if (!c.body.empty()) {
      EXPECT_EQ(response.body, c.body);
    }
    EXPECT_EQ(response.Header("Connection"), c.closes ? "close" : "");
    if (c.closes) {
      EXPECT_TRUE(client.AtEnd());
    } else {
      client.Send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
      EXPECT_EQ(client.Read().body, "GET /next 0 ");
    }
  }
}

TEST_F(HttpServerTest, BytesMayArriveOneByOne) {
  StartServer();
  for (const std::string& bytes :
       {Post("hello"), std::string("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                                   "\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")}) {
    RawClient client(address_);
    for (const char byte : bytes) client.Send({&byte, 1});
    EXPECT_EQ(client.Read().body, "POST /p 0 hello");
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  StartServer();
  RawClient client(address_);
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += Post(std::to_string(i));
  client.Send(bytes);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.Read().body, "POST /p 0 " + std::to_string(i));
}

TEST_F(HttpServerTest, TakesLargeBodiesBothWays) {
  StartServer();
  std::string body;
  for (int i = 0; body.size() < 5'000'000; ++i) body += std::to_string(i);
  EXPECT_EQ(Ask(Post(body)).body, "POST /p 0 " + body);
  std::string chunked = "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 0x10000) {
    const std::string piece = body.substr(at, 0x10000);
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    chunked += size + piece + "\r\n";
  }
  EXPECT_EQ(Ask(chunked + "0\r\n\r\n").body, "POST /p 0 " + body);
}

TEST_F(HttpServerTest, InvitesTheBodyOfWhoAsks) {
  StartServer();
  RawClient client(address_);
  client.Send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read().status, 100);
  client.Send("ok");
  EXPECT_EQ(client.Read().body, "POST /p 0 ok");
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  StartServer();
  RawClient client(address_);
  client.Send("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\nGET /g HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawResponse head = client.Read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Header("Content-Length"), "10");  // Of "HEAD /h 0 ".
  EXPECT_EQ(client.Read().body, "GET /g 0 ");
}

TEST_F(HttpServerTest, DoorsAreTold) {
  StartServer();
  RawClient client(server_->AddressOf(Door::kOtlp));
  client.Send(Post("x"));
  EXPECT_EQ(client.Read().body, "POST /p 1 x");
}

TEST_F(HttpServerTest, AnswersFromOtherThreads) {
  StartServer();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(address_));
    clients.back()->Send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  echo_.WaitUntilHeld(clients.size());
  echo_.Release();
  for (auto& client : clients) EXPECT_EQ(client->Read().body, "GET /hold 0 ");
}

TEST_F(HttpServerTest, RefusesBodiesOverTheBudgetAndTakesThemAgainAfterwards) {
  StartServer({.inflight_bytes = 1000});
  RawClient holder(address_);
  holder.Send("POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n" +
              std::string(900, 'a'));
  echo_.WaitUntilHeld(1);
  EXPECT_EQ(Ask(Post(std::string(101, 'b'))).status, 429);
  EXPECT_EQ(Ask("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                "0\r\n\r\n")
                .status,
            429);
  EXPECT_EQ(Ask(Post(std::string(100, 'b'))).status, 200);
  echo_.Release();
  EXPECT_EQ(holder.Read().status, 200);
  echo_.WaitUntilFinished(4);
  EXPECT_EQ(server_->Stats().inflight_bytes, 0U);
  EXPECT_EQ(Ask(Post(std::string(1000, 'b'))).status, 200);
}

TEST_F(HttpServerTest, RefusesConnectionsOverTheLimit) {
  StartServer({.connections = 1});
  RawClient first(address_);
  first.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(first.Read().status, 200);
  RawClient second(address_);
  EXPECT_EQ(second.Read().status, 503);
  EXPECT_EQ(server_->Stats().connections_refused, 1U);
}

// Time passes by itself here: the shortest timeouts, and the server's word that they ran out.
TEST_F(HttpServerTest, EndsWhatTakesTooLong) {
  StartServer(
      {.idle_timeout = std::chrono::milliseconds(1), .read_timeout = std::chrono::milliseconds(1)});
  RawClient idle(address_);
  EXPECT_TRUE(idle.AtEnd());
  RawClient slow_header(address_);
  slow_header.Send("GET / HT");
  EXPECT_EQ(slow_header.Read().status, 408);
  RawClient slow_body(address_);
  slow_body.Send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab");
  EXPECT_EQ(slow_body.Read().status, 408);
  EXPECT_EQ(server_->Stats().timeouts, 3U);
}

TEST_F(HttpServerTest, ASlowReaderIsGivenUp) {
  StartServer({.write_timeout = std::chrono::milliseconds(1)});
  RawClient client(address_);
  const std::string post = Post(std::string(20UL << 20U, 'a'));
  client.Send(post);
  const auto finished = echo_.WaitUntilFinished(1);
  EXPECT_EQ(server_->Stats().timeouts, 1U);
  EXPECT_EQ(finished[0].status, 200);
}

// Whether this process still listens there. Connecting would not tell: another program may have
// been given the port by now.
bool ListensAt(const std::string& address) {
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  constexpr int kMostDescriptors = 1024;
  for (int fd = 0; fd < kMostDescriptors; ++fd) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) continue;
    sockaddr_in name{};
    socklen_t name_size = sizeof name;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &name_size) == 0 &&
        ntohs(name.sin_port) == port) {
      return true;
    }
  }
  return false;
}

TEST_F(HttpServerTest, StopLetsRequestsUnderWayFinish) {
  StartServer();
  RawClient idle(address_);
  idle.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(idle.Read().status, 200);
  EXPECT_TRUE(ListensAt(address_));
  RawClient held(address_);
  held.Send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  echo_.WaitUntilHeld(1);
  std::thread releaser([&] {
    EXPECT_TRUE(idle.AtEnd());  // Draining has begun.
    echo_.Release();
  });
  EXPECT_TRUE(server_->Stop(std::chrono::seconds(20)));
  releaser.join();
  const RawResponse last = held.Read();
  EXPECT_EQ(last.body, "GET /hold 0 ");
  EXPECT_EQ(last.Header("Connection"), "close");
  EXPECT_FALSE(ListensAt(address_));
}

TEST_F(HttpServerTest, StopGivesUpOnRequestsThatDoNot) {
  StartServer();
  RawClient held(address_);
  held.Send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  echo_.WaitUntilHeld(1);
  EXPECT_FALSE(server_->Stop(std::chrono::milliseconds(0)));
  echo_.Release();  // Too late, and harmless.
  server_.reset();
  EXPECT_EQ(held.Read().status, 0);
}

TEST_F(HttpServerTest, APortInUseIsAnError) {
  StartServer();
  auto second = HttpServer::Start({{Door::kMain, address_}}, 1, {}, echo_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kUnavailable);
  for (const char* bad : {"127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "name:1", ""}) {
    auto refused = HttpServer::Start({{Door::kMain, bad}}, 1, {}, echo_);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Errc::kInvalidArgument) << bad;
  }
}

TEST_F(HttpServerTest, TellsWhatBecameOfEachRequest) {
  StartServer();
  EXPECT_EQ(Ask(Post("hello")).status, 200);
  const auto finished = echo_.WaitUntilFinished(1);
  EXPECT_EQ(finished[0].status, 200);
  EXPECT_EQ(finished[0].request_bytes, 5U);
  EXPECT_GT(finished[0].response_bytes, 15U);
  EXPECT_GT(finished[0].elapsed_ns, 0U);
}

}  // namespace
}  // namespace throughline::gateway
