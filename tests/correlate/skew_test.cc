// Skew that was injected is found, within its bound, whatever the order of the spans.
#include "correlate/analysis/skew.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/store/sample.h"

namespace throughline {
namespace {

using store::kNow;
using store::Sample;
using store::SampleSpan;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::uint32_t kClient = 3;
constexpr std::uint32_t kServer = 2;

// A call from host "a" to host "b", whose clock is ahead; by the true time, in ns from kNow.
struct Call {
  std::int64_t start = 0;
  std::int64_t there = kMs;  // One way.
  std::int64_t work = 20 * kMs;
  std::int64_t back = kMs;
  bool waits = true;  // The client's span ends with the answer; else at once.
};

using Batches = std::vector<std::shared_ptr<const Batch>>;

std::uint64_t At(std::int64_t ns) { return kNow + static_cast<std::uint64_t>(ns); }

// Every span a batch of its own.
Batches SpansOf(const std::vector<Call>& calls, std::int64_t ahead_ns, bool reversed = false) {
  Batches batches;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Call& call = calls[i];
    const TraceId trace{1, i + 1};
    const auto add = [&](const char* host, const SampleSpan& span) {
      Sample sample;
      sample.From({{"service.name", host}, {"host.name", host}, {"k8s.pod.name", "other"}});
      batches.push_back(sample.Add(span).Finish());
    };
    const std::int64_t all = call.waits ? call.there + call.work + call.back : 1;
    // Of the two ends the one on "b" has the clock that is ahead.
    const std::int64_t client = call.start + (reversed ? ahead_ns : 0);
    const std::int64_t server = call.start + call.there + (reversed ? 0 : ahead_ns);
    add(reversed ? "b" : "a", {.trace = trace,
                               .span = {1},
                               .start = At(client),
                               .duration = static_cast<std::uint64_t>(all),
                               .kind = kClient});
    add(reversed ? "a" : "b", {.trace = trace,
                               .span = {2},
                               .parent = {1},
                               .start = At(server),
                               .duration = static_cast<std::uint64_t>(call.work),
                               .kind = kServer});
  }
  return batches;
}

std::vector<HostSkew> Measure(const Batches& batches, const SkewMeter::Limits& limits = {}) {
  SkewMeter meter(limits);
  for (const auto& batch : batches) meter.Add(*batch);
  return std::move(meter).Close();
}

// Delays of 1 +- 0.5 ms, the way back longer by up to 2 ms.
std::vector<Call> RandomCalls(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto upto = [&](std::int64_t ns) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(ns + 1));
  };
  const std::int64_t asymmetry = upto(2 * kMs);
  std::vector<Call> calls;
  for (std::size_t i = 0; i < count; ++i) {
    calls.push_back({.start = upto(60'000 * kMs),
                     .there = kMs / 2 + upto(kMs),
                     .work = upto(300 * kMs),
                     .back = kMs / 2 + upto(kMs) + asymmetry});
  }
  return calls;
}

TEST(Skew, IsFoundWithinFiveMillisecondsFromAHundredPairs) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const std::int64_t ahead : {-200 * kMs, 0 * kMs, 200 * kMs}) {
      const auto skews = Measure(SpansOf(RandomCalls(100, seed), ahead, seed % 2 == 0));
      ASSERT_EQ(skews.size(), 1U);
      EXPECT_EQ(skews[0].from + skews[0].to, "ab");
      EXPECT_EQ(skews[0].pairs, 100U);
      const std::int64_t error = skews[0].offset_ns - ahead;
      EXPECT_LT(std::abs(error), 5 * kMs) << "seed " << seed << ", ahead " << ahead;
      EXPECT_LE(std::abs(error), static_cast<std::int64_t>(skews[0].bound_ns));
      EXPECT_EQ(skews[0].is_proven(), ahead != 0);
    }
  }
}

TEST(Skew, AskedInAnyOrderIsTheSame) {
  Batches batches = SpansOf(RandomCalls(30, 7), 40 * kMs);
  const auto skews = Measure(batches);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::shuffle(batches.begin(), batches.end(), std::mt19937_64(seed));
    EXPECT_EQ(Measure(batches), skews) << "seed " << seed;
  }
  const Batches once = batches;
  batches.insert(batches.end(), once.begin(), once.end());
  EXPECT_EQ(Measure(batches), skews) << "twice";
}

TEST(Skew, OneCallSaysHowLittleItKnows) {
  const auto skews =
      Measure(SpansOf({{.there = 30 * kMs, .work = kMs, .back = 10 * kMs}}, 5 * kMs));
  ASSERT_EQ(skews.size(), 1U);
  EXPECT_EQ(skews[0].offset_ns, 15 * kMs);
  EXPECT_EQ(skews[0].bound_ns, static_cast<std::uint64_t>(20 * kMs));
  EXPECT_FALSE(skews[0].is_proven());
}

TEST(Skew, CallsThatNobodyWaitedForAreOutvoted) {
  std::vector<Call> calls = RandomCalls(60, 3);
  for (std::size_t i = 0; i < 40; ++i) {
    // Its server's span is short, and far behind the client's: a queue.
    calls.push_back({.start = 0, .there = 900 * kMs, .work = 0, .waits = false});
  }
  const auto skews = Measure(SpansOf(calls, 200 * kMs));
  ASSERT_EQ(skews.size(), 1U);
  EXPECT_LT(std::abs(skews[0].offset_ns - 200 * kMs), 5 * kMs);
}

TEST(Skew, WithoutAMajorityTheBoundHoldsAllCalls) {
  Batches batches = SpansOf({{.start = 0}}, 0);
  // The same hosts, as if the clock had been set meanwhile.
  const Batches later = SpansOf({{.start = 0}, {.start = 0}}, 1000 * kMs);
  batches.push_back(later[2]);
  batches.push_back(later[3]);
  const auto skews = Measure(batches);
  ASSERT_EQ(skews.size(), 1U);
  EXPECT_EQ(skews[0].bound_ns, static_cast<std::uint64_t>(501 * kMs));
}

TEST(Skew, TheFastestCallsCountWhereThereAreMany) {
  std::vector<Call> calls(20, Call{.there = 50 * kMs, .back = 10 * kMs});
  calls.push_back({.there = kMs, .back = kMs});
  const auto skews = Measure(SpansOf(calls, 0), {.calls_of_pair = 1});
  ASSERT_EQ(skews.size(), 1U);
  EXPECT_EQ(skews[0].pairs, 21U);
  EXPECT_EQ(skews[0].bound_ns, static_cast<std::uint64_t>(kMs));
  EXPECT_TRUE(Measure(SpansOf(calls, 0), {.spans = 1}).empty());
}

TEST(Skew, TheHostIsTheFirstThatIsStated) {
  Sample sample;
  const auto host = [&](const store::SampleAttributes& resource) {
    sample.From(resource);
    sample.Add(SampleSpan{.trace = {1, 1}, .span = {1}});
    const auto batch = sample.Finish();
    return HostOf(*batch, batch->spans[0].resource);
  };
  EXPECT_EQ(host({{"k8s.pod.name", "pod"}, {"host.name", "name"}, {"host.id", "id"}}), "id");
  EXPECT_EQ(host({{"k8s.pod.name", "pod"}, {"k8s.node.name", "node"}}), "node");
  EXPECT_EQ(host({{"k8s.pod.name", "pod"}, {"host.name", ""}}), "pod");
  EXPECT_EQ(host({{"service.name", "a"}}), "");
}

}  // namespace
}  // namespace throughline
