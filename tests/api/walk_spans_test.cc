// All spans of a range, in bulk: each has its turn once, in whatever batches it came.
#include "api/walk_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/api/shop.h"

namespace throughline::api {
namespace {

using store::kSecond;
using store::Sample;
using store::SampleSpan;

using Turns = std::map<std::pair<TraceId, std::string>, int>;

Result<Turns> TurnsOf(const Store& store, const Scope& scope, const TimeRange& range,
                      Walked& walked) {
  const links::Settings settings;
  Request request = MakeRequest({}, {});
  request.scope = scope;
  Turns turns;
  TL_TRY_ASSIGN(walked,
                WalkSpans(request, {store, settings, kArrival}, range, [&](const SomeSpans& some) {
                  for (std::uint32_t i = 0; i < some.tree.order.size(); ++i) {
                    const Span& span = some.tree.At(some.batch, i);
                    EXPECT_EQ(span.trace_id, some.id);
                    ++turns[{some.id, std::string(span.name)}];
                  }
                }));
  return turns;
}

TEST(WalkSpans, EverySpanOfTheRangeHasItsTurnOnce) {
  const TimeRange range{kArrival + 600 * kSecond, kArrival + 1800 * kSecond};
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::vector<Sample> samples(4);
    Turns want;
    for (std::uint64_t i = 1; i <= 2000; ++i) {
      const SampleSpan span{.trace = {i / 10, 1 + i / 5},
                            .span = {1 + i % 7},  // Some ids stand for two spans.
                            .start = kArrival + random() % 3600 * kSecond,
                            .name = "n" + std::to_string(i)};
      samples[random() % samples.size()].Add(span);
      if (range.Contains(span.start)) want[{span.trace, span.name}] = 1;
    }
    Batches batches;
    for (Sample& sample : samples) batches.push_back(sample.Finish());
    for (int round = 0; round < 2; ++round) {
      std::shuffle(batches.begin(), batches.end(), random);
      const Shop shop(batches);
      Walked walked;
      const auto turns = TurnsOf(shop.store, Scope(), range, walked);
      ASSERT_TRUE(turns);
      EXPECT_EQ(*turns, want);
      EXPECT_EQ(walked.spans, want.size());
      EXPECT_EQ(walked.cut, "");
    }
  }
}

// A store that has a record in two of its parts, as a retry behind the horizon leaves it.
class TwiceStore final : public Store {
 public:
  explicit TwiceStore(std::shared_ptr<const Batch> batch) : batch_(std::move(batch)) {}

  Result<Visited> Visit(const Scope& /*scope*/, const VisitQuery& /*query*/,
                        const std::function<bool(const Batch&)>& visit) const override {
    if (visit(*batch_) && visit(*batch_)) return Visited();
    return Visited{.complete = false, .incomplete_reason = "limit"};
  }
  std::uint64_t hash_seed() const override { return store::sample_hash_seed; }
  std::uint64_t Revision(const TimeRange&) const override { return 0; }

  Result<std::vector<Appended>> Append(std::span<const Appending>) override { return None(); }
  Result<TraceRecords> FindTrace(const Scope&, TraceId, const FindOptions&) const override {
    return None();
  }
  Result<std::vector<TraceSummary>> Summarize(const Scope&, TraceId) const override {
    return None();
  }
  Result<Page<TraceSummary>> FindTraces(const Scope&, const TraceQuery&) const override {
    return None();
  }
  Result<RecordPage> FindLogs(const Scope&, const LogQuery&) const override { return None(); }
  Result<RecordPage> FindExemplars(const Scope&, const ExemplarQuery&) const override {
    return None();
  }
  Result<RecordPage> FindGauges(const Scope&, const GaugeQuery&) const override { return None(); }
  Result<std::vector<ServiceInfo>> Services(const Scope&) const override { return None(); }
  Result<std::vector<OperationInfo>> Operations(const Scope&, std::string_view) const override {
    return None();
  }
  Result<std::unique_ptr<WatchHandle>> Watch(const Scope&, TraceId,
                                             std::function<void()>) override {
    return None();
  }
  Result<void> Maintain(std::uint64_t) override { return None(); }
  StoreUsage Usage() const override { return {}; }

 private:
  static Error None() { return InvalidArgument("not asked here"); }
  const std::shared_ptr<const Batch> batch_;
};

std::shared_ptr<const Batch> ThreeSpans() {
  Sample sample;
  for (const char* const name : {"a", "b", "c"}) {
    // Two spans of one id that differ in their names are two.
    sample.Add(SampleSpan{.trace = {1, 2}, .span = {3}, .name = name});
  }
  return sample.Finish();
}

TEST(WalkSpans, WhatIsStoredTwiceComesOnce) {
  const TwiceStore twice(ThreeSpans());
  Walked walked;
  const auto turns = TurnsOf(twice, Scope(), TimeRange(), walked);
  ASSERT_TRUE(turns);
  const Turns want = {{{{1, 2}, "a"}, 1}, {{{1, 2}, "b"}, 1}, {{{1, 2}, "c"}, 1}};
  EXPECT_EQ(*turns, want);
}

TEST(WalkSpans, TheDeadlineIsSaid) {
  const TwiceStore twice(ThreeSpans());
  Scope late;
  late.deadline = std::chrono::steady_clock::time_point::min();
  Walked walked;
  ASSERT_TRUE(TurnsOf(twice, late, TimeRange(), walked));
  EXPECT_EQ(walked.cut, "limits.lookup_deadline came after 3 spans");
}

}  // namespace
}  // namespace throughline::api
