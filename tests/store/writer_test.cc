// The writer against a store whose commits are held: grouping, bounds, failures, the end.
#include "store/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/store/held_store.h"
#include "tests/store/sample.h"

namespace throughline::store {
namespace {

using testing::ElementsAre;

constexpr TraceId kTrace{.high = 1, .low = 2};

// `count` spans that no other number gives.
Appending Spans(std::uint64_t number, std::uint64_t count, std::string tenant = "default") {
  Sample sample;
  for (std::uint64_t i = 1; i <= count; ++i) {
    sample.Add(SampleSpan{.trace = kTrace, .span = {number * 1000 + i}});
  }
  return {.tenant = std::move(tenant), .batch = sample.Finish(), .arrival_unix_ns = kNow};
}

// The answer to one Submit, or the refusal.
class Answer {
 public:
  Answer() : promise_(std::make_shared<std::promise<Result<Appended>>>()) {}
  Writer::Done done() {
    return [promise = promise_](Result<Appended> result) { promise->set_value(std::move(result)); };
  }
  Result<Appended> Wait() { return promise_->get_future().get(); }

 private:
  std::shared_ptr<std::promise<Result<Appended>>> promise_;  // set_value twice would throw.
};

class WriterTest : public testing::Test {
 protected:
  ~WriterTest() override {
    store_.ReleaseAll();
    writer_.reset();
  }
  void Start(const Writer::Limits& limits) { writer_.emplace(store_, limits); }
  // Submits, expecting to be taken.
  Answer Submit(Appending appending) {
    Answer answer;
    const auto taken = writer_->Submit(std::move(appending), answer.done());
    EXPECT_TRUE(taken) << taken.error().message;
    if (!taken) answer.done()(taken.error());  // Wait() must end.
    return answer;
  }
  // Submits a first batch, and returns when its commit is held: what comes then waits.
  Answer HoldFirst() {
    Answer first = Submit(Spans(1, 1));
    store_.AwaitHeld();
    return first;
  }
  Error ExpectRefused(Appending appending) {
    const auto taken = writer_->Submit(std::move(appending), [](const Result<Appended>&) {
      ADD_FAILURE() << "done was called for a batch that was refused";
    });
    EXPECT_FALSE(taken);
    return taken ? Error() : taken.error();
  }

  HeldStore store_;
  std::optional<Writer> writer_;
};

TEST_F(WriterTest, AnswersWhenTheBatchIsStored) {
  Start({});
  Answer answer = HoldFirst();
  EXPECT_EQ(writer_->stats().committed_batches, 0U);
  EXPECT_EQ(writer_->stats().committing_records, 1U);
  store_.ReleaseOne();
  const auto result = answer.Wait();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->spans, 1U);
  EXPECT_EQ(store_.FindTrace({}, kTrace, {})->records.spans.size(), 1U);
}

TEST_F(WriterTest, WhatIsStoredIsShownBeforeItsAnswer) {
  std::vector<std::uint64_t> shown;
  writer_.emplace(store_, Writer::Limits{},
                  [&](const Appending& appending, const Appended& appended) {
                    EXPECT_EQ(appending.batch->spans.size(), 2U);
                    shown.push_back(appended.spans);
                  });
  store_.Fail("bad", Error{Errc::kUnavailable, "full"});
  store_.ReleaseAll();
  EXPECT_TRUE(Submit(Spans(1, 2)).Wait());
  EXPECT_FALSE(Submit(Spans(2, 2, "bad")).Wait());
  EXPECT_TRUE(Submit(Spans(1, 2)).Wait());  // A retry.
  EXPECT_THAT(shown, ElementsAre(2, 0));
}

TEST_F(WriterTest, WhatWaitsIsOneCommit) {
  Start({});
  Answer first = HoldFirst();
  std::vector<Answer> waiting;
  for (std::uint64_t i = 2; i <= 4; ++i) waiting.push_back(Submit(Spans(i, i)));
  EXPECT_EQ(writer_->stats().waiting_records, 9U);
  EXPECT_GT(writer_->stats().waiting_bytes, 0U);
  store_.ReleaseAll();
  EXPECT_TRUE(first.Wait());
  for (std::uint64_t i = 2; i <= 4; ++i) EXPECT_EQ(waiting[i - 2].Wait()->spans, i);
  EXPECT_THAT(store_.append_sizes(), ElementsAre(1, 3));
  writer_->Stop();
  EXPECT_EQ(writer_->stats().commits, 2U);
  EXPECT_EQ(writer_->stats().submitted_batches, 4U);
  EXPECT_EQ(writer_->stats().committed_batches, 4U);
  EXPECT_EQ(writer_->stats().stored_spans, 10U);
  EXPECT_EQ(writer_->stats().waiting_records, 0U);
  EXPECT_EQ(writer_->stats().waiting_bytes, 0U);
  EXPECT_EQ(writer_->stats().committing_records, 0U);
}

TEST_F(WriterTest, ACommitEndsAtItsRecords) {
  Start({.commit_records = 5});
  Answer first = HoldFirst();
  std::vector<Answer> waiting;
  // 2 + 3 fill one; 6 is more than a commit by itself; 1 + 1 are left.
  for (const std::uint64_t count : {2U, 3U, 6U, 1U, 1U}) {
    waiting.push_back(Submit(Spans(waiting.size() + 2, count)));
  }
  store_.ReleaseAll();
  for (Answer& answer : waiting) EXPECT_TRUE(answer.Wait());
  EXPECT_THAT(store_.append_sizes(), ElementsAre(1, 2, 1, 2));
}

TEST_F(WriterTest, ACommitEndsAtItsBytes) {
  const std::size_t bytes = Spans(9, 1).batch->size_bytes();
  Start({.commit_bytes = 2 * bytes});
  Answer first = HoldFirst();
  std::vector<Answer> waiting;
  for (std::uint64_t i = 2; i <= 4; ++i) waiting.push_back(Submit(Spans(i, 1)));
  store_.ReleaseAll();
  for (Answer& answer : waiting) EXPECT_TRUE(answer.Wait());
  EXPECT_THAT(store_.append_sizes(), ElementsAre(1, 2, 1));
}

TEST_F(WriterTest, AFullQueueRefusesByRecords) {
  Start({.queue_records = 10});
  Answer first = HoldFirst();
  Answer second = Submit(Spans(2, 4));
  Answer third = Submit(Spans(3, 6));  // Exactly full.
  EXPECT_EQ(ExpectRefused(Spans(4, 1)).code, Errc::kOverloaded);
  EXPECT_EQ(writer_->stats().overloaded_batches, 1U);
  store_.ReleaseAll();
  EXPECT_TRUE(second.Wait());
  EXPECT_TRUE(third.Wait());
  EXPECT_TRUE(Submit(Spans(4, 1)).Wait());  // There is room again.
}

TEST_F(WriterTest, AFullQueueRefusesByBytes) {
  const std::size_t bytes = Spans(9, 1).batch->size_bytes();
  Start({.queue_bytes = 2 * bytes});
  Answer first = HoldFirst();
  Answer second = Submit(Spans(2, 1));
  Answer third = Submit(Spans(3, 1));
  EXPECT_EQ(writer_->stats().waiting_bytes, 2 * bytes);
  EXPECT_EQ(ExpectRefused(Spans(4, 1)).code, Errc::kOverloaded);
}

TEST_F(WriterTest, ABatchLargerThanTheQueueIsTakenWhenNothingWaits) {
  Start({.queue_records = 2});
  Answer first = HoldFirst();
  Answer large = Submit(Spans(2, 3));
  EXPECT_EQ(ExpectRefused(Spans(3, 1)).code, Errc::kOverloaded);
  store_.ReleaseAll();
  EXPECT_EQ(large.Wait()->spans, 3U);
}

TEST_F(WriterTest, OneThatCannotBeStoredCostsOnlyItself) {
  Start({});
  store_.Fail("bad", {Errc::kOverloaded, "a tenant too many"});
  Answer first = HoldFirst();
  Answer good = Submit(Spans(2, 2));
  Answer bad = Submit(Spans(3, 3, "bad"));
  Answer also_good = Submit(Spans(4, 4));
  store_.ReleaseAll();
  EXPECT_EQ(good.Wait()->spans, 2U);
  const auto failed = bad.Wait();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::kOverloaded);
  EXPECT_EQ(failed.error().message, "a tenant too many");
  EXPECT_EQ(also_good.Wait()->spans, 4U);
  EXPECT_THAT(store_.append_sizes(), ElementsAre(1, 3, 1, 1, 1));
  writer_->Stop();
  EXPECT_EQ(writer_->stats().failed_batches, 1U);
  EXPECT_EQ(writer_->stats().committed_batches, 3U);
}

TEST_F(WriterTest, RetriesAreCountedDeduplicated) {
  Start({});
  store_.ReleaseAll();
  EXPECT_EQ(Submit(Spans(1, 3)).Wait()->spans, 3U);
  EXPECT_EQ(Submit(Spans(1, 3)).Wait()->deduplicated_spans, 3U);
  writer_->Stop();
  EXPECT_EQ(writer_->stats().stored_spans, 3U);
  EXPECT_EQ(writer_->stats().deduplicated_spans, 3U);
}

TEST_F(WriterTest, TheBatchIsLetGoBeforeTheAnswer) {
  Start({});
  store_.ReleaseAll();
  Appending appending = Spans(1, 1);
  const std::weak_ptr<const Batch> batch = appending.batch;
  std::promise<bool> alive;
  ASSERT_TRUE(writer_->Submit(std::move(appending),
                              [&](const Result<Appended>&) { alive.set_value(!batch.expired()); }));
  EXPECT_FALSE(alive.get_future().get());
}

TEST_F(WriterTest, StopStoresWhatWaits) {
  Start({.commit_records = 2});
  Answer first = HoldFirst();
  std::vector<Answer> waiting;
  for (std::uint64_t i = 2; i <= 6; ++i) waiting.push_back(Submit(Spans(i, 1)));
  std::thread stopper([this] { writer_->Stop(); });
  store_.ReleaseAll();
  stopper.join();
  for (Answer& answer : waiting) EXPECT_EQ(answer.Wait()->spans, 1U);
  EXPECT_EQ(store_.Usage().spans, 6U);
  EXPECT_EQ(ExpectRefused(Spans(9, 1)).code, Errc::kUnavailable);
  writer_->Stop();  // Again: nothing happens.
}

TEST_F(WriterTest, WorkRunsBetweenCommitsBehindWhatCameBefore) {
  Start({});
  const Answer first = HoldFirst();
  std::vector<std::size_t> seen;  // Appends so far, as each work runs; the writer's thread's.
  const auto look = [&] { seen.push_back(store_.append_sizes().size()); };
  Answer before = Submit(Spans(2, 1));
  ASSERT_TRUE(writer_->Do(look));
  ASSERT_TRUE(writer_->Do(look));
  Answer behind = Submit(Spans(3, 1));
  store_.ReleaseAll();
  EXPECT_TRUE(before.Wait());
  EXPECT_TRUE(behind.Wait());
  EXPECT_THAT(seen, ElementsAre(2, 2));
}

TEST_F(WriterTest, WorkIsBoundedAndEndsWithTheWriter) {
  Start({});
  const Answer first = HoldFirst();
  std::size_t ran = 0;
  for (std::size_t i = 0; i < Writer::kWorksWaiting; ++i) {
    ASSERT_TRUE(writer_->Do([&] { ++ran; }));
  }
  EXPECT_EQ(writer_->Do([&] { ++ran; }).error().code, Errc::kOverloaded);
  store_.ReleaseAll();
  writer_->Stop();
  EXPECT_EQ(ran, Writer::kWorksWaiting);
  EXPECT_EQ(writer_->Do([&] { ++ran; }).error().code, Errc::kUnavailable);
}

TEST_F(WriterTest, ManySendersAreEachAnsweredOnce) {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kBatches = 200;
  Start({.queue_records = 50, .commit_records = 20});
  store_.ReleaseAll();
  std::atomic<std::uint64_t> stored = 0;
  std::atomic<std::uint64_t> refused = 0;
  std::vector<std::thread> senders;
  for (std::uint64_t sender = 0; sender < kThreads; ++sender) {
    senders.emplace_back([&, sender] {
      for (std::uint64_t i = 0; i < kBatches; ++i) {
        const auto taken = writer_->Submit(
            Spans(sender * kBatches + i, 3),
            [&stored](const Result<Appended>& result) { stored += result ? result->spans : 0; });
        if (!taken) ++refused;
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  writer_->Stop();
  EXPECT_EQ(stored + 3 * refused, 3 * kThreads * kBatches);
  EXPECT_EQ(store_.Usage().spans, stored);
  EXPECT_EQ(writer_->stats().stored_spans, stored);
  EXPECT_EQ(writer_->stats().overloaded_batches, refused);
}

}  // namespace
}  // namespace throughline::store
