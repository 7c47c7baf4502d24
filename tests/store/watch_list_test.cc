#include "store/watch_list.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace throughline::store {
namespace {

constexpr TraceId kTrace{.high = 1, .low = 2};

std::unique_ptr<Store::WatchHandle> Add(WatchList& list, TraceId id,
                                        std::function<void()> callback) {
  auto handle = list.Add("tenant", id, std::move(callback));
  EXPECT_TRUE(handle);
  return std::move(handle).value();
}

TEST(WatchListTest, CallsThoseWhoseIdLinks) {
  struct Case {
    TraceId watched;
    TraceId stored;
    bool called;
  };
  constexpr Case kCases[] = {
      {{1, 2}, {1, 2}, true},  {{1, 2}, {0, 2}, true},  {{0, 2}, {1, 2}, true},
      {{1, 2}, {3, 2}, false}, {{1, 2}, {1, 3}, false}, {{1, 0}, {1, 0}, true},
      {{1, 0}, {2, 0}, false},
  };
  for (const Case& test : kCases) {
    WatchList list(10);
    int calls = 0;
    const auto handle = Add(list, test.watched, [&calls] { ++calls; });
    list.Notify("another", test.stored);
    EXPECT_EQ(calls, 0);
    list.Notify("tenant", test.stored);
    EXPECT_EQ(calls, test.called ? 1 : 0)
        << ToHex(test.watched) << " against " << ToHex(test.stored);
  }
}

TEST(WatchListTest, IsBounded) {
  WatchList list(2);
  EXPECT_TRUE(list.empty());
  auto first = Add(list, kTrace, [] {});
  const auto second = Add(list, kTrace, [] {});
  const auto third = list.Add("tenant", kTrace, [] {});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::kOverloaded);
  EXPECT_EQ(list.size(), 2U);
  first.reset();
  EXPECT_EQ(list.size(), 1U);
  EXPECT_TRUE(list.Add("tenant", kTrace, [] {}));
}

TEST(WatchListTest, TheHandleWaitsForACallUnderWay) {
  WatchList list(10);
  std::promise<void> entered;
  std::promise<void> leave;
  std::atomic<bool> returned = false;
  auto handle = Add(list, kTrace, [&] {
    entered.set_value();
    leave.get_future().wait();
    returned = true;
  });
  std::thread notifier([&list] { list.Notify("tenant", kTrace); });
  entered.get_future().wait();
  std::thread destroyer([&] {
    handle.reset();
    EXPECT_TRUE(returned);  // What the callback uses may go now.
  });
  // Removed before it waits, so the list says when the destructor is there.
  while (!list.empty()) std::this_thread::yield();
  EXPECT_FALSE(returned);
  leave.set_value();
  destroyer.join();
  notifier.join();
}

TEST(WatchListTest, ACallbackMayDestroyItsHandle) {
  WatchList list(10);
  int calls = 0;
  std::unique_ptr<Store::WatchHandle> handle;
  handle = Add(list, kTrace, [&] {
    ++calls;
    handle.reset();
  });
  list.Notify("tenant", kTrace);
  list.Notify("tenant", kTrace);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(list.empty());
}

TEST(WatchListTest, ACallbackMayDestroyAnotherHandle) {
  WatchList list(10);
  int calls = 0;
  std::unique_ptr<Store::WatchHandle> handles[2];
  for (std::size_t i = 0; i < 2; ++i) {
    handles[i] = Add(list, kTrace, [&calls, &handles, i] {
      ++calls;
      handles[1 - i].reset();
    });
  }
  list.Notify("tenant", kTrace);
  EXPECT_EQ(calls, 1);  // The other one is gone before its turn.
  EXPECT_EQ(list.size(), 1U);
}

TEST(WatchListTest, HandlesOutliveTheList) {
  auto list = std::make_unique<WatchList>(10);
  const auto handle = Add(*list, kTrace, [] {});
  list.reset();
}

TEST(WatchListTest, ManyThreadsComeAndGo) {
  constexpr int kThreads = 3;
  constexpr int kWatches = 300;
  WatchList list(10);
  std::atomic<bool> done = false;
  std::thread notifier([&] {
    while (!done) list.Notify("tenant", kTrace);
  });
  std::vector<std::thread> watchers;
  for (int i = 0; i < kThreads; ++i) {
    watchers.emplace_back([&list] {
      for (int j = 0; j < kWatches; ++j) {
        auto alive = std::make_unique<std::atomic<int>>(0);
        auto handle = Add(list, kTrace, [calls = alive.get()] { ++*calls; });
        handle.reset();
        alive.reset();  // ASan and TSan would see a call after this.
      }
    });
  }
  for (std::thread& watcher : watchers) watcher.join();
  done = true;
  notifier.join();
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace throughline::store
