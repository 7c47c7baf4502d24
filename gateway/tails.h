// Loki's tail: lines as they are stored, to whoever asked for them over a websocket.
//
// The writer hands over each batch once it is committed (store::Writer::OnStored). So a tail asks
// the store for what was there before and never again, and shows lines whatever their own time
// says; asking again and again would need an order by arrival, which the store does not keep. One
// read thread at a time runs the lines of waiting batches through the queries of the tails; each
// tail has a queue of lines of its own, which its connection empties as fast as its client reads.
//
// Bounds: Limits. What they drop is said to the tails that miss it (dropped_entries), and counted.
// A batch that was stored already, a retry, is passed by; of one that is stored in part all lines
// are shown.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/http.h"
#include "api/links/handlers.h"
#include "correlate/clock.h"
#include "correlate/store.h"
#include "gateway/http_server.h"
#include "gateway/read_pool.h"

namespace throughline::gateway {

class Tails {
 public:
  struct Limits {
    std::size_t tails = 32;                 // Open at once: 429.
    std::size_t line_bytes = 4UL << 20U;    // Of the lines that wait for a client: dropped.
    std::size_t batch_bytes = 64UL << 20U;  // Of batches that wait to be looked at: passed by.
    std::chrono::nanoseconds lookup_deadline = std::chrono::seconds(10);  // Of reading what was.
  };
  struct Stats {
    std::uint64_t tails = 0;  // Now.
    std::uint64_t lines_sent = 0;
    std::uint64_t lines_dropped = 0;   // Over line_bytes.
    std::uint64_t batches_passed = 0;  // Over batch_bytes.
  };

  // All must outlive it, and every connection that it was given.
  Tails(const Limits& limits, const api::links::Settings& settings, const Store& store,
        ReadPool& reads, const Clock& clock);
  ~Tails();
  Tails(const Tails&) = delete;
  Tails& operator=(const Tails&) = delete;

  // On the loop of the connection. The request has its query.
  void Handle(api::Request request, const Reply& reply);

  // On the writer's thread.
  void OnStored(const Appending& appending, const Appended& appended);

  Stats GetStats() const;

 private:
  class Tail;

  void ReadHistory(Tail& tail);
  void Submit();
  void Work();
  void Show(const Appending& batch);
  void PassBy(const Appending& batch);
  std::vector<std::shared_ptr<Tail>> TailsOf(const std::string& tenant) const;

  const Limits limits_;
  const api::links::Settings& settings_;
  const Store& store_;
  ReadPool& reads_;
  const Clock& clock_;
  std::atomic<std::uint64_t> lines_sent_{0};
  std::atomic<std::uint64_t> lines_dropped_{0};
  std::atomic<std::uint64_t> batches_passed_{0};
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Tail>> tails_;  // Guarded by mutex_, as all below.
  std::deque<Appending> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool working_ = false;  // A read thread has them, or will.
};

}  // namespace throughline::gateway
