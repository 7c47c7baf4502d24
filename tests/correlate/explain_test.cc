// Explain, on a system whose faults are known.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/analysis/explain.h"
#include "correlate/analysis/explain_baseline.h"
#include "correlate/analysis/explain_cpu.h"
#include "correlate/analysis/explain_records.h"
#include "tests/correlate/explain_world.h"

namespace throughline {
namespace {

constexpr std::uint64_t kSpike = 10;  // The minute.

RecordedTraces Record(const std::vector<Batch>& batches, const TraceFilter& filter = {},
                      const RecordLimits& limits = {}) {
  TraceRecorder recorder(7, limits, {filter});
  for (const Batch& batch : batches) recorder.Add(batch);
  return std::move(recorder).Close();
}

TimeSpan MinuteOf(std::uint64_t minute) {
  return {ExplainWorld::kStart + minute * ExplainWorld::kMinute,
          ExplainWorld::kStart + (minute + 1) * ExplainWorld::kMinute};
}

TraceWindow WindowOf(const RecordedTraces& traces, TimeSpan time) {
  return WindowOf(traces, time.start_unix_ns, time.end_unix_ns);
}

Explanation ExplainSpike(const RecordedTraces& traces, const ExplainOptions& options = {}) {
  const ChosenBaseline chosen =
      ChooseBaseline(traces, MinuteOf(kSpike), kSpike * ExplainWorld::kMinute);
  std::vector<TraceWindow> baseline;
  for (const TimeSpan& time : chosen.windows) baseline.push_back(WindowOf(traces, time));
  return Explain(traces, WindowOf(traces, MinuteOf(kSpike)), baseline, options);
}

// Ten quiet minutes, then what `change` does.
template <typename Change>
std::vector<Batch> Spike(std::uint64_t seed, Change change, int traces = 60) {
  ExplainWorld world(seed);
  for (std::uint64_t minute = 0; minute < kSpike; ++minute) world.Minute(minute, traces);
  change(world);
  world.Minute(kSpike, traces);
  return std::move(world.batches);
}

TEST(Explain, NamesTheCallOutsideOfTheSystem) {
  const auto traces = Record(Spike(1, [](ExplainWorld& world) { world.api_ms = 1400; }));
  const Explanation explanation = ExplainSpike(traces);
  EXPECT_EQ(explanation.verdict, Verdict::kCulprit) << explanation.reason;
  ASSERT_FALSE(explanation.culprits.empty());
  const Culprit& culprit = explanation.culprits.front();
  EXPECT_EQ(culprit.service, "external-api");
  EXPECT_EQ(culprit.kind, "network");
  ASSERT_FALSE(culprit.edges.empty());
  const ExplainedEdge& edge = culprit.edges.front();
  EXPECT_EQ(edge.caller, "fraud-check");
  EXPECT_EQ(edge.callee, "external-api");
  EXPECT_EQ(edge.slower, edge.total);
  EXPECT_NEAR(edge.added_ns / 1e6 / static_cast<double>(edge.slower), 1300, 100);
  EXPECT_NEAR(edge.baseline_median_ns / 1e6, 100, 10);
  EXPECT_EQ(culprit.trace_ids.size(), kShownTraces);
  EXPECT_EQ(explanation.baseline_windows, kBaselineWindows);
}

std::string ServicesOf(const ExplainedExample& example) {
  std::string text;
  for (const ExampleStep& step : example.steps) text += (text.empty() ? "" : ">") + step.service;
  return text;
}

TEST(Explain, AnExampleLeadsFromWhatWasAskedAboutToTheCulprit) {
  const auto traces = Record(Spike(1, [](ExplainWorld& world) { world.api_ms = 1400; }));
  const Explanation plain = ExplainSpike(traces);
  ASSERT_FALSE(plain.culprits.empty());
  const ExplainedExample& example = plain.culprits.front().example;
  EXPECT_EQ(ServicesOf(example), "shop>payment>fraud-check>external-api");
  EXPECT_EQ(example.trace_id, plain.culprits.front().trace_ids.front());
  EXPECT_NEAR(static_cast<double>(example.culprit_ns) / 1e6, 1400, 300);
  EXPECT_EQ(example.culprit_ns, example.steps.back().duration_ns);
  EXPECT_EQ(example.duration_ns, example.steps.front().duration_ns);
  EXPECT_GT(example.duration_ns, example.culprit_ns);

  ExplainOptions options;
  options.service = "payment";
  options.trace_id = plain.culprits.front().trace_ids.back();
  const Explanation asked = ExplainSpike(traces, options);
  EXPECT_EQ(ServicesOf(asked.culprits.front().example), "payment>fraud-check>external-api");
  EXPECT_EQ(asked.culprits.front().example.trace_id, options.trace_id);
  // Below which the culprit is not, or nobody.
  for (const char* elsewhere : {"external-api", "nobody"}) {
    options.service = elsewhere;
    EXPECT_EQ(ServicesOf(ExplainSpike(traces, options).culprits.front().example),
              "shop>payment>fraud-check>external-api");
  }
}

TEST(Explain, AnExampleOfOwnTimeEndsAtTheService) {
  const auto traces = Record(Spike(2, [](ExplainWorld& world) { world.fraud_own_ms = 500; }));
  const ExplainedExample example = ExplainSpike(traces).culprits.front().example;
  EXPECT_EQ(ServicesOf(example), "shop>payment>fraud-check");
  EXPECT_NEAR(static_cast<double>(example.culprit_ns) / 1e6, 500, 120);
}

TEST(Explain, NamesAServicesOwnTime) {
  const auto traces = Record(Spike(2, [](ExplainWorld& world) { world.fraud_own_ms = 500; }));
  const Explanation explanation = ExplainSpike(traces);
  EXPECT_EQ(explanation.verdict, Verdict::kCulprit);
  ASSERT_FALSE(explanation.culprits.empty());
  EXPECT_EQ(explanation.culprits.front().service, "fraud-check");
  EXPECT_EQ(explanation.culprits.front().kind, "own_time");
  EXPECT_EQ(explanation.culprits.front().edges.front().operation, "POST /check");
}

TEST(Explain, NamesTheServiceThatThrows) {
  const auto traces = Record(Spike(3, [](ExplainWorld& world) { world.error_share = 0.6; }));
  const Explanation explanation = ExplainSpike(traces);
  EXPECT_EQ(explanation.verdict, Verdict::kCulprit);
  ASSERT_FALSE(explanation.culprits.empty());
  const Culprit& culprit = explanation.culprits.front();
  EXPECT_EQ(culprit.service, "payment");
  EXPECT_EQ(culprit.kind, "error");
  const auto log = std::find_if(culprit.findings.begin(), culprit.findings.end(),
                                [](const auto& finding) { return finding.kind == "log"; });
  ASSERT_NE(log, culprit.findings.end());
  EXPECT_TRUE(log->is_new);
  EXPECT_EQ(log->pattern, "charge failed: * exc=CardException");
  EXPECT_EQ(log->context, "payment POST /charge");
}

TEST(Explain, NamesTheVersionOfABrokenCanary) {
  const auto traces = Record(Spike(4, [](ExplainWorld& world) {
    world.canary_is_broken = true;
    world.canary_share = 0.4;
  }));
  const Explanation explanation = ExplainSpike(traces);
  EXPECT_EQ(explanation.verdict, Verdict::kCulprit);
  ASSERT_FALSE(explanation.culprits.empty());
  const Culprit& culprit = explanation.culprits.front();
  EXPECT_EQ(culprit.service, "payment");
  const auto version =
      std::find_if(culprit.attributes.begin(), culprit.attributes.end(),
                   [](const auto& attribute) { return attribute.key == "service.version"; });
  ASSERT_NE(version, culprit.attributes.end());
  EXPECT_EQ(version->value, "2");
  EXPECT_GT(version->share_window, 0.9);
  EXPECT_LT(version->share_baseline, 0.4);
  EXPECT_EQ(culprit.pods, (std::vector<std::string>{"payment-1", "payment-2"}));
}

TEST(Explain, NamesThePodThatBurns) {
  const auto traces = Record(Spike(5, [](ExplainWorld& world) { world.fraud_own_ms = 40; }));
  ExplainOptions options;
  options.cpu = {{"fraud-check", "fraud-0", 5, 95}, {"shop", "shop-0", 5, 20}};
  const Explanation explanation = ExplainSpike(traces, options);
  EXPECT_EQ(explanation.verdict, Verdict::kCulprit);
  ASSERT_FALSE(explanation.culprits.empty());
  EXPECT_EQ(explanation.culprits.front().service, "fraud-check");
  EXPECT_EQ(explanation.culprits.front().kind, "cpu");
  EXPECT_EQ(explanation.culprits.front().cpu.size(), 1U);
}

TEST(Explain, NamesNobodyInAQuietWindow) {
  int named = 0;
  constexpr int kWindows = 200;
  for (std::uint64_t seed = 1; seed <= kWindows; ++seed) {
    const auto traces = Record(Spike(
        100 + seed, [](ExplainWorld& world) { world.error_share = 0.02; }, 40));
    if (ExplainSpike(traces).verdict == Verdict::kCulprit) ++named;
  }
  EXPECT_LE(named, kWindows / 20);
}

TEST(Explain, SaysThatItHasTooLittle) {
  ExplainWorld world(6);
  world.Minute(kSpike, 40);
  const auto traces = Record(world.batches);
  EXPECT_EQ(ExplainSpike(traces).verdict, Verdict::kTooLittleData);
  EXPECT_EQ(ExplainSpike(traces).reason, "no baseline");
  EXPECT_EQ(Explain(traces, {}, {}, {}).reason, "no traces in the window");
  EXPECT_EQ(ExplainSpike(Record({})).verdict, Verdict::kTooLittleData);

  world.Minute(3, 10);
  const auto little = Record(world.batches);
  const std::vector<TraceWindow> baseline = {WindowOf(little, MinuteOf(3))};
  const Explanation explanation = Explain(little, WindowOf(little, MinuteOf(kSpike)), baseline, {});
  EXPECT_EQ(explanation.verdict, Verdict::kTooLittleData);
  EXPECT_EQ(explanation.reason, "10 traces in 1 baseline windows, want 20");
}

TEST(Explain, ASpikeNeverBecomesTheBaseline) {
  ExplainWorld world(7);
  for (std::uint64_t minute = 0; minute <= kSpike; ++minute) {
    world.api_ms = minute == 5 || minute >= 8 ? 1400 : 100;
    world.Minute(minute, 60);
  }
  const auto traces = Record(world.batches);
  const ChosenBaseline chosen =
      ChooseBaseline(traces, MinuteOf(kSpike), kSpike * ExplainWorld::kMinute);
  EXPECT_EQ(chosen.spikes, std::vector<TimeSpan>{MinuteOf(5)});
  EXPECT_EQ(chosen.windows, (std::vector<TimeSpan>{MinuteOf(2), MinuteOf(3), MinuteOf(4),
                                                   MinuteOf(6), MinuteOf(7)}));
  EXPECT_EQ(ExplainSpike(traces).culprits.front().service, "external-api");
}

TEST(Explain, WidensTheGridWhereTracesAreFew) {
  ExplainWorld world(8);
  for (std::uint64_t minute = 0; minute <= kSpike; ++minute) world.Minute(minute, 12);
  const auto traces = Record(world.batches);
  const ChosenBaseline chosen =
      ChooseBaseline(traces, MinuteOf(kSpike), kSpike * ExplainWorld::kMinute);
  ASSERT_EQ(chosen.windows.size(), 4U);
  EXPECT_EQ(chosen.windows.back(), (TimeSpan{MinuteOf(6).start_unix_ns, MinuteOf(7).end_unix_ns}));
}

TEST(Explain, TakesOnlyTracesOfAService) {
  const auto batches = Spike(9, [](ExplainWorld&) {});
  const auto all = Record(batches);
  const auto paying =
      Record(batches, {.service = "payment", .operation = "POST /charge", .attributes = {}});
  EXPECT_LT(paying.traces.size(), all.traces.size());
  EXPECT_GT(paying.traces.size(), 0U);
  EXPECT_EQ(Record(batches, {.service = "nobody", .operation = {}, .attributes = {}}).traces.size(),
            0U);
  // One span has it all: the version is its resource's, and no fraud-check has it.
  const TraceFilter version{
      .service = "payment", .operation = {}, .attributes = {{"service.version", "2"}}};
  EXPECT_LT(Record(batches, version).traces.size(), paying.traces.size());
  EXPECT_GT(Record(batches, version).traces.size(), 0U);
  TraceFilter elsewhere = version;
  elsewhere.service = "fraud-check";
  EXPECT_EQ(Record(batches, elsewhere).traces.size(), 0U);
}

std::string Shown(const Explanation& explanation) {
  std::string out(VerdictName(explanation.verdict));
  for (const Culprit& culprit : explanation.culprits) {
    out += " " + culprit.service + "=" + std::to_string(culprit.score) + culprit.kind;
    for (const auto& edge : culprit.edges) {
      out += "\n  " + edge.caller + ">" + edge.callee + edge.operation + std::to_string(edge.z) +
             std::to_string(edge.added_ns);
    }
    for (const auto& finding : culprit.findings) {
      out += "\n  " + finding.pattern + finding.context + std::to_string(finding.z);
    }
    for (const auto& attribute : culprit.attributes) out += "\n  " + attribute.value;
    for (const ExampleStep& step : culprit.example.steps) {
      out += "\n  " + step.service + std::to_string(step.duration_ns);
    }
    for (const TraceId id : culprit.trace_ids) out += " " + ToHex(id);
  }
  return out;
}

TEST(Explain, TheOrderOfArrivalChangesNothing) {
  auto batches = Spike(10, [](ExplainWorld& world) {
    world.api_ms = 300;
    world.error_share = 0.3;
  });
  const std::string once = Shown(ExplainSpike(Record(batches)));
  std::mt19937_64 random(1);
  std::shuffle(batches.begin(), batches.end(), random);
  // Each trace in two batches, its records shuffled.
  std::vector<Batch> cut;
  for (Batch& batch : batches) {
    std::shuffle(batch.spans.begin(), batch.spans.end(), random);
    Batch second;
    second.resources = batch.resources;
    second.attributes = batch.attributes;
    second.logs.swap(batch.logs);
    while (batch.spans.size() > 1) {
      second.spans.push_back(batch.spans.back());
      batch.spans.pop_back();
    }
    cut.push_back(std::move(second));
    cut.push_back(std::move(batch));
  }
  std::shuffle(cut.begin(), cut.end(), random);
  EXPECT_EQ(Shown(ExplainSpike(Record(cut))), once);
}

TEST(Explain, SaysWhichBoundWasHit) {
  const auto batches = Spike(
      11, [](ExplainWorld&) {}, 20);
  EXPECT_EQ(Record(batches).limits, "");
  EXPECT_EQ(Record(batches, {}, {.spans = 50}).limits, "spans");
  EXPECT_EQ(Record(batches, {}, {.lines = 5, .features = 10}).limits, "lines, features");
  EXPECT_EQ(Record(batches, {}, {.names = 5}).limits, "names");
}

TEST(Explain, NamesOfOneRequestAreOneOperation) {
  EXPECT_EQ(OperationOf("GET /orders/17/items?id=5"), "GET /orders/*/items");
  EXPECT_EQ(OperationOf("/api/v1/users/d693a2c5-ef87-4a3c-bef8-600b43f62c68"), "/api/v1/users/*");
  EXPECT_EQ(OperationOf("SELECT ts.orders"), "SELECT ts.orders");
  EXPECT_EQ(OperationOf(""), "");
  EXPECT_LE(OperationOf(std::string(10'000, 'x')).size(), kOperationBytes);
}

struct CpuSeries {
  const char* metric = "k8s.pod.cpu.usage";
  const char* unit = "{cpu}";
  MetricType type = MetricType::kGauge;
  std::vector<double> values;  // A minute each; the point stands at its end.
};

std::vector<CpuChange> CpuOf(const CpuSeries& series) {
  Batch batch;
  Resource resource;
  resource.service = "pay";
  resource.attributes = {0, 1};
  batch.attributes.push_back(MakeStringAttribute("k8s.pod.name", "pay-0", 1, batch.arena));
  batch.resources.push_back(resource);
  for (std::size_t minute = 0; minute < series.values.size(); ++minute) {
    GaugePoint point;
    point.resource = 0;
    point.metric = series.metric;
    point.unit = series.unit;
    point.metric_type = series.type;
    point.time_unix_ns = MinuteOf(minute).end_unix_ns + ExplainWorld::kSecond;
    point.value = series.values[minute];
    batch.gauges.push_back(point);
  }
  CpuPoints points;
  points.Add(batch);
  const std::vector<TimeSpan> baseline = {MinuteOf(1), MinuteOf(2)};
  return points.Changes(Record({}), MinuteOf(3), baseline);
}

TEST(ExplainCpu, APointDescribesTheTimeBeforeIt) {
  const auto gauge = CpuOf({.values = {1, 0.1, 0.3, 0.9, 1}});
  ASSERT_EQ(gauge.size(), 1U);
  EXPECT_EQ(gauge[0].pod, "pay-0");
  EXPECT_NEAR(gauge[0].baseline, 20, 1e-9);
  EXPECT_NEAR(gauge[0].window, 90, 1e-9);
  const auto percent = CpuOf({.unit = "%", .values = {1, 5, 7, 60, 1}});
  ASSERT_EQ(percent.size(), 1U);
  EXPECT_NEAR(percent[0].window, 60, 1e-9);
  // Seconds of CPU since the start; it starts anew at the end.
  const auto sum = CpuOf({.metric = "container_cpu_usage_seconds_total",
                          .unit = "",
                          .type = MetricType::kSum,
                          .values = {100, 106, 112, 166, 3}});
  ASSERT_EQ(sum.size(), 1U);
  EXPECT_NEAR(sum[0].baseline, 10, 1e-9);
  EXPECT_NEAR(sum[0].window, 90, 1e-9);
  EXPECT_TRUE(CpuOf({.metric = "k8s.pod.cpu.limit", .values = {1, 1, 1, 1}}).empty());
  EXPECT_TRUE(CpuOf({.metric = "k8s.pod.memory", .values = {1, 1, 1, 1}}).empty());
}

}  // namespace
}  // namespace throughline
