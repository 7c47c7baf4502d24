#include "store/writer.h"

#include <string>
#include <utility>

#include "correlate/check.h"
#include "correlate/thread_name.h"

namespace throughline::store {
namespace {

void Add(std::atomic<std::uint64_t>& counter, std::uint64_t value) {
  counter.fetch_add(value, std::memory_order_relaxed);
}

std::string Of(std::size_t used, std::size_t limit) {
  return std::to_string(used) + " of " + std::to_string(limit);
}

}  // namespace

Writer::Writer(Store& store, Limits limits, OnStored on_stored)
    : store_(store),
      limits_(limits),
      on_stored_(std::move(on_stored)),
      thread_([this] { Run(); }) {}

Writer::~Writer() { Stop(); }

Result<void> Writer::Submit(Appending appending, Done done) {
  TL_CHECK(appending.batch != nullptr && done != nullptr);
  Item item;
  item.appending = std::move(appending);
  item.done = std::move(done);
  item.records = item.appending.batch->record_count();
  item.bytes = item.appending.batch->size_bytes();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error{Errc::kUnavailable, "shutting down"};
    const bool fits = waiting_records_ + item.records <= limits_.queue_records &&
                      waiting_bytes_ + item.bytes <= limits_.queue_bytes;
    if (!queue_.empty() && !fits) {
      Add(stats_.overloaded_batches, 1);
      return Error{Errc::kOverloaded,
                   "the queue is full: " + Of(waiting_records_, limits_.queue_records) +
                       " records, " + Of(waiting_bytes_, limits_.queue_bytes) + " bytes wait"};
    }
    waiting_records_ += item.records;
    waiting_bytes_ += item.bytes;
    stats_.waiting_records = waiting_records_;
    stats_.waiting_bytes = waiting_bytes_;
    Add(stats_.submitted_batches, 1);
    queue_.push_back(std::move(item));
  }
  wake_.notify_one();
  return {};
}

Result<void> Writer::Do(std::function<void()> work) {
  TL_CHECK(work != nullptr);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error{Errc::kUnavailable, "shutting down"};
    if (waiting_works_ >= kWorksWaiting) {
      return Error{Errc::kOverloaded,
                   std::to_string(kWorksWaiting) + " works wait for the writer already"};
    }
    ++waiting_works_;
    queue_.emplace_back().work = std::move(work);
  }
  wake_.notify_one();
  return {};
}

void Writer::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  std::call_once(joined_, [this] { thread_.join(); });
}

void Writer::Run() {
  NameThread("write");
  for (;;) {
    std::vector<Item> items = Take();
    if (items.empty()) return;
    if (items.front().work != nullptr) {
      items.front().work();
      continue;
    }
    Commit(std::move(items));
  }
}

std::vector<Writer::Item> Writer::Take() {
  std::vector<Item> items;
  std::size_t records = 0;
  std::size_t bytes = 0;
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  while (!queue_.empty()) {
    Item& next = queue_.front();
    if (next.work != nullptr) {
      if (!items.empty()) break;
      --waiting_works_;
      items.push_back(std::move(next));
      queue_.pop_front();
      break;
    }
    if (!items.empty() && (records + next.records > limits_.commit_records ||
                           bytes + next.bytes > limits_.commit_bytes)) {
      break;
    }
    records += next.records;
    bytes += next.bytes;
    items.push_back(std::move(next));
    queue_.pop_front();
  }
  waiting_records_ -= records;
  waiting_bytes_ -= bytes;
  stats_.waiting_records = waiting_records_;
  stats_.waiting_bytes = waiting_bytes_;
  stats_.committing_records = records;
  stats_.committing_bytes = bytes;
  return items;
}

void Writer::Commit(std::vector<Item> items) {
  if (items.size() == 1) {
    CommitAlone(items.front());
  } else if (!CommitTogether(items)) {
    for (Item& item : items) CommitAlone(item);
  }
  stats_.committing_records = 0;
  stats_.committing_bytes = 0;
}

bool Writer::CommitTogether(std::vector<Item>& items) {
  std::vector<Appending> appendings;
  appendings.reserve(items.size());
  for (const Item& item : items) appendings.push_back(item.appending);
  Result<std::vector<Appended>> results = store_.Append(appendings);
  if (!results) return false;
  TL_CHECK(results->size() == items.size());
  appendings.clear();
  Add(stats_.commits, 1);
  for (std::size_t i = 0; i < items.size(); ++i) Answer(items[i], (*results)[i]);
  return true;
}

void Writer::CommitAlone(Item& item) {
  Result<std::vector<Appended>> results = store_.Append({&item.appending, 1});
  if (!results) {
    Answer(item, std::move(results).error());
    return;
  }
  TL_CHECK(results->size() == 1);
  Add(stats_.commits, 1);
  Answer(item, results->front());
}

void Writer::Answer(Item& item, Result<Appended> result) {
  if (result) {
    Add(stats_.committed_batches, 1);
    Add(stats_.stored_spans, result->spans);
    Add(stats_.stored_logs, result->logs);
    Add(stats_.stored_exemplars, result->exemplars);
    Add(stats_.stored_gauges, result->gauges);
    Add(stats_.deduplicated_spans, result->deduplicated_spans);
    Add(stats_.deduplicated_logs, result->deduplicated_logs);
    Add(stats_.deduplicated_exemplars, result->deduplicated_exemplars);
    Add(stats_.deduplicated_gauges, result->deduplicated_gauges);
    if (on_stored_) on_stored_(item.appending, *result);
  } else {
    Add(stats_.failed_batches, 1);
  }
  item.appending.batch.reset();
  const Done done = std::exchange(item.done, nullptr);
  done(std::move(result));
}

}  // namespace throughline::store
