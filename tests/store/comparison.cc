// Random batches and queries: any store answers as the MemoryStore does, and the order in which
// records arrive changes no answer. A failure prints its seed; THROUGHLINE_TEST_SEED repeats it.
#include <algorithm>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "tests/store/conformance.h"
#include "tests/store/random_records.h"
#include "tests/store/sample.h"

namespace throughline::store {
namespace {

constexpr int kRounds = 10;

std::vector<Appending> Appendings(Random& random, bool equal_arrival) {
  std::vector<Appending> appendings;
  for (std::uint64_t i = 0; i < 12; ++i) {
    appendings.push_back({.tenant = random.OneIn(4) ? "other" : "default",
                          .batch = RandomBatch(random),
                          .arrival_unix_ns = kNow + (equal_arrival ? 60 : 60 + i)});
    if (random.OneIn(3)) appendings.push_back(appendings[random.Below(appendings.size())]);
  }
  return appendings;
}

// In groups of random size, as a writer makes them.
void AppendAll(Random& random, const std::vector<Appending>& appendings, Store& store) {
  for (std::size_t i = 0; i < appendings.size();) {
    const std::size_t count = std::min(appendings.size() - i, random.Below(4) + 1);
    const auto appended = store.Append({&appendings[i], count});
    ASSERT_TRUE(appended) << appended.error().message;
    ASSERT_EQ(appended->size(), count);
    i += count;
  }
}

void ExpectSameAnswers(const Random& random, const Store& actual, const Store& expected,
                       bool traces) {
  EXPECT_EQ(Difference(Answers(random, actual, {.traces = traces}),
                       Answers(random, expected, {.traces = traces})),
            "");
}

TEST_P(StoreComparison, AnswersAsTheReferenceDoes) {
  const std::uint64_t seed = SeedOfThisRun();
  const bool traces = GetParam().counts_traces_once;
  for (std::uint64_t round = 0; round < kRounds && !HasFailure(); ++round) {
    SCOPED_TRACE("THROUGHLINE_TEST_SEED=" + std::to_string(seed + round));
    Open({});
    Random random(seed + round);
    const auto appendings = Appendings(random, /*equal_arrival=*/false);
    MemoryStore reference({});
    AppendAll(random, appendings, store());
    AppendAll(random, appendings, reference);
    ExpectSameAnswers(random, store(), reference, traces);
    if (!GetParam().durable) continue;
    Reopen();
    ExpectSameAnswers(random, store(), reference, traces);
  }
}

TEST_P(StoreComparison, TheOrderOfArrivalChangesNothing) {
  const std::uint64_t seed = SeedOfThisRun();
  const bool traces = GetParam().counts_traces_once;
  for (std::uint64_t round = 0; round < kRounds && !HasFailure(); ++round) {
    SCOPED_TRACE("THROUGHLINE_TEST_SEED=" + std::to_string(seed + round));
    Open({});
    Random random(seed + round);
    auto appendings = Appendings(random, /*equal_arrival=*/true);
    MemoryStore reference({});
    AppendAll(random, appendings, reference);
    std::shuffle(appendings.begin(), appendings.end(), random.engine());
    AppendAll(random, appendings, store());
    ExpectSameAnswers(random, store(), reference, traces);
  }
}

}  // namespace
}  // namespace throughline::store
