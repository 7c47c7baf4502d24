#include "gateway/http_loop.h"

#include <sys/socket.h>

#include <array>
#include <ctime>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "gateway/http_session.h"

namespace throughline::gateway {

namespace {

constexpr std::chrono::milliseconds kSweep{250};  // How exact timeouts are.

Task<void> RunSession(HttpLoop& loop, Door door, Socket socket) {
  HttpSession session(loop, door, std::move(socket));
  co_await session.Run();
}

}  // namespace

void HttpLoop::SetDate() {
  std::array<char, 64> text{};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  const std::size_t size =
      std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
  date.assign(text.data(), size);
}

void HttpLoop::Sweep() {
  sweep.expires_after(kSweep);
  sweep.async_wait([this](const ErrorCode& ec) {
    if (ec) return;
    SetDate();
    const TimePoint now = SteadyClock::now();
    for (HttpSession* const session : sessions) session->Expire(now);
    Sweep();
  });
}

// Accepts until the acceptor is closed.
void HttpLoop::Accept(Door door, Acceptor& acceptor) {
  acceptor.async_accept([this, door, &acceptor](const ErrorCode& ec, Socket socket) {
    if (ec == asio::error::operation_aborted || !acceptor.is_open()) return;
    if (ec) {  // Out of descriptors: the next sweep may find some free.
      auto timer = std::make_shared<Timer>(context, kSweep);
      timer->async_wait([this, door, &acceptor, timer](const ErrorCode& late) {
        if (!late && acceptor.is_open()) Accept(door, acceptor);
      });
      return;
    }
    shared.accepted.fetch_add(1, std::memory_order_relaxed);
    ErrorCode ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.native_non_blocking(true, ignored);
    const bool room =
        shared.connections.fetch_add(1, std::memory_order_relaxed) < shared.limits.connections;
    if (room) {
      asio::co_spawn(context, RunSession(*this, door, std::move(socket)), asio::detached);
    } else {
      static constexpr std::string_view kFull =
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
          "Connection: close\r\n\r\n";
      shared.refused.fetch_add(1, std::memory_order_relaxed);
      (void)!::send(socket.native_handle(), kFull.data(), kFull.size(), MSG_NOSIGNAL);
      shared.CloseOne();
    }
    Accept(door, acceptor);
  });
}

}  // namespace throughline::gateway
