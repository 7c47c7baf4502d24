// Owns the one thread that calls Store::Maintain: when it is woken, and once a period.
//
// After an error it tries again, after a second at first and then twice as long each time, up to
// the period. The thread has no lower priority than others: intake would wait for it in the end.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "correlate/clock.h"
#include "correlate/result.h"
#include "correlate/store.h"

namespace throughline::store {

class Maintainer {
 public:
  struct Options {
    std::chrono::milliseconds period{60'000};
    std::function<void(const Error& error)> on_error = {};  // On the thread.
  };
  struct Stats {
    std::atomic<std::uint64_t> runs{0};
    std::atomic<std::uint64_t> failures{0};
  };

  explicit Maintainer(Options options) : options_(std::move(options)) {}
  Maintainer(const Maintainer&) = delete;
  Maintainer& operator=(const Maintainer&) = delete;
  ~Maintainer() { Stop(); }

  // Called on the thread after each run, with what it gave and when it began. What more there is to
  // do on it, now that all that waited is sealed.
  using After = std::function<void(const Result<void>& maintained, std::uint64_t now_unix_ns)>;
  // Once. All outlive the thread; `after` may be empty.
  void Start(Store& store, const Clock& clock, After after = {});
  // There is something to do. Any thread, before Start and after Stop too.
  void Wake();
  // Waits for what is under way.
  void Stop();

  const Stats& stats() const { return stats_; }

 private:
  void Run(Store& store, const Clock& clock, const After& after);

  const Options options_;
  Stats stats_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool is_due_ = false;    // Guarded by mutex_.
  bool stopping_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace throughline::store
