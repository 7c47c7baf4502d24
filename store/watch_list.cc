#include "store/watch_list.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace throughline::store {

struct WatchList::Watch {
  std::string tenant;
  TraceId id;
  std::function<void()> callback;
  bool running = false;    // Guarded by State::mutex, as the two below.
  bool removed = false;    // No further call begins.
  std::thread::id runner;  // While running.
};

struct WatchList::State {
  explicit State(std::size_t max) : limit(max) {}

  const std::size_t limit;
  mutable std::mutex mutex;
  std::condition_variable returned;
  // By the low half of the id, which all that links has in common. Guarded by mutex.
  std::unordered_multimap<std::uint64_t, std::shared_ptr<Watch>> watches;
};

class WatchList::Handle final : public Store::WatchHandle {
 public:
  Handle(std::shared_ptr<State> state, std::shared_ptr<Watch> watch)
      : state_(std::move(state)), watch_(std::move(watch)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  ~Handle() override {
    std::unique_lock lock(state_->mutex);
    watch_->removed = true;
    const auto [begin, end] = state_->watches.equal_range(watch_->id.low);
    for (auto at = begin; at != end; ++at) {
      if (at->second != watch_) continue;
      state_->watches.erase(at);
      break;
    }
    state_->returned.wait(
        lock, [this] { return !watch_->running || watch_->runner == std::this_thread::get_id(); });
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Watch> watch_;
};

WatchList::WatchList(std::size_t limit) : state_(std::make_shared<State>(limit)) {}

WatchList::~WatchList() = default;

Result<std::unique_ptr<Store::WatchHandle>> WatchList::Add(std::string_view tenant, TraceId id,
                                                           std::function<void()> callback) {
  auto watch = std::make_shared<Watch>();
  watch->tenant = tenant;
  watch->id = id;
  watch->callback = std::move(callback);
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->watches.size() >= state_->limit) {
      return Error{Errc::kOverloaded,
                   "limits.watches " + std::to_string(state_->limit) + " are in use"};
    }
    state_->watches.emplace(id.low, watch);
  }
  return std::unique_ptr<Store::WatchHandle>(std::make_unique<Handle>(state_, std::move(watch)));
}

void WatchList::Notify(std::string_view tenant, TraceId id) {
  const std::shared_ptr<State> state = state_;
  std::unique_lock lock(state->mutex);
  std::vector<std::shared_ptr<Watch>> called;
  const auto [begin, end] = state->watches.equal_range(id.low);
  for (auto at = begin; at != end; ++at) {
    if (at->second->tenant == tenant && SameTrace(at->second->id, id)) called.push_back(at->second);
  }
  for (const std::shared_ptr<Watch>& watch : called) {
    if (watch->removed) continue;
    watch->running = true;
    watch->runner = std::this_thread::get_id();
    lock.unlock();
    watch->callback();
    lock.lock();
    watch->running = false;
    state->returned.notify_all();
  }
}

std::size_t WatchList::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->watches.size();
}

}  // namespace throughline::store
