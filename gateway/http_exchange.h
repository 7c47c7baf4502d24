// The way of one request's answer to its connection.
//
// Private to the HTTP server; others hold it as a Reply.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/post.hpp>

#include "api/http.h"
#include "gateway/feed.h"
#include "gateway/http_asio.h"

namespace throughline::gateway {

// A response, or what a websocket sends.
using Answer = std::variant<api::Response, std::shared_ptr<Feed>>;

// Where the answer to a connection's current request is left. Touched on its loop only, but for
// the two constants.
struct HttpSlot {
  explicit HttpSlot(asio::io_context& the_loop)
      : loop(the_loop), loop_thread(std::this_thread::get_id()) {}

  void Deliver(std::uint64_t to_generation, Answer answer) {
    if (to_generation != generation || answered) return;
    answered = std::move(answer);
    if (!waiter) return;
    auto resume = std::move(*waiter);
    waiter.reset();
    std::move(resume)();
  }

  asio::io_context& loop;
  const std::thread::id loop_thread;
  std::uint64_t generation = 0;  // Which request of the connection.
  std::optional<Answer> answered;
  // Boost 1.81: assigning one any_completion_handler to another never returns. Emplace, or move
  // into a new one.
  std::optional<asio::any_completion_handler<void()>> waiter;
};

// One request's answer: see Reply.
class Exchange {
 public:
  Exchange(std::shared_ptr<HttpSlot> slot, std::uint64_t generation)
      : slot_(std::move(slot)), generation_(generation) {}
  ~Exchange() {
    if (answered_.load(std::memory_order_relaxed)) return;
    api::Response dropped;
    dropped.status = 503;
    dropped.content_type = "text/plain";
    dropped.headers.emplace_back("Retry-After", "1");
    dropped.body = "the request was dropped\n";
    Give(std::move(dropped));
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void Give(Answer answer) {
    if (answered_.exchange(true, std::memory_order_relaxed)) return;
    // On the loop, before anybody waits (a handler that answers at once): no detour.
    if (std::this_thread::get_id() == slot_->loop_thread && !slot_->waiter) {
      slot_->Deliver(generation_, std::move(answer));
      return;
    }
    auto deliver = [slot = slot_, generation = generation_, moved = std::move(answer)]() mutable {
      slot->Deliver(generation, std::move(moved));
    };
    asio::post(slot_->loop, std::move(deliver));
  }
  asio::io_context& loop() const { return slot_->loop; }

 private:
  const std::shared_ptr<HttpSlot> slot_;
  const std::uint64_t generation_;
  std::atomic<bool> answered_{false};
};

}  // namespace throughline::gateway
