#include "tests/store/random_records.h"

#include <algorithm>
#include <cstdlib>

#include "tests/store/dump.h"

namespace throughline::store {
namespace {

constexpr const char* kServices[] = {"shop", "pay", "stock", ""};
constexpr const char* kWords[] = {"a", "b", "cc", "a b", ""};

}  // namespace

std::uint64_t SeedOfThisRun() {
  if (const char* const given = std::getenv("THROUGHLINE_TEST_SEED")) {
    return std::strtoull(given, nullptr, 10);
  }
  return std::random_device{}();
}

SampleAttributes Random::Attributes() {
  SampleAttributes attributes;
  for (const char* key : {"k.one", "k_two", "zone"}) {
    if (OneIn(3)) attributes.emplace_back(key, Of(kWords));
    if (OneIn(6)) attributes.emplace_back(key, static_cast<int>(Below(3)));
  }
  return attributes;
}

namespace {

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

// Of a line, with ids that may be its own.
std::string RandomText(Random& random, TraceId trace, SpanId span) {
  if (!random.OneIn(2)) return random.Of(kWords);
  std::string text = random.OneIn(2) ? "trace=" + ToHex(trace) + " span=" + ToHex(span)
                                     : "span=" + ToHex(span) + "trace=" + ToHex(trace);
  text += " order=" + std::to_string(1000 + random.Below(20));
  return text;
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
                      .severity = static_cast<std::uint32_t>(random.Below(25)),
                      .attributes = random.Attributes()};
      line.body = RandomText(random, line.trace, line.span);
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

}  // namespace

std::shared_ptr<const Batch> RandomBatch(Random& random, std::uint64_t generation) {
  Sample sample;
  for (std::uint64_t i = random.Below(4); i > 0; --i) {
    SampleAttributes resource = random.Attributes();
    const std::string service = random.Of(kServices);
    if (!service.empty()) resource.emplace_back("service.name", service);
    if (random.OneIn(2)) resource.emplace_back("service.version", random.Of(kWords));
    if (generation != 0) resource.emplace_back("generation", static_cast<int>(generation));
    sample.From(resource, random.OneIn(2) ? "library" : "");
    for (std::uint64_t j = random.Below(15); j > 0; --j) AddRecord(random, sample);
  }
  return sample.Finish();
}

TimeRange RandomRange(Random& random) {
  if (random.OneIn(2)) return {};
  return {.start_unix_ns = kNow + random.Below(30), .end_unix_ns = kNow + 20 + random.Below(60)};
}

namespace {

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

}  // namespace

TraceQuery RandomTraceQuery(Random& random) {
  TraceQuery query;
  query.time = RandomRange(random);
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

LogQuery RandomLogQuery(Random& random) {
  LogQuery query;
  query.time = RandomRange(random);
  query.attributes = Matchers(random);
  if (random.OneIn(4)) query.trace_id = random.Trace();
  if (random.OneIn(2)) query.service = random.Of(kServices);
  if (random.OneIn(4)) query.min_severity_number = static_cast<std::uint32_t>(random.Below(25));
  if (random.OneIn(3)) {
    query.contains = RandomText(random, random.Trace(), random.Span());
    if (query.contains.size() > 10) {
      query.contains =
          query.contains.substr(random.Below(query.contains.size() - 10), 3 + random.Below(12));
    }
  }
  query.linked_only = random.OneIn(2);
  query.newest_first = random.OneIn(2);
  query.limit = random.Below(20) + 1;
  return query;
}

ExemplarQuery RandomExemplarQuery(Random& random) {
  constexpr const char* kMetrics[] = {"m.one", "m_one", "m_one_seconds", "m_one_seconds_bucket"};
  ExemplarQuery query;
  query.time = RandomRange(random);
  query.labels = Matchers(random);
  if (random.OneIn(2)) query.metric = random.Of(kMetrics);
  if (random.OneIn(4)) query.min_value = static_cast<double>(random.Below(5));
  if (random.OneIn(4)) query.max_value = static_cast<double>(random.Below(5));
  if (random.OneIn(4)) query.le = static_cast<double>(random.Below(3));
  query.limit = random.Below(20) + 1;
  return query;
}

GaugeQuery RandomGaugeQuery(Random& random) {
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

namespace {

// All pages of one query as text.
template <typename Query, typename Find>
std::string AllPages(Query query, const Asked& asked, const Find& find) {
  query.limit *= asked.page_factor;
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

}  // namespace

namespace {

template <typename Answer>
std::string Said(const Answer& answer) {
  return answer ? Dump(*answer) : "error: " + answer.error().message + "\n";
}

}  // namespace

std::string Answers(Random random, const Store& store, const Asked& asked) {
  std::string out;
  for (int i = 0; i < asked.rounds; ++i) {
    const Scope scope = AsTenant(random.OneIn(4) ? "other" : "default");
    const TraceId id = random.Trace();
    auto found = store.FindTrace(scope, id, {});
    if (found && !asked.in_expired) found->evidence.in_expired = false;
    auto summaries = store.Summarize(scope, id);
    if (summaries && !asked.in_expired) {
      for (TraceSummary& summary : *summaries) summary.evidence.in_expired = false;
    }
    out += Said(found) + Said(summaries);
    out += "traces " + AllPages(RandomTraceQuery(random), asked, [&](const TraceQuery& query) {
             return store.FindTraces(scope, query);
           });
    out += "lines " + AllPages(RandomLogQuery(random), asked,
                               [&](const LogQuery& query) { return store.FindLogs(scope, query); });
    out += "exemplars " +
           AllPages(RandomExemplarQuery(random), asked,
                    [&](const ExemplarQuery& query) { return store.FindExemplars(scope, query); });
    out += "gauges " + AllPages(RandomGaugeQuery(random), asked, [&](const GaugeQuery& query) {
             return store.FindGauges(scope, query);
           });
    const std::string service = random.Of(kServices);
    if (asked.counts) {
      out += "services " + Said(store.Services(scope)) + Said(store.Operations(scope, service));
    }
  }
  const StoreUsage usage = store.Usage();
  if (asked.counts) {
    out += std::to_string(usage.spans) + " " + std::to_string(usage.logs) + " " +
           std::to_string(usage.exemplars) + " " + std::to_string(usage.gauges) + " ";
  }
  return out + std::to_string(asked.traces ? usage.traces : 0) + " " +
         std::to_string(usage.tenants);
}

std::string Difference(const std::string& actual, const std::string& expected) {
  if (actual == expected) return {};
  const auto at = std::mismatch(actual.begin(), actual.end(), expected.begin(), expected.end());
  const auto offset = static_cast<std::size_t>(at.first - actual.begin());
  const std::size_t newline = actual.rfind('\n', offset == 0 ? 0 : offset - 1);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return "byte " + std::to_string(offset) + "\n  actual: " + actual.substr(begin, 600) +
         "\nexpected: " + expected.substr(begin, 600);
}

}  // namespace throughline::store
