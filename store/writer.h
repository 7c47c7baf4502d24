// Owns the one thread that writes to a Store.
//
// Batches wait in a bounded queue. The thread takes everything that is there, up to the commit
// limits, and appends it as one transaction: the busier the gateway, the larger the transaction and
// the cheaper each record; the idle one waits for nobody. When the queue is full Submit refuses at
// once, and the caller tells its client to come back later. Nothing else in the gateway buffers.
//
// An append that fails fails whole; then each of its batches is appended alone, so that the one
// that cannot be stored (a tenant too many) does not cost the others.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "correlate/result.h"
#include "correlate/store.h"

namespace throughline::store {

class Writer {
 public:
  struct Limits {
    // Waiting, over all batches. A batch larger than these is taken when nothing waits.
    std::size_t queue_records = 200'000;
    std::size_t queue_bytes = 32U << 20U;  // By Batch::size_bytes.
    // In one transaction, unless one batch is larger.
    std::size_t commit_records = 20'000;
    std::size_t commit_bytes = 8U << 20U;
  };

  // Counters are in all since the start; `waiting_` and `committing_` are of now.
  struct Stats {
    std::atomic<std::uint64_t> submitted_batches{0};  // Taken into the queue.
    std::atomic<std::uint64_t> overloaded_batches{0};
    std::atomic<std::uint64_t> committed_batches{0};
    std::atomic<std::uint64_t> failed_batches{0};
    std::atomic<std::uint64_t> commits{0};  // Successful appends, each of one or more batches.
    std::atomic<std::uint64_t> stored_spans{0};
    std::atomic<std::uint64_t> stored_logs{0};
    std::atomic<std::uint64_t> stored_exemplars{0};
    std::atomic<std::uint64_t> stored_gauges{0};
    std::atomic<std::uint64_t> deduplicated_spans{0};
    std::atomic<std::uint64_t> deduplicated_logs{0};
    std::atomic<std::uint64_t> deduplicated_exemplars{0};
    std::atomic<std::uint64_t> deduplicated_gauges{0};
    std::atomic<std::uint64_t> waiting_records{0};
    std::atomic<std::uint64_t> waiting_bytes{0};
    std::atomic<std::uint64_t> committing_records{0};
    std::atomic<std::uint64_t> committing_bytes{0};
  };

  // Called once, on the writer thread, when the batch is durable and visible, or has failed. Must
  // be quick, and must not call Stop. The writer has let go of the batch by then.
  using Done = std::function<void(Result<Appended>)>;

  // Called on the writer thread for each batch that is stored, before its Done; must be quick, and
  // must not call Stop. For those who look at records as they come.
  using OnStored = std::function<void(const Appending&, const Appended&)>;

  // `store` outlives the writer, which alone appends to it.
  Writer(Store& store, Limits limits, OnStored on_stored = nullptr);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  // Queues a batch. Any thread, never waits for the store. On an error `done` is dropped without a
  // call: kOverloaded, the queue is full; kUnavailable, Stop was called.
  Result<void> Submit(Appending appending, Done done);

  // Runs `work` on the thread, between two commits and behind all that was submitted before; it
  // must not call Stop, nor throw. Any thread, never waits. On an error `work` is dropped without a
  // call: kOverloaded, kWorksWaiting of them wait; kUnavailable, Stop was called.
  static constexpr std::size_t kWorksWaiting = 16;
  Result<void> Do(std::function<void()> work);

  // Refuses what comes, appends what waits, calls every `done`, ends the thread. Any thread;
  // further calls wait for the first.
  void Stop();

  const Stats& stats() const { return stats_; }

 private:
  struct Item {
    Appending appending;
    Done done;
    std::function<void()> work;  // Instead of the two above.
    std::size_t records = 0;
    std::size_t bytes = 0;
  };

  void Run();
  // Waits for items; none: stopped, and nothing is left.
  std::vector<Item> Take();
  void Commit(std::vector<Item> items);
  // Appends items and answers them; false: it failed, and none is answered.
  bool CommitTogether(std::vector<Item>& items);
  void CommitAlone(Item& item);
  void Answer(Item& item, Result<Appended> result);

  Store& store_;
  const Limits limits_;
  const OnStored on_stored_;  // May be empty.
  Stats stats_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;  // Guarded by mutex_, as the four below.
  std::size_t waiting_records_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t waiting_works_ = 0;
  bool stopping_ = false;
  std::once_flag joined_;
  std::thread thread_;  // Last: starts when everything above is built.
};

}  // namespace throughline::store
