#include "gateway/websocket.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "gateway/http_asio.h"
#include "gateway/http_server.h"

namespace throughline::gateway {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;

constexpr std::chrono::seconds kCloseTimeout{2};  // For the client's part of the close.
constexpr std::size_t kDroppedBytes = 512;        // Read of what a client sends, at a time.

websocket::stream_base::timeout Timeouts(std::chrono::milliseconds handshake,
                                         std::chrono::milliseconds ping) {
  websocket::stream_base::timeout timeouts{};
  timeouts.handshake_timeout = handshake;
  timeouts.idle_timeout = 2 * ping;  // Beast pings at half of it.
  timeouts.keep_alive_pings = true;
  return timeouts;
}

class BeastWebSocket final : public WebSocket, public std::enable_shared_from_this<BeastWebSocket> {
 public:
  BeastWebSocket(Socket socket, const Limits& limits, std::shared_ptr<Feed> feed)
      : limits_(limits),
        feed_(std::move(feed)),
        stream_(std::move(socket)),
        sleep_(stream_.get_executor()),
        write_limit_(stream_.get_executor()) {
    stream_.set_option(Timeouts(limits.handshake_timeout, limits.ping));
  }
  // A coroutine that ends with its loop does not come to its own end.
  ~BeastWebSocket() override { End(); }
  BeastWebSocket(const BeastWebSocket&) = delete;
  BeastWebSocket& operator=(const BeastWebSocket&) = delete;

  Task<void> Run(const api::Request& head) override;
  void Close() override {
    stops_ = true;
    Wake();
  }

 private:
  Task<void> Talk();
  Task<bool> Write(const std::string& text);
  static Task<void> Listen(std::shared_ptr<BeastWebSocket> self);

  void Wake() {
    woken_ = true;
    sleep_.cancel();
  }
  void End() {
    if (feed_ != nullptr) std::exchange(feed_, nullptr)->End();
  }
  void Cut() {
    ErrorCode ignored;
    stream_.next_layer().close(ignored);
  }

  const Limits limits_;
  std::shared_ptr<Feed> feed_;  // Null: it was told of the end.
  websocket::stream<Socket> stream_;
  Timer sleep_;
  Timer write_limit_;
  std::uint64_t writes_ = 0;
  bool stops_ = false;  // The server does.
  bool client_gone_ = false;
  bool woken_ = false;  // Since the feed was asked.
};

// The fields of the handshake alone: the rest of the request was the handler's.
http::request<http::empty_body> HandshakeOf(const api::Request& head) {
  http::request<http::empty_body> request(http::verb::get, "/", 11);
  for (const char* const name : {"host", "connection", "upgrade", "sec-websocket-key",
                                 "sec-websocket-version", "sec-websocket-protocol"}) {
    const std::string_view value = head.Header(name);
    if (!value.empty()) request.set(name, beast::string_view(value.data(), value.size()));
  }
  return request;
}

Task<void> BeastWebSocket::Run(const api::Request& head) {
  const auto handshake = HandshakeOf(head);
  const auto [ec] = co_await stream_.async_accept(handshake, kAwaitTuple);
  if (!ec) {
    feed_->Begin([weak = weak_from_this(), executor = stream_.get_executor()] {
      asio::post(executor, [weak] {
        if (const auto self = weak.lock()) self->Wake();
      });
    });
    asio::co_spawn(stream_.get_executor(), Listen(shared_from_this()), asio::detached);
    co_await Talk();
  }
  End();
  Cut();
}

// Reads until the client ends it, so that pings, pongs and its close are answered.
Task<void> BeastWebSocket::Listen(std::shared_ptr<BeastWebSocket> self) {
  std::array<char, kDroppedBytes> dropped{};
  while (true) {
    const auto buffer = asio::buffer(dropped);
    const auto [ec, size] = co_await self->stream_.async_read_some(buffer, kAwaitTuple);
    if (ec) break;
  }
  self->client_gone_ = true;
  self->Wake();
}

Task<bool> BeastWebSocket::Write(const std::string& text) {
  const std::uint64_t write = ++writes_;
  write_limit_.expires_after(limits_.write_timeout);
  write_limit_.async_wait([weak = weak_from_this(), write](const ErrorCode& over) {
    const auto self = weak.lock();
    if (!over && self != nullptr && self->writes_ == write) self->Cut();
  });
  const auto buffer = asio::buffer(text);
  const auto [ec, size] = co_await stream_.async_write(buffer, kAwaitTuple);
  ++writes_;
  write_limit_.cancel();
  co_return !ec;
}

// Sends until the end, and says why it ends.
Task<void> BeastWebSocket::Talk() {
  stream_.text(true);
  const auto ends_at = SteadyClock::now() + limits_.duration;
  while (!client_gone_ && !stops_ && SteadyClock::now() < ends_at) {
    woken_ = false;
    const Feed::Next next = feed_->Take();
    if (!next.text.empty()) {
      const bool written = co_await Write(next.text);
      if (!written) co_return;
      continue;
    }
    if (woken_) continue;
    sleep_.expires_at(std::min(next.not_before, ends_at));
    co_await sleep_.async_wait(kAwaitTuple);
  }
  if (client_gone_) co_return;
  stream_.set_option(Timeouts(kCloseTimeout, limits_.ping));
  const websocket::close_reason reason(
      stops_ ? websocket::close_code::going_away : websocket::close_code::normal,
      stops_ ? "the gateway stops" : "limits.tail_duration is over");
  co_await stream_.async_close(reason, kAwaitTuple);
}

}  // namespace

std::shared_ptr<WebSocket> NewWebSocket(WebSocket::Socket socket, const WebSocket::Limits& limits,
                                        std::shared_ptr<Feed> feed) {
  return std::make_shared<BeastWebSocket>(std::move(socket), limits, std::move(feed));
}

bool AsksForWebSocket(const api::Request& head) {
  const auto has = [&head](std::string_view field, const char* token) {
    const std::string_view value = head.Header(field);
    return http::token_list(beast::string_view(value.data(), value.size())).exists(token);
  };
  return has("upgrade", "websocket") && has("connection", "upgrade");
}

}  // namespace throughline::gateway
