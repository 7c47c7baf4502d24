// The threads that look things up, so that no event loop waits for the store.
//
// A bounded queue in front of N threads; when it is full Submit refuses at once, and the caller
// tells its client to come back later.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace throughline::gateway {

class ReadPool {
 public:
  struct Limits {
    std::size_t read_threads = 2;
    std::size_t read_queue = 256;  // Waiting.
  };
  struct Stats {
    std::size_t waiting = 0;
    std::uint64_t refused = 0;
  };

  explicit ReadPool(const Limits& limits);
  ~ReadPool();
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  // Runs `work` on one of the threads; it must not throw. False: the queue is full, or Stop() was
  // called, and `work` is destroyed unrun. Any thread.
  [[nodiscard]] bool Submit(std::function<void()> work);

  // Runs what waits, then joins the threads.
  void Stop();

  Stats GetStats() const;

 private:
  void Run();

  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;  // Guarded by mutex_, as the two below.
  std::uint64_t refused_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // Last: they start when all above is there.
};

}  // namespace throughline::gateway
