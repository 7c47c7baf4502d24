// The loops of the HTTP server, each with a thread, and what they share.
//
// Private to the HTTP server.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include "gateway/http_asio.h"
#include "gateway/http_server.h"

namespace throughline::gateway {

class HttpSession;

// What all loops share.
struct HttpShared {
  HttpShared(const ServerLimits& the_limits, RequestHandler& the_handler)
      : limits(the_limits), handler(the_handler) {}

  // Takes `bytes` of the budget for bodies, or nothing.
  bool TakeInflight(std::size_t bytes) {
    const std::size_t before = inflight_bytes.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= limits.inflight_bytes) return true;
    inflight_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  void CloseOne() {
    const std::lock_guard<std::mutex> lock(mutex);
    connections.fetch_sub(1, std::memory_order_relaxed);
    closed.notify_all();
  }

  const ServerLimits limits;
  RequestHandler& handler;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> inflight_bytes{0};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::mutex mutex;
  std::condition_variable closed;  // With mutex: connections fell.
};

// One thread's worth of the server.
struct HttpLoop {
  explicit HttpLoop(HttpShared& the_shared) : shared(the_shared), sweep(context) { SetDate(); }

  void Sweep();
  void SetDate();
  void Accept(Door door, Acceptor& acceptor);

  HttpShared& shared;
  std::unordered_set<HttpSession*> sessions;  // Before context: sessions end with it.
  std::string date;                           // "Date: ...\r\n", at most a sweep old.
  asio::io_context context{1};
  Timer sweep;
  std::list<std::pair<Door, Acceptor>> acceptors;
  std::thread thread;
};

}  // namespace throughline::gateway
