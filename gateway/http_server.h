// The HTTP/1.1 server: sockets to requests, responses to sockets.
//
// One event loop a thread, each with its own listener on every door (SO_REUSEPORT); a connection
// stays on the loop that accepted it. A coroutine a connection reads a request, lets the handler
// look at its header before the body is read, reads the body into memory that grows only as bytes
// arrive, and writes the answer. Bounds: ServerLimits, each with what the client is told.
//
// A request that asks for a websocket may be answered with a Feed (Reply::Upgrade); its connection
// is one from then on, to its end.
//
// Source: RFC 9112 (messages; both Content-Length and Transfer-Encoding are refused), RFC 9110.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/http.h"
#include "correlate/result.h"
#include "gateway/feed.h"

namespace boost::asio {
class io_context;
}

namespace throughline::gateway {

struct ServerLimits {
  std::size_t header_bytes = 32UL << 10U;          // Of a request line and all fields: 431.
  std::size_t request_bytes = 20UL << 20U;         // Of a body as sent: 413.
  std::size_t inflight_bytes = 256UL << 20U;       // Of bodies being read or answered: 429.
  std::size_t connections = 4096;                  // More are told 503 and closed.
  std::chrono::milliseconds idle_timeout{75'000};  // Between requests: closed.
  std::chrono::milliseconds read_timeout{
      20'000};  // To the end of a header; of a body at 4 KiB/s more.
  std::chrono::milliseconds write_timeout{20'000};  // Without progress, of an answer.
  // Of a websocket: silence before a ping and for its answer; how long it may last.
  std::chrono::milliseconds websocket_ping{30'000};
  std::chrono::milliseconds websocket_duration{3'600'000};
};

// Which listener a request came by. More than one door may have the same loops.
enum class Door : std::uint8_t { kMain, kOtlp };
inline constexpr std::size_t kDoorCount = 2;

struct Listen {
  Door door = Door::kMain;
  std::string address;  // "127.0.0.1:4380", "[::1]:0", ":4380" (all interfaces).
};

// What a handler says of a request when its header is there and its body is not.
struct Admission {
  std::uint32_t route = 0;               // Handed back to Handle.
  std::optional<api::Response> refusal;  // Answered instead, with the body unread.
};

class Exchange;

// The one right to answer a request. Copies share it; the first call wins. Any thread, also after
// the connection is gone. When the last copy dies without an answer the client is told 503.
class Reply {
 public:
  Reply() = default;
  explicit Reply(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  void operator()(api::Response response) const;
  // Instead, where AsksForWebSocket(head): the connection becomes a websocket that sends what the
  // feed has.
  void Upgrade(std::shared_ptr<Feed> feed) const;
  // The loop of the connection, for timers. It outlives every request that Stop() waits for; what
  // is posted to it after that is dropped.
  boost::asio::io_context& loop() const;

 private:
  std::shared_ptr<Exchange> exchange_;
};

// How a handler answers, where it need not know of connections: a Reply, or what wraps one.
// Copyable; the first call counts; any thread.
using Respond = std::function<void(api::Response)>;

// What became of one request, for metrics.
struct Finished {
  std::uint32_t route = UINT32_MAX;  // As Admit said; the default: it was never asked.
  int status = 0;
  std::uint64_t elapsed_ns = 0;  // From the last byte of the header to the last of the answer.
  std::size_t request_bytes = 0;
  std::size_t response_bytes = 0;
};

// What the server serves. Called on loop threads, on several at once; must not block.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // `head` has method, headers, and in `path` the target as sent; the handler splits that. The same
  // object comes back in Handle, with its body.
  virtual Admission Admit(Door door, api::Request& head) = 0;
  virtual void Handle(std::uint32_t route, api::Request request, Reply reply) = 0;
  virtual void OnFinished(const Finished& finished) = 0;
  // The answer to what is no request, or one over a limit (400, 408, 413, 417, 429, 431, 503, 505).
  // `head` is as much of the request as could be read.
  virtual api::Response Refuse(int status, std::string detail, const api::Request& head) = 0;
};

struct ServerStats {
  std::uint64_t connections = 0;           // Open now.
  std::uint64_t connections_accepted = 0;  // Ever.
  std::uint64_t connections_refused = 0;   // Over the limit.
  std::uint64_t timeouts = 0;
  std::uint64_t inflight_bytes = 0;  // Now.
};

class HttpServer {
 public:
  // Listens on every address and starts `loops` threads. The handler must outlive the server.
  static Result<std::unique_ptr<HttpServer>> Start(const std::vector<Listen>& listens,
                                                   std::size_t loops, const ServerLimits& limits,
                                                   RequestHandler& handler);
  // Stop() and Join() must have been called, or nothing be under way.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "127.0.0.1:4380", with the port that was really taken; empty: that door is off.
  std::string AddressOf(Door door) const;

  // Stops accepting, closes websockets, lets every request under way finish (at most `patience`),
  // then stops the loops and joins their threads. Answers given later are dropped. True when all
  // had finished.
  bool Stop(std::chrono::milliseconds patience);

  ServerStats Stats() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Whether a request asks for a websocket.
bool AsksForWebSocket(const api::Request& head);

}  // namespace throughline::gateway
