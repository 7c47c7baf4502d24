// Random batches and queries: any store answers as the MemoryStore does, and the order in which
// records arrive changes no answer. A failure prints its seed; THROUGHLINE_TEST_SEED repeats it.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "tests/store/conformance.h"
#include "tests/store/dump.h"
#include "tests/store/sample.h"

namespace throughline::store {
namespace {

constexpr int kRounds = 10;
constexpr int kQueries = 60;
constexpr const char* kServices[] = {"shop", "pay", "stock", ""};
constexpr const char* kWords[] = {"a", "b", "cc", "a b", ""};

std::uint64_t SeedOfThisRun() {
  if (const char* const given = std::getenv("THROUGHLINE_TEST_SEED")) {
    return std::strtoull(given, nullptr, 10);
  }
  return std::random_device{}();
}

// Few values of everything, so that ids, times and contents meet often.
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
  SampleAttributes Attributes() {
    SampleAttributes attributes;
    for (const char* key : {"k.one", "k_two", "zone"}) {
      if (OneIn(3)) attributes.emplace_back(key, Of(kWords));
      if (OneIn(6)) attributes.emplace_back(key, static_cast<int>(Below(3)));
    }
    return attributes;
  }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

// Few series and few of the ten seconds that points are thinned to. A time has one value, so that
// any point of the ten seconds may stand for them.
void AddGauge(Random& random, Sample& sample) {
  SampleGauge gauge{.time = random.Time(),
                    .metric = random.OneIn(2) ? "k8s.pod.cpu.usage" : "k8s_pod_cpu_time",
                    .unit = random.OneIn(2) ? "s" : "",
                    .type = random.OneIn(2) ? MetricType::kGauge : MetricType::kSum,
                    .labels = random.Attributes()};
  gauge.time -= gauge.time % (10 * kSecond);
  if (random.OneIn(2)) gauge.time += random.Below(4) * 10 * kSecond;
  if (random.OneIn(8)) gauge.time = 0;
  if (random.OneIn(4)) gauge.service = kServices[random.Below(3)];
  sample.Add(gauge);
}

void AddRecord(Random& random, Sample& sample) {
  switch (random.Below(4)) {
    case 0:
      sample.Add(SampleSpan{.trace = random.Trace(),
                            .span = random.Span(),
                            .parent = random.OneIn(3) ? SpanId{} : random.Span(),
                            .start = random.Time(),
                            .duration = random.Below(40),
                            .name = random.Of(kWords),
                            .kind = static_cast<std::uint32_t>(random.Below(6)),
                            .status = static_cast<std::uint32_t>(random.Below(3)),
                            .attributes = random.Attributes()});
      return;
    case 1: {
      SampleLine line{.trace = random.OneIn(6) ? TraceId{} : random.Trace(),
                      .span = random.OneIn(3) ? SpanId{} : random.Span(),
                      .time = random.Time(),
                      .body = random.Of(kWords),
                      .severity = static_cast<std::uint32_t>(random.Below(25)),
                      .attributes = random.Attributes()};
      if (random.OneIn(20)) line.sampled = Sampled::kNo;
      // A line has its resource's service unless it states one of its own.
      if (random.OneIn(4)) line.service = kServices[random.Below(3)];
      sample.Add(line);
      return;
    }
    case 2: AddGauge(random, sample); return;
    default:
      SampleExemplar exemplar{.trace = random.OneIn(6) ? TraceId{} : random.Trace(),
                              .span = random.Span(),
                              .time = random.Time(),
                              .metric = random.OneIn(2) ? "m.one" : "m_one_seconds",
                              .unit = random.OneIn(2) ? "s" : "",
                              .value = static_cast<double>(random.Below(5)),
                              .labels = random.Attributes(),
                              .attributes = random.Attributes()};
      if (random.OneIn(2)) exemplar.le = static_cast<double>(random.Below(3));
      sample.Add(exemplar);
  }
}

std::shared_ptr<const Batch> ABatch(Random& random) {
  Sample sample;
  for (std::uint64_t i = random.Below(4); i > 0; --i) {
    SampleAttributes resource = random.Attributes();
    const std::string service = random.Of(kServices);
    if (!service.empty()) resource.emplace_back("service.name", service);
    if (random.OneIn(2)) resource.emplace_back("service.version", random.Of(kWords));
    sample.From(resource, random.OneIn(2) ? "library" : "");
    for (std::uint64_t j = random.Below(15); j > 0; --j) AddRecord(random, sample);
  }
  return sample.Finish();
}

std::vector<Appending> Appendings(Random& random, bool equal_arrival) {
  std::vector<Appending> appendings;
  for (std::uint64_t i = 0; i < 12; ++i) {
    appendings.push_back({.tenant = random.OneIn(4) ? "other" : "default",
                          .batch = ABatch(random),
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

TimeRange ARange(Random& random) {
  if (random.OneIn(2)) return {};
  return {.start_unix_ns = kNow + random.Below(30), .end_unix_ns = kNow + 20 + random.Below(60)};
}

std::vector<Matcher> Matchers(Random& random) {
  constexpr const char* kKeys[] = {"k.one", "k_one", "k_two", "zone", "service", "le"};
  constexpr const char* kPatterns[] = {".*", "a.*", "b|cc", ""};
  constexpr Matcher::Op kOps[] = {Matcher::Op::kEqual, Matcher::Op::kNotEqual, Matcher::Op::kRegex,
                                  Matcher::Op::kNotRegex};
  std::vector<Matcher> matchers;
  while (random.OneIn(3)) {
    const Matcher::Op op = random.Of(kOps);
    const bool regex = op == Matcher::Op::kRegex || op == Matcher::Op::kNotRegex;
    matchers.push_back({random.Of(kKeys), op, regex ? random.Of(kPatterns) : random.Of(kWords)});
  }
  return matchers;
}

TraceQuery ATraceQuery(Random& random) {
  TraceQuery query;
  query.time = ARange(random);
  query.attributes = Matchers(random);
  if (random.OneIn(3)) query.service = random.Of(kServices);
  if (random.OneIn(4)) query.operation = random.Of(kWords);
  if (random.OneIn(4)) query.status_code = random.Below(3);
  if (random.OneIn(4)) query.min_duration_ns = random.Below(40);
  if (random.OneIn(4)) query.max_duration_ns = random.Below(40);
  query.has_logs = random.OneIn(5);
  query.has_exemplars = random.OneIn(5);
  query.has_error = random.OneIn(5);
  if (random.OneIn(2)) query.order = TraceQuery::Order::kDuration;
  query.limit = random.Below(10) + 1;
  return query;
}

LogQuery ALogQuery(Random& random) {
  LogQuery query;
  query.time = ARange(random);
  query.attributes = Matchers(random);
  if (random.OneIn(4)) query.trace_id = random.Trace();
  if (random.OneIn(2)) query.service = random.Of(kServices);
  if (random.OneIn(4)) query.min_severity_number = static_cast<std::uint32_t>(random.Below(25));
  if (random.OneIn(4)) query.contains = random.Of(kWords);
  query.linked_only = random.OneIn(2);
  query.newest_first = random.OneIn(2);
  query.limit = random.Below(20) + 1;
  return query;
}

ExemplarQuery AnExemplarQuery(Random& random) {
  constexpr const char* kMetrics[] = {"m.one", "m_one", "m_one_seconds", "m_one_seconds_bucket"};
  ExemplarQuery query;
  query.time = ARange(random);
  query.labels = Matchers(random);
  if (random.OneIn(2)) query.metric = random.Of(kMetrics);
  if (random.OneIn(4)) query.min_value = static_cast<double>(random.Below(5));
  if (random.OneIn(4)) query.max_value = static_cast<double>(random.Below(5));
  if (random.OneIn(4)) query.le = static_cast<double>(random.Below(3));
  query.limit = random.Below(20) + 1;
  return query;
}

GaugeQuery AGaugeQuery(Random& random) {
  constexpr const char* kMetrics[] = {"",      "*",       "k8s.pod.cpu.*", "k8s.pod.cpu_time",
                                      "k8s_*", "k8s.pod", "container.*"};
  GaugeQuery query;
  if (random.OneIn(2)) {
    query.time = {.start_unix_ns = kNow + random.Below(30) * kSecond,
                  .end_unix_ns = kNow + random.Below(60) * kSecond};
  }
  query.metric = random.Of(kMetrics);
  if (random.OneIn(3)) query.service = random.Of(kServices);
  query.limit = random.Below(20) + 1;
  return query;
}

// All pages of one query as text.
template <typename Query, typename Find>
std::string AllPages(Query query, const Find& find) {
  constexpr int kPagesAtMost = 10'000;
  std::string out;
  for (int i = 0; i < kPagesAtMost; ++i) {
    const auto page = find(query);
    if (!page) return out + page.error().message;
    out += Dump(*page);
    if (page->cursor.empty()) return out;
    query.cursor = page->cursor;
  }
  return out + "no end";
}

// What a store says to the questions that `random` asks.
std::string Answers(Random random, const Store& store, bool with_traces) {
  std::string out;
  for (int i = 0; i < kQueries; ++i) {
    const Scope scope = AsTenant(random.OneIn(4) ? "other" : "default");
    const TraceId id = random.Trace();
    out += Dump(*store.FindTrace(scope, id, {})) + Dump(*store.Summarize(scope, id));
    out += "traces " + AllPages(ATraceQuery(random), [&](const TraceQuery& query) {
             return store.FindTraces(scope, query);
           });
    out += "lines " + AllPages(ALogQuery(random),
                               [&](const LogQuery& query) { return store.FindLogs(scope, query); });
    out += "exemplars " + AllPages(AnExemplarQuery(random), [&](const ExemplarQuery& query) {
             return store.FindExemplars(scope, query);
           });
    out += "gauges " + AllPages(AGaugeQuery(random), [&](const GaugeQuery& query) {
             return store.FindGauges(scope, query);
           });
    out += "services " + Dump(*store.Services(scope)) +
           Dump(*store.Operations(scope, random.Of(kServices)));
  }
  const StoreUsage usage = store.Usage();
  return out + std::to_string(usage.spans) + " " + std::to_string(usage.logs) + " " +
         std::to_string(usage.exemplars) + " " + std::to_string(usage.gauges) + " " +
         std::to_string(with_traces ? usage.traces : 0) + " " + std::to_string(usage.tenants);
}

// The first line where two long texts differ.
void ExpectEqual(const std::string& actual, const std::string& expected) {
  if (actual == expected) return;
  const auto at = std::mismatch(actual.begin(), actual.end(), expected.begin(), expected.end());
  const auto offset = static_cast<std::size_t>(at.first - actual.begin());
  const std::size_t newline = actual.rfind('\n', offset);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  ADD_FAILURE() << "byte " << offset << "\n  actual: " << actual.substr(begin, 600)
                << "\nexpected: " << expected.substr(begin, 600);
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
    ExpectEqual(Answers(random, store(), traces), Answers(random, reference, traces));
    if (!GetParam().durable) continue;
    Reopen();
    ExpectEqual(Answers(random, store(), traces), Answers(random, reference, traces));
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
    ExpectEqual(Answers(random, store(), traces), Answers(random, reference, traces));
  }
}

}  // namespace
}  // namespace throughline::store
