#include "store/maintainer.h"

#include <algorithm>
#include <utility>

#include "correlate/thread_name.h"

namespace throughline::store {
namespace {

constexpr std::chrono::milliseconds kFirstRetry{1000};

}  // namespace

void Maintainer::Start(Store& store, const Clock& clock, After after) {
  thread_ =
      std::thread([this, &store, &clock, after = std::move(after)] { Run(store, clock, after); });
}

void Maintainer::Wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_due_ = true;
  woken_.notify_one();
}

void Maintainer::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    woken_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Maintainer::Run(Store& store, const Clock& clock, const After& after) {
  NameThread("maintain");
  std::chrono::milliseconds wait{0};  // At once: a start may find work.
  std::chrono::milliseconds retry = kFirstRetry;
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      // What woke it while the last try had failed waits as long: it is the same work.
      woken_.wait_for(lock, wait, [&] { return stopping_ || (is_due_ && retry == kFirstRetry); });
      if (stopping_) return;
      is_due_ = false;
    }
    const std::uint64_t now = clock.NowUnixNs();
    const auto done = store.Maintain(now);
    stats_.runs.fetch_add(1, std::memory_order_relaxed);
    if (after) after(done, now);
    wait = options_.period;
    if (done) {
      retry = kFirstRetry;
      continue;
    }
    stats_.failures.fetch_add(1, std::memory_order_relaxed);
    if (options_.on_error) options_.on_error(done.error());
    wait = std::min(retry, options_.period);
    retry = std::min(2 * retry, options_.period);
  }
}

}  // namespace throughline::store
