// Compare: what it finds in selections that differ, and that it finds nothing in such that do not.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/analysis/compare.h"
#include "tests/correlate/explain_world.h"

namespace throughline {
namespace {

constexpr std::uint64_t kMinute = ExplainWorld::kMinute;
constexpr TimeSpan kBefore{ExplainWorld::kStart, ExplainWorld::kStart + kMinute};
constexpr TimeSpan kAfter{ExplainWorld::kStart + kMinute, ExplainWorld::kStart + 2 * kMinute};

// A tree of services of random shape; the own time of each is lognormal.
class RandomSystem {
 public:
  RandomSystem(std::uint64_t seed, std::size_t services) : random_(seed), caller_(services) {
    for (std::size_t i = 0; i < services; ++i) {
      caller_[i] = i == 0 ? 0 : random_() % i;
      own_ms_.push_back(5.0 + static_cast<double>(random_() % 40));
    }
    batch_.resources.resize(services);
    for (std::size_t i = 0; i < services; ++i) {
      batch_.resources[i].service = batch_.arena.Copy("service-" + std::to_string(i));
    }
  }

  std::size_t services() const { return caller_.size(); }
  double& own_ms(std::size_t service) { return own_ms_[service]; }
  double sigma = 0.3;
  double error_share = 0.05;
  double index_share = 0;  // Of the traces in which the last service asks for an index.

  void Traces(const TimeSpan& window, int count) {
    for (int i = 0; i < count; ++i) {
      trace_ = {random_(), random_()};
      const std::uint64_t start = window.start_unix_ns + random_() % kMinute;
      kind_ = random_() % 3 == 0 ? "POST /orders" : "GET /orders";
      Serve(0, {}, start);
    }
  }

  RecordedTraces Record(const std::vector<TraceFilter>& filters = {{}, {}}) const {
    TraceRecorder recorder(7, {}, filters);
    recorder.Add(batch_);
    return std::move(recorder).Close();
  }

 private:
  std::uint64_t OwnNs(std::size_t service) {
    const double factor = service == 0 && std::string_view(kind_) == "POST /orders" ? 3 : 1;
    std::lognormal_distribution<double> own(std::log(factor * own_ms_[service]), sigma);
    return static_cast<std::uint64_t>(own(random_) * 1e6);
  }
  bool Chance(double share) { return static_cast<double>(random_() % 10'000) < 10'000 * share; }

  std::size_t Open(std::size_t service, const char* name, std::uint32_t kind, SpanId parent,
                   std::uint64_t start) {
    Span& span = batch_.spans.emplace_back();
    span.trace_id = trace_;
    span.span_id = {random_() | 1U};
    span.parent_span_id = parent;
    span.start_unix_ns = start;
    span.arrival_unix_ns = ExplainWorld::kStart;
    span.kind = kind;
    span.resource = static_cast<std::uint32_t>(service);
    span.name = name;
    return batch_.spans.size() - 1;
  }

  // Returns when it ended.
  std::uint64_t Serve(std::size_t service, SpanId parent, std::uint64_t start) {
    const std::size_t at = Open(service, service == 0 ? kind_ : "work", 2, parent, start);
    const SpanId id = batch_.spans[at].span_id;
    const std::uint64_t own = OwnNs(service);
    std::uint64_t now = start + own / 2;
    for (std::size_t callee = service + 1; callee < caller_.size(); ++callee) {
      if (caller_[callee] != service) continue;
      const std::size_t call = Open(service, "call", 3, id, now);
      now = Serve(callee, batch_.spans[call].span_id, now + 1'000'000) + 1'000'000;
      batch_.spans[call].end_unix_ns = now;
    }
    if (service + 1 == caller_.size() && Chance(index_share)) {
      const std::size_t query = Open(service, "SEARCH orders-v2", 3, id, now);
      batch_.spans[query].end_unix_ns = now + 100'000;
      batch_.spans[query].status_code = 2;
      batch_.spans[at].status_code = 2;
    }
    now += own - own / 2;
    batch_.spans[at].end_unix_ns = now;
    if (Chance(error_share)) batch_.spans[at].status_code = 2;
    return now;
  }

  std::mt19937_64 random_;
  std::vector<std::size_t> caller_;
  std::vector<double> own_ms_;
  TraceId trace_;
  const char* kind_ = "";
  Batch batch_;
};

Comparison CompareWindows(const RandomSystem& system) {
  const RecordedTraces traces = system.Record();
  return Compare(traces, SelectTraces(traces, kBefore, kAfter));
}

TEST(Compare, AtMostOneInTwentyAlikeFails) {
  int failed = 0;
  int passed = 0;
  constexpr int kTries = 1000;
  for (std::uint64_t seed = 1; seed <= kTries; ++seed) {
    RandomSystem system(seed, 2 + seed % 4);
    system.Traces(kBefore, 60);
    system.Traces(kAfter, 60);
    const Comparison comparison = CompareWindows(system);
    failed += comparison.verdict == ComparisonVerdict::kFail ? 1 : 0;
    passed += comparison.verdict == ComparisonVerdict::kPass ? 1 : 0;
  }
  RecordProperty("failed", failed);
  // At most 5 % is what is asked for; kErrorLevel is what is promised.
  EXPECT_LE(failed, kTries * 2 * kErrorLevel);
  EXPECT_GE(passed, kTries * 9 / 10);
}

TEST(Compare, FindsAndNamesTheHopThatGrewByAFifth) {
  int found = 0;
  int named = 0;
  constexpr int kTries = 200;
  for (std::uint64_t seed = 1; seed <= kTries; ++seed) {
    RandomSystem system(seed, 5);
    const std::size_t slow = seed % system.services();
    system.Traces(kBefore, 200);
    system.own_ms(slow) *= 1.2;
    system.Traces(kAfter, 200);
    const Comparison comparison = CompareWindows(system);
    if (comparison.verdict != ComparisonVerdict::kFail) continue;
    ++found;
    if (comparison.critical_path.empty()) continue;
    const ComparedHop& hop = comparison.critical_path.front();
    const bool is_it = hop.caller == "service-" + std::to_string(slow) && hop.callee.empty() &&
                       hop.change == TimeChange::kSlower;
    named += is_it ? 1 : 0;
  }
  RecordProperty("found", found);
  RecordProperty("named", named);
  EXPECT_GE(found, kTries * 95 / 100);
  EXPECT_GE(named, kTries * 95 / 100);
}

TEST(Compare, SaysByHowMuchAHopGrew) {
  RandomSystem system(3, 3);
  system.own_ms(1) = 40;
  system.Traces(kBefore, 300);
  system.own_ms(1) = 60;
  system.Traces(kAfter, 300);
  const Comparison comparison = CompareWindows(system);
  EXPECT_EQ(comparison.verdict, ComparisonVerdict::kFail);
  ASSERT_EQ(comparison.critical_path.size(), 1U);
  const ComparedHop& hop = comparison.critical_path.front();
  EXPECT_EQ(hop.operation, "work");
  EXPECT_NEAR(hop.baseline_median_ns, 40e6, 3e6);
  EXPECT_NEAR(hop.growth_ns, 20e6, 4e6);
  EXPECT_EQ(hop.baseline_traces, 300U);
  EXPECT_EQ(hop.trace_ids.size(), kComparedExamples);
  EXPECT_LE(hop.p, kErrorLevel);
  EXPECT_GT(comparison.detectable_growth, 0.05);
  EXPECT_LT(comparison.detectable_growth, 0.5);
}

TEST(Compare, WhatBecameFasterPasses) {
  RandomSystem system(4, 3);
  system.Traces(kBefore, 200);
  system.own_ms(0) *= 0.5;
  system.Traces(kAfter, 200);
  const Comparison comparison = CompareWindows(system);
  EXPECT_EQ(comparison.verdict, ComparisonVerdict::kPass) << comparison.reason;
  EXPECT_EQ(comparison.duration.change, TimeChange::kFaster);
  ASSERT_FALSE(comparison.critical_path.empty());
  EXPECT_EQ(comparison.critical_path.front().change, TimeChange::kFaster);
}

TEST(Compare, FindsTheCallThatOnlyOneMakesAndWhereItFails) {
  RandomSystem system(5, 3);
  system.Traces(kBefore, 80);
  system.index_share = 1;
  system.Traces(kAfter, 80);
  const Comparison comparison = CompareWindows(system);
  EXPECT_EQ(comparison.verdict, ComparisonVerdict::kFail);
  ASSERT_EQ(comparison.calls.size(), 1U);
  const ComparedFeature& call = comparison.calls.front();
  EXPECT_EQ(call.change, "new");
  EXPECT_EQ(call.pattern, "service-2 SEARCH orders-v2");
  EXPECT_EQ(call.context, "service-2 work");
  EXPECT_EQ(call.baseline_traces, 0U);
  EXPECT_EQ(call.candidate_traces, 80U);
  ASSERT_FALSE(comparison.errors.empty());
  EXPECT_EQ(comparison.errors.front().context, "service-2 work");
  EXPECT_EQ(comparison.errors.front().change, "more");
}

TEST(Compare, TheTutorialsCanaryAsksForAMissingIndex) {
  ExplainWorld world(11);
  world.canary_is_broken = true;
  world.canary_share = 0.4;
  for (std::uint64_t minute = 0; minute < 5; ++minute) world.Minute(minute, 60);
  const auto version = [](const char* value) {
    return TraceFilter{
        .service = "payment", .operation = {}, .attributes = {{"service.version", value}}};
  };
  TraceRecorder recorder(7, {}, {version("1"), version("2")});
  for (const Batch& batch : world.batches) recorder.Add(batch);
  const RecordedTraces traces = std::move(recorder).Close();
  const TimeSpan all{ExplainWorld::kStart, ExplainWorld::kStart + 5 * kMinute};
  const Comparison comparison = Compare(traces, SelectTraces(traces, all, all));
  EXPECT_EQ(comparison.verdict, ComparisonVerdict::kFail);
  EXPECT_EQ(comparison.in_both, 0U);
  const auto has = [](const std::vector<ComparedFeature>& list, std::string_view change,
                      std::string_view pattern) {
    return std::any_of(list.begin(), list.end(), [&](const ComparedFeature& feature) {
      return feature.change == change && feature.pattern == pattern;
    });
  };
  EXPECT_TRUE(has(comparison.calls, "new", "payment SELECT orders_by_card"));
  EXPECT_TRUE(
      has(comparison.errors, "new", "index orders_by_card is missing: * exc=SearchException"));
}

TEST(Compare, AnErrorBelowMakesSymptomsAbove) {
  ExplainWorld world(12);
  world.Minute(0, 200);
  world.error_share = 0.5;
  world.Minute(1, 200);
  TraceRecorder recorder(7, {}, {{}, {}});
  for (Batch& batch : world.batches) {
    // The shop passes the error of payment on.
    const bool failed = std::any_of(batch.spans.begin(), batch.spans.end(),
                                    [](const Span& span) { return span.is_error(); });
    if (failed) batch.spans.front().status_code = 2;
    recorder.Add(batch);
  }
  const RecordedTraces traces = std::move(recorder).Close();
  const Comparison comparison = Compare(traces, SelectTraces(traces, kBefore, kAfter));
  EXPECT_EQ(comparison.verdict, ComparisonVerdict::kFail);
  ASSERT_GE(comparison.errors.size(), 2U);
  EXPECT_EQ(comparison.errors.front().context, "payment POST /charge");
  EXPECT_EQ(comparison.errors.front().symptom_of, "");
  EXPECT_EQ(comparison.errors.back().context.substr(0, 5), "shop ");
  EXPECT_EQ(comparison.errors.back().symptom_of, "payment");
}

TEST(Compare, IsInconclusiveWithTooLittle) {
  RandomSystem system(6, 3);
  EXPECT_EQ(CompareWindows(system).verdict, ComparisonVerdict::kInconclusive);
  system.Traces(kBefore, 200);
  system.Traces(kAfter, 29);
  const Comparison few = CompareWindows(system);
  EXPECT_EQ(few.verdict, ComparisonVerdict::kInconclusive);
  EXPECT_EQ(few.reason, "29 comparable traces of the candidate, want 30");

  RandomSystem wild(7, 1);
  wild.sigma = 2;
  wild.Traces(kBefore, 40);
  wild.Traces(kAfter, 40);
  const Comparison noisy = CompareWindows(wild);
  EXPECT_EQ(noisy.verdict, ComparisonVerdict::kInconclusive);
  EXPECT_EQ(noisy.reason.substr(0, 14), "too few traces") << noisy.reason;
}

TEST(Compare, ATraceOfBothSelectionsSaysNothing) {
  RandomSystem system(8, 2);
  system.Traces(kBefore, 50);
  const RecordedTraces traces = system.Record();
  const ComparedTraces compared = SelectTraces(traces, kBefore, kBefore);
  EXPECT_EQ(compared.in_both, 50U);
  EXPECT_TRUE(compared.baseline.empty());
  EXPECT_TRUE(compared.candidate.empty());
}

TEST(Compare, AnotherMixOfRequestsIsNoDifference) {
  // Only orders of one kind before, mostly the other after: POST takes three times as long.
  RandomSystem system(9, 2);
  system.Traces(kBefore, 300);
  system.Traces(kAfter, 300);
  RecordedTraces traces = system.Record();
  ComparedTraces compared = SelectTraces(traces, kBefore, kAfter);
  const auto is_post = [&traces](std::uint32_t trace) {
    return traces.names.At(traces.classes[traces.traces[trace].trace_class]).find("POST") !=
           std::string_view::npos;
  };
  std::size_t kept = 0;
  std::erase_if(compared.baseline, [&](std::uint32_t t) { return is_post(t) && kept++ % 4 != 0; });
  kept = 0;
  std::erase_if(compared.candidate,
                [&](std::uint32_t t) { return !is_post(t) && kept++ % 4 != 0; });
  const Comparison comparison = Compare(traces, compared);
  EXPECT_GT(comparison.candidate.p50_ns, 1.3 * comparison.baseline.p50_ns);
  EXPECT_NE(comparison.verdict, ComparisonVerdict::kFail) << comparison.reason;
}

std::string Shown(const Comparison& comparison) {
  std::string out(VerdictName(comparison.verdict));
  out +=
      comparison.reason + std::to_string(comparison.tests) + std::to_string(comparison.duration.p);
  for (const ComparedHop& hop : comparison.critical_path) {
    out += "\n" + hop.caller + hop.callee + hop.operation + std::to_string(hop.growth_ns);
    for (const TraceId id : hop.trace_ids) out += ToHex(id);
  }
  for (const auto* list : {&comparison.errors, &comparison.calls, &comparison.logs}) {
    for (const ComparedFeature& feature : *list) {
      out += "\n" + feature.kind + feature.pattern + feature.context + std::to_string(feature.p) +
             feature.symptom_of;
      for (const TraceId id : feature.trace_ids) out += ToHex(id);
    }
  }
  return out;
}

TEST(Compare, TheOrderOfArrivalChangesNothing) {
  ExplainWorld world(13);
  world.Minute(0, 200);
  world.error_share = 0.3;
  world.api_ms = 130;
  world.canary_is_broken = true;
  world.Minute(1, 200);
  const auto shown = [&world] {
    TraceRecorder recorder(7, {}, {{}, {}});
    for (const Batch& batch : world.batches) recorder.Add(batch);
    const RecordedTraces traces = std::move(recorder).Close();
    return Shown(Compare(traces, SelectTraces(traces, kBefore, kAfter)));
  };
  const std::string once = shown();
  EXPECT_NE(once.find("fail"), std::string::npos);
  std::mt19937_64 random(1);
  for (Batch& batch : world.batches) {
    std::shuffle(batch.spans.begin(), batch.spans.end(), random);
  }
  std::shuffle(world.batches.begin(), world.batches.end(), random);
  EXPECT_EQ(shown(), once);
}

}  // namespace
}  // namespace throughline
