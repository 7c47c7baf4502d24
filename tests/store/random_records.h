// Random batches and queries with few values of everything, so that ids, times and contents meet
// often; and what a store says to such queries, as text. All follows from the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "correlate/store.h"
#include "tests/store/sample.h"

namespace throughline::store {

// THROUGHLINE_TEST_SEED, or one that nobody has chosen. Tests print it where they fail.
std::uint64_t SeedOfThisRun();

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t Below(std::uint64_t bound) { return engine_() % bound; }
  bool OneIn(std::uint64_t count) { return Below(count) == 0; }
  template <typename T, std::size_t kSize>
  const T& Of(const T (&list)[kSize]) {
    return list[Below(kSize)];
  }
  TraceId Trace() {
    if (OneIn(30)) return {.high = Below(3) + 1, .low = 0};
    return {.high = Below(3), .low = Below(12) + 1};
  }
  SpanId Span() { return {Below(6) + 1}; }
  std::uint64_t Time() {
    if (OneIn(40)) return Below(3);  // Not sent, or one that cannot be.
    if (OneIn(40)) return kNow + 48 * kHour;
    return kNow + (OneIn(2) ? Below(5) : Below(50));
  }
  SampleAttributes Attributes();
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

// Records of one generation equal none of another; 0 is one too.
std::shared_ptr<const Batch> RandomBatch(Random& random, std::uint64_t generation = 0);
TimeRange RandomRange(Random& random);
TraceQuery RandomTraceQuery(Random& random);
LogQuery RandomLogQuery(Random& random);
ExemplarQuery RandomExemplarQuery(Random& random);
GaugeQuery RandomGaugeQuery(Random& random);

// What of the answers counts.
struct Asked {
  int rounds = 60;              // Of one query of each kind.
  std::size_t page_factor = 1;  // Times as many on a page: pages cost a look at everything.
  bool counts = true;           // Services, operations, usage: retries may count twice.
  bool traces = true;           // Usage().traces.
  bool in_expired = true;       // Of the evidence.
};

// What a store says to the questions that `random` asks. Errors stand in it too.
std::string Answers(Random random, const Store& store, const Asked& asked);

// The first line where two long texts differ; empty: they do not.
std::string Difference(const std::string& actual, const std::string& expected);

}  // namespace throughline::store
