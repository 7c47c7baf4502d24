#include "gateway/read_pool.h"

#include <utility>

#include "correlate/check.h"
#include "correlate/thread_name.h"

namespace throughline::gateway {

ReadPool::ReadPool(const Limits& limits) : limits_(limits) {
  TL_CHECK(limits.read_threads > 0);
  for (std::size_t i = 0; i < limits.read_threads; ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

ReadPool::~ReadPool() { Stop(); }

bool ReadPool::Submit(std::function<void()> work) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_ || queue_.size() >= limits_.read_queue) {
      ++refused_;
      return false;
    }
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void ReadPool::Run() {
  NameThread("read");
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    {
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }
    lock.lock();
  }
}

void ReadPool::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

ReadPool::Stats ReadPool::GetStats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {.waiting = queue_.size(), .refused = refused_};
}

}  // namespace throughline::gateway
