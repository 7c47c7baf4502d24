#include "correlate/analysis/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "correlate/analysis/compare_features.h"
#include "correlate/analysis/compare_records.h"
#include "correlate/analysis/compare_statistics.h"
#include "correlate/analysis/explain_model.h"
#include "correlate/analysis/explain_statistics.h"
#include "correlate/analysis/record_names.h"

namespace throughline {
namespace {

constexpr double kNsAMs = 1e6;
constexpr double kNormalMad = 1.4826;       // Deviations in a median absolute deviation.
constexpr double kRankEfficiency = 1.0233;  // Of the rank test, in deviations: sqrt(pi / 3).
constexpr double kDetectionZ = 1.645;       // A chance of 95 %.

// The values of one kind of request, of each side, sorted.
using Sides = std::array<std::vector<double>, 2>;

// How far the medians are apart, the kinds of requests weighed by what they say of a difference.
struct Shift {
  double baseline = 0;
  double candidate = 0;
  double share() const { return baseline > 0 ? (candidate - baseline) / baseline : 0; }
};

class ShiftOf {
 public:
  void Add(const Sides& sides) {
    const auto n0 = static_cast<double>(sides[kBaseline].size());
    const auto n1 = static_cast<double>(sides[kCandidate].size());
    if (n0 == 0 || n1 == 0) return;
    const double weight = n0 * n1 / (n0 + n1);
    shift_.baseline += weight * Quantile<double>(sides[kBaseline], 0.5);
    shift_.candidate += weight * Quantile<double>(sides[kCandidate], 0.5);
    weight_ += weight;
  }
  Shift Result() const {
    if (weight_ == 0) return {};
    return {shift_.baseline / weight_, shift_.candidate / weight_};
  }
  double weight() const { return weight_; }

 private:
  Shift shift_;
  double weight_ = 0;
};

struct Slowness {
  TestResult test;
  Shift shift;
};

struct HopTimes {
  std::uint32_t item = 0;
  Slowness found;
  Pair traces = {};
  std::vector<std::pair<double, std::uint32_t>> slowest;  // Of the candidate: time, trace.
};

class Comparer {
 public:
  Comparer(const RecordedTraces& traces, const ComparedTraces& compared)
      : traces_(traces), records_(traces, compared), features_(records_) {
    out_.in_both = compared.in_both;
  }

  Comparison Run() {
    Count();
    TestDurations();
    TestHops();
    features_.Test();
    Correct();
    TellDurations();
    TellHops();
    features_.Tell(surety_, out_);
    Judge();
    return std::move(out_);
  }

 private:
  void Count() {
    for (const std::size_t side : {kBaseline, kCandidate}) {
      ComparedSide& told = side == kBaseline ? out_.baseline : out_.candidate;
      for (const std::uint32_t t : records_.TracesOf(side)) {
        const TraceRecord& trace = traces_.traces[t];
        ++told.traces;
        told.spans += trace.spans.count;
        told.lines += trace.lines;
        if (trace.has_error) ++told.error_traces;
      }
    }
  }

  // --- durations ------------------------------------------------------------------------------

  void TestDurations() {
    std::map<std::uint32_t, Sides> by_class;
    records_.EachComparable([&](std::size_t side, std::uint32_t t) {
      const TraceRecord& trace = traces_.traces[t];
      by_class[trace.trace_class][side].push_back(trace.duration_ms * kNsAMs);
    });
    Sides all;
    std::vector<double> deviations;  // Of logarithms, from the median of their kind and side.
    RankTest ranks;
    ShiftOf shift;
    ShareTest slow;
    for (auto& [trace_class, sides] : by_class) {
      for (const std::size_t side : {kBaseline, kCandidate}) {
        std::sort(sides[side].begin(), sides[side].end());
        const double median = Quantile<double>(sides[side], 0.5);
        for (const double ns : sides[side]) {
          if (ns > 0 && median > 0) deviations.push_back(std::abs(std::log(ns / median)));
        }
        all[side].insert(all[side].end(), sides[side].begin(), sides[side].end());
      }
      ranks.Add(sides[kBaseline], sides[kCandidate]);
      shift.Add(sides);
      AddSlow(sides, slow);
    }
    TellSide(all[kBaseline], out_.baseline);
    TellSide(all[kCandidate], out_.candidate);
    duration_ = {ranks.Result(), shift.Result()};
    slow_ = slow.Result();
    spread_ = deviations.empty() ? 0 : kNormalMad * Median(deviations);
    pairs_of_traces_ = shift.weight();
  }

  void AddSlow(const Sides& sides, ShareTest& test) {
    std::vector<double> both = sides[kBaseline];
    both.insert(both.end(), sides[kCandidate].begin(), sides[kCandidate].end());
    std::sort(both.begin(), both.end());
    const double limit = Quantile<double>(both, kSlowQuantile);
    std::array<ShareTest::Count, 2> counts;
    for (const std::size_t side : {kBaseline, kCandidate}) {
      const auto& values = sides[side];
      const auto first = std::upper_bound(values.begin(), values.end(), limit);
      counts[side] = {static_cast<std::uint64_t>(values.end() - first), values.size()};
      slow_traces_[side] += counts[side].has;
    }
    test.Add(counts[kBaseline], counts[kCandidate]);
  }

  static void TellSide(std::vector<double>& durations, ComparedSide& told) {
    told.comparable = durations.size();
    if (durations.empty()) return;
    std::sort(durations.begin(), durations.end());
    told.p50_ns = Quantile<double>(durations, 0.5);
    told.p95_ns = Quantile<double>(durations, 0.95);
    told.p99_ns = Quantile<double>(durations, 0.99);
  }

  // --- hops -----------------------------------------------------------------------------------

  struct HopTime {
    std::uint32_t item = 0;
    std::uint32_t trace_class = 0;
    std::uint32_t trace = 0;
    std::uint32_t side = 0;
    double ns = 0;
  };

  // The own times of each item on the critical path of each trace that has it there.
  std::vector<HopTime> GatherHops() const {
    std::vector<HopTime> times;
    records_.EachComparable([&](std::size_t side, std::uint32_t t) {
      const std::size_t first = times.size();
      records_.EachSpan(t, [&](std::uint32_t i) {
        const SpanRecord& span = traces_.spans[i];
        if (span.self_ns == 0) return;
        times.push_back({span.item, traces_.traces[t].trace_class, t,
                         static_cast<std::uint32_t>(side), static_cast<double>(span.self_ns)});
      });
      const auto begin = times.begin() + static_cast<std::ptrdiff_t>(first);
      std::sort(begin, times.end(),
                [](const HopTime& a, const HopTime& b) { return a.item < b.item; });
      std::size_t kept = first;
      for (std::size_t i = first; i < times.size(); ++i) {
        if (kept > first && times[kept - 1].item == times[i].item) {
          times[kept - 1].ns += times[i].ns;
        } else {
          times[kept++] = times[i];
        }
      }
      times.resize(kept);
    });
    std::sort(times.begin(), times.end(), [](const HopTime& a, const HopTime& b) {
      return std::tie(a.item, a.trace_class, a.side, a.ns, a.trace) <
             std::tie(b.item, b.trace_class, b.side, b.ns, b.trace);
    });
    return times;
  }

  void TestHops() {
    const std::vector<HopTime> times = GatherHops();
    for (std::size_t i = 0; i < times.size();) {
      HopTimes hop;
      hop.item = times[i].item;
      RankTest ranks;
      ShiftOf shift;
      while (i < times.size() && times[i].item == hop.item) {
        const std::uint32_t trace_class = times[i].trace_class;
        Sides sides;
        for (; i < times.size() && times[i].item == hop.item && times[i].trace_class == trace_class;
             ++i) {
          sides[times[i].side].push_back(times[i].ns);
          if (times[i].side == kCandidate) hop.slowest.emplace_back(times[i].ns, times[i].trace);
        }
        ranks.Add(sides[kBaseline], sides[kCandidate]);
        shift.Add(sides);
        for (const std::size_t side : {kBaseline, kCandidate})
          hop.traces[side] += sides[side].size();
      }
      hop.found = {ranks.Result(), shift.Result()};
      hops_.push_back(std::move(hop));
    }
  }

  // --- what is sure ---------------------------------------------------------------------------

  void Correct() {
    std::vector<TestResult> tests = {duration_.test, slow_};
    for (const HopTimes& hop : hops_) tests.push_back(hop.found.test);
    features_.AddTests(tests);
    surety_.correction = static_cast<double>(CorrectionOf(tests, kErrorLevel));
    out_.tests = static_cast<std::uint64_t>(std::count_if(
        tests.begin(), tests.end(),
        [this](const TestResult& test) { return surety_.Corrected(test.least_p) <= kErrorLevel; }));
  }

  // `whole_ns`: the time of a trace.
  TimeChange ChangeOf(const Slowness& found, double whole_ns) const {
    const double growth = found.shift.candidate - found.shift.baseline;
    const bool matters = std::abs(found.shift.share()) >= kLeastGrowth &&
                         std::abs(growth) >= kLeastShareOfTrace * whole_ns;
    // The ranks and the medians must agree.
    if (!matters || !surety_.Of(found.test) || found.test.more != (growth > 0)) {
      return TimeChange::kSame;
    }
    return growth > 0 ? TimeChange::kSlower : TimeChange::kFaster;
  }

  void TellDurations() {
    ComparedDuration& told = out_.duration;
    told.change = ChangeOf(duration_, duration_.shift.baseline);
    told.growth_ns = duration_.shift.candidate - duration_.shift.baseline;
    told.growth_share = duration_.shift.share();
    told.p = surety_.Corrected(duration_.test.p);
    const auto share = [this](std::size_t side, std::uint64_t of) {
      return of == 0 ? 0 : static_cast<double>(slow_traces_[side]) / static_cast<double>(of);
    };
    told.baseline_slow_share = share(kBaseline, out_.baseline.comparable);
    told.candidate_slow_share = share(kCandidate, out_.candidate.comparable);
    told.slow_p = surety_.Corrected(slow_.p);
    told.more_slow = surety_.Of(slow_) && slow_.more;
    if (pairs_of_traces_ > 0) {
      const double z = ZOf(kErrorLevel / surety_.correction) + kDetectionZ;
      const double growth = z * spread_ * kRankEfficiency / std::sqrt(pairs_of_traces_);
      out_.detectable_growth = std::max(kLeastGrowth, std::exp(growth) - 1);
    }
  }

  void TellHops() {
    const double whole_ns = duration_.shift.baseline;
    for (HopTimes& hop : hops_) {
      const TimeChange change = ChangeOf(hop.found, whole_ns);
      if (change == TimeChange::kSame) continue;
      ComparedHop& told = out_.critical_path.emplace_back();
      const ItemName name = NameOf(traces_, traces_.items.At(hop.item));
      told.caller = name.caller;
      told.callee = name.callee;
      told.operation = name.operation;
      told.change = change;
      told.baseline_median_ns = hop.found.shift.baseline;
      told.candidate_median_ns = hop.found.shift.candidate;
      told.growth_ns = hop.found.shift.candidate - hop.found.shift.baseline;
      told.baseline_traces = hop.traces[kBaseline];
      told.candidate_traces = hop.traces[kCandidate];
      told.p = surety_.Corrected(hop.found.test.p);
      std::sort(hop.slowest.begin(), hop.slowest.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
      });
      std::vector<std::uint32_t> slowest;
      for (const auto& [ns, trace] : hop.slowest) slowest.push_back(trace);
      told.trace_ids = ExamplesOf(traces_, std::move(slowest), kComparedExamples);
    }
    // What takes the most time first: the tests of hops that grew are all sure.
    std::sort(out_.critical_path.begin(), out_.critical_path.end(),
              [](const ComparedHop& a, const ComparedHop& b) {
                if (a.change != b.change) return a.change < b.change;
                if (a.growth_ns != b.growth_ns) {
                  return std::abs(a.growth_ns) > std::abs(b.growth_ns);
                }
                return std::tie(a.caller, a.callee, a.operation) <
                       std::tie(b.caller, b.callee, b.operation);
              });
    if (out_.critical_path.size() > kShownDifferences) out_.critical_path.resize(kShownDifferences);
  }

  // --- the verdict ----------------------------------------------------------------------------

  void Judge() {
    std::vector<std::string> worse;
    if (out_.duration.change == TimeChange::kSlower) worse.emplace_back("traces are slower");
    if (out_.duration.more_slow) worse.emplace_back("more traces are slow");
    const bool hop = std::any_of(
        out_.critical_path.begin(), out_.critical_path.end(),
        [](const ComparedHop& changed) { return changed.change == TimeChange::kSlower; });
    if (hop) worse.emplace_back("the critical path has slower hops");
    if (features_.got_worse()) worse.emplace_back("there are more errors");
    if (!worse.empty()) {
      out_.verdict = ComparisonVerdict::kFail;
      for (const std::string& what : worse) out_.reason += (out_.reason.empty() ? "" : "; ") + what;
      return;
    }
    out_.reason = TooLittle();
    out_.verdict =
        out_.reason.empty() ? ComparisonVerdict::kPass : ComparisonVerdict::kInconclusive;
    if (out_.reason.empty()) out_.reason = "nothing got worse";
  }

  std::string TooLittle() const {
    for (const auto& [side, name] :
         {std::pair{&out_.baseline, "baseline"}, std::pair{&out_.candidate, "candidate"}}) {
      if (side->comparable >= kLeastComparedTraces) continue;
      return std::to_string(side->comparable) + " comparable traces of the " + name + ", want " +
             std::to_string(kLeastComparedTraces);
    }
    if (out_.detectable_growth > kMostUnnoticedGrowth) {
      return "too few traces for how much their durations vary: growth of " +
             std::to_string(std::lround(100 * out_.detectable_growth)) + " % might go unnoticed";
    }
    return {};
  }

  const RecordedTraces& traces_;
  const ComparedRecords records_;
  FeatureComparer features_;
  Surety surety_;
  Slowness duration_;
  TestResult slow_;
  Pair slow_traces_ = {};
  double spread_ = 0;           // Of logarithms of durations.
  double pairs_of_traces_ = 0;  // n0 n1 / (n0 + n1), over the kinds of requests.
  std::vector<HopTimes> hops_;
  Comparison out_;
};

}  // namespace

ComparedTraces SelectTraces(const RecordedTraces& traces, TimeSpan baseline, TimeSpan candidate) {
  ComparedTraces out;
  for (std::uint32_t t = 0; t < traces.traces.size(); ++t) {
    const TraceRecord& trace = traces.traces[t];
    const auto in = [&trace](const TimeSpan& window, unsigned filter) {
      return (trace.filters & filter) != 0 && trace.start_unix_ns >= window.start_unix_ns &&
             trace.start_unix_ns < window.end_unix_ns;
    };
    const bool first = in(baseline, 1);
    const bool second = in(candidate, 2);
    if (first && second) {
      ++out.in_both;
    } else if (first) {
      out.baseline.push_back(t);
    } else if (second) {
      out.candidate.push_back(t);
    }
  }
  return out;
}

std::string_view VerdictName(ComparisonVerdict verdict) {
  switch (verdict) {
    case ComparisonVerdict::kPass: return "pass";
    case ComparisonVerdict::kFail: return "fail";
    case ComparisonVerdict::kInconclusive: break;
  }
  return "inconclusive";
}

std::string_view ChangeName(TimeChange change) {
  switch (change) {
    case TimeChange::kSame: return "same";
    case TimeChange::kSlower: return "slower";
    case TimeChange::kFaster: break;
  }
  return "faster";
}

Comparison Compare(const RecordedTraces& traces, const ComparedTraces& compared) {
  return Comparer(traces, compared).Run();
}

}  // namespace throughline
