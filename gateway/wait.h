// Requests that wait for records which have not come yet: ?wait= of lookups, ?pending= of enrich.
//
// A waiting request holds watches of the store and a timer on its connection's loop, and no thread.
// Watches are set before the store is asked for the first time, so nothing is missed. When what it
// waits for is there, or its patience is over, its answer is made on a read thread as any other.
//
// Bounds: limits.watches (429), limits.wait_seconds (the caller caps patience by it).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "api/http.h"
#include "correlate/clock.h"
#include "correlate/store.h"
#include "gateway/http_server.h"
#include "gateway/read_pool.h"

namespace boost::asio {
class io_context;
}

namespace throughline::gateway {

// Until when a request waits.
enum class WaitFor : std::uint8_t {
  kFirstRecord,  // Of any of its ids.
  kQuiet,        // Until a record is there and none came for a second: the trace is complete.
  kEveryId,      // Until each of its ids has a record.
};

struct Waiting {
  Scope scope;
  std::vector<TraceId> ids;  // At least one.
  WaitFor until = WaitFor::kFirstRecord;
  std::chrono::nanoseconds patience{0};
  std::function<api::Response()> answer;  // Called once, on a read thread.
};

class WaitRoom {
 public:
  // All must outlive it, and the loops that it is used with.
  WaitRoom(Store& store, ReadPool& reads, const Clock& clock)
      : store_(store), reads_(reads), clock_(clock) {}
  ~WaitRoom();
  WaitRoom(const WaitRoom&) = delete;
  WaitRoom& operator=(const WaitRoom&) = delete;

  // On a thread of `loop`, that of the connection.
  void Hold(Waiting waiting, boost::asio::io_context& loop, Respond respond);

  // Lets all go with what there is, now and from now on: the process stops. Any thread.
  void Drain();

  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  class Waiter;

  Store& store_;
  ReadPool& reads_;
  const Clock& clock_;
  std::atomic<std::size_t> waiting_{0};
  std::mutex mutex_;
  std::unordered_set<Waiter*> waiters_;  // Guarded by mutex_, as the next.
  bool draining_ = false;
};

// "5s", "200ms", "1m" or "5" (seconds), at most `most`; kInvalidArgument otherwise.
Result<std::chrono::nanoseconds> ParsePatience(std::string_view text,
                                               std::chrono::nanoseconds most);

// The problem that a full read queue gives.
api::Response ReadQueueFull();

}  // namespace throughline::gateway
