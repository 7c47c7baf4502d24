// One websocket on a loop of the HTTP server: sends what a Feed has until either side ends it.
//
// A client is pinged, and cut off when nothing comes from it for two pings or a text is not taken
// in time. Memory is one text and the socket's buffers: what a client sends is dropped as it comes.
// Everything runs on the connection's loop but what wakes it. Beast's websocket stays in
// websocket.cc; the HTTP server alone includes this.
// Source: RFC 6455.
#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "api/http.h"
#include "gateway/feed.h"

namespace throughline::gateway {

class WebSocket {
 public:
  // Concrete executors, as the server's.
  using Executor = boost::asio::io_context::executor_type;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

  struct Limits {
    std::chrono::milliseconds handshake_timeout{20'000};
    std::chrono::milliseconds ping{30'000};  // Of silence before a ping, and as long after.
    std::chrono::milliseconds write_timeout{20'000};  // For a whole text.
    std::chrono::milliseconds duration{3'600'000};    // Then it is closed, with 1000.
  };

  virtual ~WebSocket() = default;

  // Answers the handshake that `head` asks for, and goes on until the end. Once; the object must
  // outlive it.
  virtual boost::asio::awaitable<void, Executor> Run(const api::Request& head) = 0;
  // Closes with 1001: the server stops. Also before Run.
  virtual void Close() = 0;
};

std::shared_ptr<WebSocket> NewWebSocket(WebSocket::Socket socket, const WebSocket::Limits& limits,
                                        std::shared_ptr<Feed> feed);

}  // namespace throughline::gateway
