// CPU of the analyses: the critical path of one trace of 10,000 spans, in a chain, in a fan and in
// a random tree; and explain over windows of 100,000 spans and 200,000 lines of 150 bytes, from the
// records to the answer, without a store; and compare over the same records, two versions beside
// each other; and the coverage of them.
#include <cstdio>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "correlate/analysis/compare.h"
#include "correlate/analysis/coverage.h"
#include "correlate/analysis/coverage_advice.h"
#include "correlate/analysis/critical_path.h"
#include "correlate/analysis/explain.h"
#include "correlate/analysis/explain_baseline.h"
#include "correlate/analysis/explain_records.h"
#include "correlate/analysis/trace_tree.h"
#include "tests/correlate/explain_world.h"

namespace throughline {
namespace {

constexpr int kRounds = 7;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <typename Parent>
void TimePath(const char* name, Parent parent_of) {
  constexpr std::uint64_t kSpans = 10'000;
  std::mt19937_64 random(1);
  Batch batch;
  for (std::uint64_t i = 0; i < kSpans; ++i) {
    Span span;
    span.span_id = {i + 1};
    if (i > 0) span.parent_span_id = {parent_of(i, random) + 1};
    span.start_unix_ns = ExplainWorld::kStart + random() % 1'000'000 + i;
    span.end_unix_ns = span.start_unix_ns + random() % 1'000'000'000;
    span.arrival_unix_ns = ExplainWorld::kStart;
    batch.spans.push_back(span);
  }
  double best = 1e9;
  std::size_t on_path = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double start = CpuSeconds();
    on_path = CriticalPath(batch, BuildTraceTree(batch)).spans.size();
    best = std::min(best, CpuSeconds() - start);
  }
  std::printf("tree and critical path of 10,000 spans, %-6s %6.2f ms (%zu on the path)\n", name,
              best * 1e3, on_path);
}

constexpr std::size_t kSpans = 100'000;
constexpr std::size_t kLines = 200'000;
constexpr std::uint64_t kMinutes = 10;

struct Records {
  std::vector<Batch> batches;
  std::size_t spans = 0;
  std::size_t lines = 0;
};

// Ten minutes, and an eleventh in which a call is slow.
Records MakeRecords() {
  ExplainWorld world(1);
  std::size_t spans = 0;
  for (std::uint64_t minute = 0; spans < kSpans; minute = (minute + 1) % (kMinutes + 1)) {
    world.api_ms = minute == kMinutes ? 1400 : 100;
    const std::size_t before = world.batches.size();
    world.Minute(minute, 100);
    for (std::size_t i = before; i < world.batches.size(); ++i)
      spans += world.batches[i].spans.size();
  }
  std::size_t lines = 0;
  for (const Batch& batch : world.batches) lines += batch.logs.size();
  std::mt19937_64 random(2);
  while (lines < kLines) {
    Batch& batch = world.batches[random() % world.batches.size()];
    const Span& span = batch.spans[random() % batch.spans.size()];
    LogLine line;
    line.trace_id = span.trace_id;
    line.span_id = span.span_id;
    line.time_unix_ns = span.start_unix_ns;
    line.body = MakeStringValue(
        "12:00:00.123 INFO s.o.OrderServiceImpl#" + std::to_string(random() % 100) +
            " [getOrder][order " + std::to_string(random()) +
            "][customer: 17][total: 99.50 EUR][status: paid] and some more text up to 150 bytes",
        batch.arena);
    line.identity = ++lines;
    batch.logs.push_back(line);
  }
  return {std::move(world.batches), spans, lines};
}

void TimeCompare(const Records& records) {
  const auto version = [](const char* value) {
    return TraceFilter{
        .service = "payment", .operation = {}, .attributes = {{"service.version", value}}};
  };
  for (int round = 0; round < 3; ++round) {
    const double start = CpuSeconds();
    TraceRecorder recorder(1, {}, {version("1"), version("2")});
    for (const Batch& batch : records.batches) recorder.Add(batch);
    const RecordedTraces traces = std::move(recorder).Close();
    const double closed = CpuSeconds();
    const TimeSpan all{ExplainWorld::kStart,
                       ExplainWorld::kStart + (kMinutes + 1) * ExplainWorld::kMinute};
    const Comparison comparison = Compare(traces, SelectTraces(traces, all, all));
    const double end = CpuSeconds();
    std::printf(
        "compare, %zu spans, %zu lines: take and close %.3f, compare %.3f, in all %.3f CPU s "
        "(%s)\n",
        records.spans, records.lines, closed - start, end - closed, end - start,
        comparison.reason.c_str());
  }
}

void TimeExplain(const Records& records) {
  for (int round = 0; round < 3; ++round) {
    const double start = CpuSeconds();
    TraceRecorder recorder(1);
    for (const Batch& batch : records.batches) recorder.Add(batch);
    const double added = CpuSeconds();
    const RecordedTraces traces = std::move(recorder).Close();
    const double closed = CpuSeconds();
    const TimeSpan spike{ExplainWorld::kStart + kMinutes * ExplainWorld::kMinute,
                         ExplainWorld::kStart + (kMinutes + 1) * ExplainWorld::kMinute};
    const ChosenBaseline chosen = ChooseBaseline(traces, spike, kMinutes * ExplainWorld::kMinute);
    const double choose = CpuSeconds();
    std::vector<TraceWindow> baseline;
    for (const TimeSpan& time : chosen.windows) {
      baseline.push_back(WindowOf(traces, time.start_unix_ns, time.end_unix_ns));
    }
    const Explanation explanation =
        Explain(traces, WindowOf(traces, spike.start_unix_ns, spike.end_unix_ns), baseline, {});
    const double end = CpuSeconds();
    std::printf(
        "explain, %zu spans, %zu lines: take %.3f, close %.3f, choose a baseline %.3f, explain "
        "%.3f, in all %.3f CPU s (%s)\n",
        records.spans, records.lines, added - start, closed - added, choose - closed, end - choose,
        end - start,
        explanation.culprits.empty() ? "nobody" : explanation.culprits.front().service.c_str());
  }
}

void TimeCoverage(const Records& records) {
  for (int round = 0; round < 3; ++round) {
    const double start = CpuSeconds();
    CoverageMeter meter({}, {}, 1);
    for (const Batch& batch : records.batches) meter.Add(batch);
    const double added = CpuSeconds();
    const auto coverage = std::move(meter).Close([](TraceId, std::uint64_t) {
      return Result<std::optional<Link>>(LinkOfCause(LinkCause::kNoSpan, ""));
    });
    const std::size_t advice = AdviseOn(*coverage, true).size();
    const double end = CpuSeconds();
    std::printf(
        "coverage, %zu spans, %zu lines: take %.3f, close %.3f, in all %.3f CPU s (%zu services, "
        "advice %zu)\n",
        records.spans, records.lines, added - start, end - added, end - start,
        coverage->services.size(), advice);
  }
}

}  // namespace
}  // namespace throughline

int main() {
  using throughline::TimePath;
  TimePath("chain", [](std::uint64_t i, auto&) { return i - 1; });
  TimePath("fan", [](std::uint64_t, auto&) { return std::uint64_t{0}; });
  TimePath("random", [](std::uint64_t i, auto& random) { return random() % i; });
  const throughline::Records records = throughline::MakeRecords();
  throughline::TimeExplain(records);
  throughline::TimeCompare(records);
  throughline::TimeCoverage(records);
}
