// What stands behind a stream door in its tests: a store that can be held, its writer, an intake.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/attribute.h"
#include "correlate/ids.h"
#include "gateway/ingest.h"
#include "gateway/streams.h"
#include "tests/gateway/raw_client.h"
#include "tests/store/held_store.h"

namespace throughline::gateway {

class StreamDoorTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kNow = 1'795'382'164'000'000'000;  // 2026-11-22T21:16:04Z
  static constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";

  explicit StreamDoorTest(store::Writer::Limits limits = {})
      : writer_(store_, limits),
        ingest_({.hash_seed = 7}, writer_, clock_, metrics_, tenants_),
        id_(Resolve(kTrace, Strictness::kLookup, KeyKind::kNone).trace_id) {
    watch_ = std::move(store_.Watch(Scope(), id_, [this] {
               const std::lock_guard<std::mutex> lock(mutex_);
               changed_.notify_all();
             })).value();
  }
  // In the order of the process: servers were stopped by the test or its members.
  void TearDown() override {
    store_.ReleaseAll();
    StopServers();
    streams_.Stop();
    writer_.Stop();
    watch_.reset();
  }
  virtual void StopServers() = 0;

  // The texts of the trace's lines, once there are as many.
  std::vector<std::string> AwaitBodies(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      LogQuery query;
      query.trace_id = id_;
      query.limit = 100'000;
      found_ = std::move(store_.FindLogs(Scope(), query)).value();
      if (found_.records.logs.size() >= count) break;
      if (changed_.wait_for(lock, std::chrono::seconds(30)) == std::cv_status::timeout) break;
    }
    std::vector<std::string> bodies;
    for (const LogLine& line : found_.records.logs) bodies.push_back(ValueText(line.body));
    return bodies;
  }
  // Of what AwaitBodies found.
  const LogLine& line(std::size_t i) const { return found_.records.logs.at(i); }
  std::string attribute(std::size_t i, std::string_view key) const {
    for (const Attribute& attribute : found_.records.Of(line(i).attributes)) {
      if (attribute.key() == key) return ValueText(attribute.value());
    }
    return {};
  }

  // For counters, which nobody announces: records are visible before they are counted.
  template <typename Predicate>
  static bool Eventually(Predicate predicate) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!predicate()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  class FixedClock final : public Clock {
   public:
    std::uint64_t NowUnixNs() const override { return kNow; }
  };

  store::HeldStore store_;
  FixedClock clock_;
  Metrics metrics_{1};
  Tenants tenants_{{}};
  Streams streams_;  // Outlives the writer, whose answers are posted to it.
  store::Writer writer_;
  Ingest ingest_;
  const TraceId id_;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<Store::WatchHandle> watch_;
  RecordPage found_;
};

}  // namespace throughline::gateway
