// Visits of all records of a range.
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/conformance.h"
#include "tests/store/dump.h"
#include "tests/store/sample.h"

namespace throughline::store {
namespace {

// The records in the range that a visit gives, each once, as text.
std::set<std::string> Visited(const Store& store, const VisitQuery& query,
                              const Scope& scope = {}) {
  std::set<std::string> seen;
  const auto visited = store.Visit(scope, query, [&](const Batch& batch) {
    for (std::string text : DumpSorted(batch)) {
      // Spans come with their identity or without.
      const std::size_t at = text.starts_with("span ") ? text.find(" identity ") : text.npos;
      if (at != text.npos) text.erase(at, text.find('{', at) - at);
      seen.insert(std::move(text));
    }
    return true;
  });
  EXPECT_TRUE(visited);
  if (visited) {
    EXPECT_TRUE(visited->complete) << visited->incomplete_reason;
  }
  return seen;
}

std::shared_ptr<const Batch> Minute(std::uint64_t minute) {
  const TraceId trace{1, minute + 1};
  Sample sample;
  sample.From({{"service.name", "pay"}});
  const std::uint64_t time = kNow + minute * 60 * kSecond;
  sample.Add(SampleSpan{.trace = trace, .span = {1}, .start = time, .name = "buy"});
  sample.Add(SampleLine{.trace = trace, .span = {1}, .time = time + 1, .body = "bought"});
  sample.Add(SampleExemplar{.trace = trace, .span = {1}, .time = time + 2});
  return sample.Finish();
}

TEST_P(StoreConformance, AVisitGivesAllOfARange) {
  std::vector<std::set<std::string>> of_minute;
  for (std::uint64_t minute = 0; minute < 5; ++minute) {
    Append(Minute(minute));
    const TimeRange time{kNow + minute * 60 * kSecond, kNow + minute * 60 * kSecond + 2};
    const auto all = Visited(store(), {.time = time});
    EXPECT_GE(all.size(), 3U);
    of_minute.push_back(all);
  }
  Append(Minute(0));  // A retry.
  const auto everything = Visited(store(), {});
  EXPECT_EQ(everything.size(), 15U);
  for (const auto& records : of_minute) {
    for (const std::string& record : records) EXPECT_TRUE(everything.contains(record)) << record;
  }
  EXPECT_EQ(Visited(store(), {.logs = false, .exemplars = false}).size(), 5U);
  EXPECT_EQ(Visited(store(), {.spans = false, .exemplars = false}).size(), 5U);
  EXPECT_EQ(Visited(store(), {.spans = false, .logs = false}).size(), 5U);
}

TEST_P(StoreConformance, TheRevisionOfAMinuteChangesWithWhatComesForIt) {
  const auto revision = [this](std::uint64_t minute) {
    const std::uint64_t start = kNow + minute * 60 * kSecond;
    return store().Revision({start, start + 10 * kSecond});
  };
  Append(Minute(0));
  const std::uint64_t first = revision(0);
  const std::uint64_t third = revision(3);
  const std::uint64_t all = store().Revision({});
  EXPECT_EQ(revision(0), first);
  Append(Minute(3));  // Later, by the records' own time.
  EXPECT_EQ(revision(0), first);
  EXPECT_NE(revision(3), third);
  EXPECT_NE(store().Revision({}), all);
  Append(Minute(0), kNow, "another tenant");
  EXPECT_NE(revision(0), first);
  // A line alone, and an exemplar alone, are changes too.
  for (const bool line : {true, false}) {
    Sample sample;
    sample.From({{"service.name", "pay"}});
    if (line) sample.Add(SampleLine{.trace = {1, 1}, .time = kNow + 3, .body = "late"});
    if (!line) sample.Add(SampleExemplar{.trace = {1, 1}, .time = kNow + 4});
    const std::uint64_t before = revision(0);
    Append(sample.Finish());
    EXPECT_NE(revision(0), before) << line;
  }
}

TEST_P(StoreConformance, AVisitKeepsToItsTenantAndItsEnd) {
  Append(Minute(0), kNow, "one");
  Append(Minute(1), kNow, "two");
  Scope two;
  two.tenant = "two";
  EXPECT_EQ(Visited(store(), {}, two).size(), 3U);
  Scope nobody;
  nobody.tenant = "nobody";
  EXPECT_TRUE(Visited(store(), {}, nobody).empty());
  int calls = 0;
  const auto stopped = store().Visit(two, {}, [&](const Batch&) {
    ++calls;
    return false;
  });
  ASSERT_TRUE(stopped);
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(stopped->complete);
  EXPECT_EQ(stopped->incomplete_reason, "limit");
  two.deadline = std::chrono::steady_clock::time_point::min();
  const auto late = store().Visit(two, {}, [](const Batch&) { return true; });
  ASSERT_TRUE(late);
  EXPECT_FALSE(late->complete);
  EXPECT_EQ(late->incomplete_reason, "deadline");
}

}  // namespace
}  // namespace throughline::store
