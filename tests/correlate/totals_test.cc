// What is added up over traces: critical paths and the calls between services.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/analysis/duration_histogram.h"
#include "correlate/analysis/path_totals.h"
#include "correlate/analysis/service_graph.h"
#include "tests/correlate/explain_world.h"

namespace throughline {
namespace {

constexpr std::uint64_t kBase = ExplainWorld::kStart;
constexpr std::uint64_t kMs = ExplainWorld::kMs;

struct TestSpan {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::uint64_t start_ms = 0;
  std::uint64_t end_ms = 0;
  const char* service = "";
  const char* name = "";
  std::uint32_t kind = 2;
  const char* peer = nullptr;
  bool is_error = false;
};

void AddTrace(TraceRecorder& recorder, std::uint64_t trace, const std::vector<TestSpan>& spans,
              bool has_exemplar = false) {
  Batch batch;
  for (const TestSpan& from : spans) {
    Span span;
    span.trace_id = {1, trace};
    span.span_id = {from.id};
    span.parent_span_id = {from.parent};
    span.start_unix_ns = kBase + trace * ExplainWorld::kSecond + from.start_ms * kMs;
    span.end_unix_ns = kBase + trace * ExplainWorld::kSecond + from.end_ms * kMs;
    span.arrival_unix_ns = kBase;
    span.kind = from.kind;
    span.name = from.name;
    span.status_code = from.is_error ? 2 : 0;
    Resource resource;
    resource.service = from.service;
    span.resource = static_cast<std::uint32_t>(batch.resources.size());
    batch.resources.push_back(resource);
    if (from.peer != nullptr) {
      span.attributes = {static_cast<std::uint32_t>(batch.attributes.size()), 1};
      batch.attributes.push_back(MakeStringAttribute("peer.service", from.peer, 1, batch.arena));
    }
    batch.spans.push_back(span);
  }
  if (has_exemplar) {
    Exemplar exemplar;
    exemplar.trace_id = {1, trace};
    batch.exemplars.push_back(exemplar);
  }
  recorder.Add(batch);
}

RecordedTraces Closed(TraceRecorder& recorder) { return std::move(recorder).Close(); }
TraceWindow All(const RecordedTraces& traces) {
  return {0, static_cast<std::uint32_t>(traces.traces.size())};
}

// front 0-100 calls back (20-80, on the server 30-70), which asks a database 40-60.
std::vector<TestSpan> Nested() {
  return {{1, 0, 0, 100, "front", "GET /"},
          {2, 1, 20, 80, "front", "call", 3},
          {3, 2, 30, 70, "back", "serve"},
          {4, 3, 40, 60, "back", "SELECT", 3, "db"}};
}

TEST(PathTotals, OfTracesWorkedOutByHand) {
  TraceRecorder recorder(7);
  AddTrace(recorder, 1, Nested());
  // Calls back to back: 0-50 and 50-100 take all the time of the root.
  AddTrace(recorder, 2,
           {{1, 0, 0, 100, "front", "GET /"},
            {2, 1, 0, 50, "front", "step"},
            {3, 1, 50, 100, "front", "step"}});
  // Nobody waits for the consumer, which is still at it when the producer has ended.
  AddTrace(recorder, 3,
           {{1, 0, 0, 10, "front", "GET /"},
            {2, 1, 2, 5, "front", "send", 4},
            {3, 2, 4, 900, "mail", "take", 5}},
           true);
  const RecordedTraces traces = Closed(recorder);
  PathTotals totals;
  totals.Add(traces, All(traces));
  EXPECT_EQ(totals.traces(), 3U);
  EXPECT_EQ(totals.undetermined(), 0U);
  EXPECT_EQ(totals.duration_ns(), 210 * kMs);
  const auto ms = [&](const PathKey& key) {
    const auto found = totals.parts().find(key);
    return found == totals.parts().end() ? 0 : found->second.self_ns / kMs;
  };
  EXPECT_EQ(ms({"front", "", "GET /"}), 40 + 0 + 7U);
  EXPECT_EQ(ms({"front", "back", ""}), 20U);  // The client's time without the server's.
  EXPECT_EQ(ms({"back", "", "serve"}), 20U);
  EXPECT_EQ(ms({"back", "db", ""}), 20U);
  EXPECT_EQ(ms({"front", "", "step"}), 100U);
  EXPECT_EQ(ms({"front", "mail", ""}), 3U);
  EXPECT_EQ(totals.parts().size(), 6U);
  const PathPart& root = totals.parts().at({"front", "", "GET /"});
  EXPECT_EQ(root.traces, 2U);  // In the second one nothing is its own.
  ASSERT_EQ(root.examples.size(), 2U);
  EXPECT_EQ(root.examples[0].trace_id, (TraceId{1, 3}));  // With an exemplar.
  EXPECT_EQ(root.examples[1].trace_id, (TraceId{1, 1}));
  EXPECT_EQ(totals.parts().at({"front", "", "step"}).spans, 2U);
}

TEST(PathTotals, WhatHangsOnNoRootIsLeftOutAndSaid) {
  TraceRecorder recorder(7);
  AddTrace(recorder, 1, {{1, 0, 0, 100, "front", "GET /"}, {2, 9, 10, 90, "back", "serve"}});
  const RecordedTraces traces = Closed(recorder);
  PathTotals totals;
  totals.Add(traces, All(traces));
  EXPECT_EQ(totals.undetermined(), 1U);
  EXPECT_EQ(totals.duration_ns(), 100 * kMs);
  EXPECT_EQ(totals.parts().size(), 1U);
}

std::string Shown(const PathTotals& totals) {
  std::string out = std::to_string(totals.traces()) + " " + std::to_string(totals.duration_ns());
  for (const auto& [key, part] : totals.parts()) {
    out += "\n" + key.caller + ">" + key.callee + key.operation + " " +
           std::to_string(part.self_ns) + " " + std::to_string(part.traces) + " " +
           std::to_string(part.spans);
    for (const auto& example : part.examples) out += " " + ToHex(example.trace_id);
  }
  return out;
}

std::string Shown(const ServiceGraph& graph) {
  std::string out = std::to_string(graph.traces());
  for (const auto& [key, totals] : graph.calls()) {
    out += "\n" + key.caller + ">" + key.callee + (key.instrumented ? " " : " * ") +
           std::to_string(totals.calls) + " " + std::to_string(totals.errors) + " " +
           std::to_string(totals.durations.Quantile(0.5)) + " " +
           std::to_string(totals.durations.Quantile(0.95));
  }
  return out;
}

TEST(Totals, NeitherOrderNorCutChangesThem) {
  ExplainWorld world(31);
  world.error_share = 0.2;
  for (std::uint64_t minute = 0; minute < 6; ++minute) world.Minute(minute, 50);
  const auto record = [&world](const auto& wanted) {
    TraceRecorder recorder(7);
    for (std::size_t i = 0; i < world.batches.size(); ++i) {
      if (wanted(i)) recorder.Add(world.batches[i]);
    }
    return Closed(recorder);
  };
  const RecordedTraces whole = record([](std::size_t) { return true; });
  PathTotals paths;
  ServiceGraph graph;
  paths.Add(whole, All(whole));
  graph.Add(whole, All(whole));
  double shares = 0;
  for (const auto& [key, part] : paths.parts()) {
    shares += static_cast<double>(part.self_ns) / static_cast<double>(paths.duration_ns());
  }
  EXPECT_NEAR(shares, 1, 1e-12);
  std::uint64_t durations = 0;
  for (const TraceRecord& trace : whole.traces) durations += whole.spans[trace.root].duration_ns;
  EXPECT_EQ(paths.duration_ns(), durations);

  std::shuffle(world.batches.begin(), world.batches.end(), std::mt19937_64(1));
  PathTotals merged_paths;
  ServiceGraph merged_graph;
  for (std::size_t part = 0; part < 3; ++part) {
    const RecordedTraces third = record([part](std::size_t i) { return i % 3 == part; });
    PathTotals of_part;
    ServiceGraph graph_of_part;
    of_part.Add(third, All(third));
    graph_of_part.Add(third, All(third));
    merged_paths.Merge(of_part);
    merged_graph.Merge(graph_of_part);
  }
  EXPECT_EQ(Shown(merged_paths), Shown(paths));
  EXPECT_EQ(Shown(merged_graph), Shown(graph));
  EXPECT_NE(Shown(graph).find("fraud-check>external-api * "), std::string::npos);
}

TEST(Totals, PartsAndCallsAreBounded) {
  constexpr std::size_t kServices = 10'010;  // Each of a call, and all of one operation more.
  TraceRecorder recorder(7);
  for (std::size_t i = 0; i < kServices; ++i) {
    const std::string name = "service-" + std::to_string(i);
    AddTrace(recorder, i + 1,
             {{1, 0, 0, 10, name.c_str(), "GET /"}, {2, 1, 0, 9, "callee", "serve"}});
  }
  const RecordedTraces traces = Closed(recorder);
  PathTotals paths;
  ServiceGraph graph;
  paths.Add(traces, All(traces));
  graph.Add(traces, All(traces));
  EXPECT_EQ(paths.parts().size(), PathTotals::kMostParts + 1);
  EXPECT_EQ(paths.duration_ns(), kServices * 10 * kMs);
  std::uint64_t sum = 0;
  for (const auto& [key, part] : paths.parts()) sum += part.self_ns;
  EXPECT_EQ(sum, paths.duration_ns());
  EXPECT_EQ(graph.calls().size(), ServiceGraph::kMostCalls);
  EXPECT_TRUE(graph.cut());
}

TEST(ServiceGraph, OfTracesWorkedOutByHand) {
  TraceRecorder recorder(7);
  AddTrace(recorder, 1, Nested());
  std::vector<TestSpan> failing = Nested();
  failing[2].is_error = true;
  failing[2].end_ms = 50;
  AddTrace(recorder, 2, failing);
  // A peer that sends spans itself is called once: by the span that has its span below.
  AddTrace(recorder, 3,
           {{1, 0, 0, 100, "front", "GET /"},
            {2, 1, 20, 80, "front", "call", 3, "back"},
            {3, 2, 30, 70, "back", "serve"},
            {4, 3, 30, 70, "back", "inside", 1}});
  const RecordedTraces traces = Closed(recorder);
  ServiceGraph graph;
  graph.Add(traces, All(traces));
  EXPECT_EQ(graph.traces(), 3U);
  ASSERT_EQ(graph.calls().size(), 2U);
  const CallTotals& back = graph.calls().at({"front", "back", true});
  EXPECT_EQ(back.calls, 3U);
  EXPECT_EQ(back.errors, 1U);
  EXPECT_NEAR(static_cast<double>(back.durations.Quantile(0.5)), 40e6, 1e6);
  const CallTotals& database = graph.calls().at({"back", "db", false});
  EXPECT_EQ(database.calls, 2U);
  EXPECT_EQ(database.errors, 0U);
  EXPECT_EQ(database.durations.Quantile(0.95), 20 * kMs);
}

TEST(DurationHistogram, QuantilesAreWithinTheirBound) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> durations(16, 2);
  std::vector<std::uint64_t> values;
  DurationHistogram first;
  DurationHistogram second;
  for (int i = 0; i < 10'001; ++i) {
    values.push_back(static_cast<std::uint64_t>(durations(random)));
    (i % 2 == 0 ? first : second).Add(values.back());
  }
  first.Merge(second);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(first.count(), values.size());
  for (const double q : {0.01, 0.5, 0.95, 0.99, 1.0}) {
    const double rank = std::ceil(q * static_cast<double>(values.size())) - 1;
    const auto exact = static_cast<double>(values[static_cast<std::size_t>(rank)]);
    EXPECT_NEAR(static_cast<double>(first.Quantile(q)), exact, 0.026 * exact) << q;
  }
  EXPECT_EQ(DurationHistogram().Quantile(0.5), 0U);
  DurationHistogram extremes;
  extremes.Add(0);
  extremes.Add(UINT64_MAX);
  EXPECT_EQ(extremes.Quantile(0.5), 0U);
  EXPECT_GT(extremes.Quantile(1), UINT64_MAX / 100 * 97);
}

}  // namespace
}  // namespace throughline
