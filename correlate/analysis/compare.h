// Two selections of traces beside each other: is the candidate slower than the baseline, does it
// fail where that did not, and what does it do differently.
//
// A trace is one observation, whatever number of spans it has. Everything is compared within each
// kind of request (TraceRecord::trace_class), so another mix of requests is no difference. Tested
// are: the duration of traces; the share of slow ones; each hop's own time on critical paths; and
// for each operation whether its spans call, log, throw and fail as before. All of these tests
// together are wrong about two selections that are alike with a probability of kErrorLevel at most
// (CorrectionOf). What fails a comparison is time that grew and errors that became more; other
// differences are told.
//
// Nothing is learned and nothing is random: the same records give the same answer, in whatever
// order they came. Pure and bounded by the records (RecordLimits).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/analysis/explain_baseline.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

inline constexpr double kErrorLevel = 0.01;
// With fewer comparable traces on either side nothing passes.
inline constexpr std::uint64_t kLeastComparedTraces = 30;
// Nor where growth of this much might have gone unnoticed.
inline constexpr double kMostUnnoticedGrowth = 1;
// Growth below either is none, however sure: of what grew, and of the time of the whole trace.
inline constexpr double kLeastGrowth = 0.05;
inline constexpr double kLeastShareOfTrace = 0.003;
inline constexpr double kSlowQuantile = 0.95;         // Of both selections together: what is slow.
inline constexpr std::uint64_t kLeastCases = 3;       // Traces that have it, or it is not tested.
inline constexpr std::size_t kShownDifferences = 20;  // Of each list.
inline constexpr std::size_t kComparedExamples = 3;   // Traces, of each difference.

// Which traces are compared, as indices into RecordedTraces::traces.
struct ComparedTraces {
  std::vector<std::uint32_t> baseline;
  std::vector<std::uint32_t> candidate;
  std::uint64_t in_both = 0;  // Left out: they say nothing of a difference.
};

// Those with roots that start in the window of a selection and that satisfy its filter: the
// recorder's first filter is the baseline's, the second the candidate's.
ComparedTraces SelectTraces(const RecordedTraces& traces, TimeSpan baseline, TimeSpan candidate);

enum class ComparisonVerdict : std::uint8_t { kPass, kFail, kInconclusive };
std::string_view VerdictName(ComparisonVerdict verdict);  // "pass", "fail", "inconclusive".

enum class TimeChange : std::uint8_t { kSame, kSlower, kFaster };
std::string_view ChangeName(TimeChange change);  // "same", "slower", "faster".

struct ComparedSide {
  std::uint64_t traces = 0;
  std::uint64_t comparable = 0;  // Of kinds of requests that both sides have.
  std::uint64_t spans = 0;
  std::uint64_t lines = 0;
  std::uint64_t error_traces = 0;
  // Of the durations of comparable traces; 0 without any.
  double p50_ns = 0;
  double p95_ns = 0;
  double p99_ns = 0;
};

// All p values are corrected.
struct ComparedDuration {
  TimeChange change = TimeChange::kSame;
  double growth_ns = 0;     // Of the medians, within each kind of request.
  double growth_share = 0;  // Of the baseline's.
  double p = 1;
  bool more_slow = false;  // The share of slow traces grew.
  double baseline_slow_share = 0;
  double candidate_slow_share = 0;
  double slow_p = 1;
};

// A call, or an operation's own time.
struct ComparedHop {
  std::string caller;
  std::string callee;     // Empty: the caller's own operation.
  std::string operation;  // Empty for a call.
  TimeChange change = TimeChange::kSame;
  double baseline_median_ns = 0;  // Of one trace.
  double candidate_median_ns = 0;
  double growth_ns = 0;
  std::uint64_t baseline_traces = 0;  // That have it on their critical paths.
  std::uint64_t candidate_traces = 0;
  double p = 1;
  std::vector<TraceId> trace_ids;  // Of the candidate.
};

// What spans of an operation have more or less often.
struct ComparedFeature {
  std::string kind;  // call, log, status, exception.
  std::string pattern;
  std::string context;        // "service operation".
  std::string_view change;    // new, more, fewer, gone.
  double baseline_share = 0;  // Of the traces with the operation.
  double candidate_share = 0;
  std::uint64_t baseline_traces = 0;
  std::uint64_t candidate_traces = 0;
  double p = 1;
  std::string symptom_of;  // A service further down that fails in these traces; empty: none.
  std::vector<TraceId> trace_ids;  // Of the candidate; of the baseline where it is gone.
};

struct Comparison {
  ComparisonVerdict verdict = ComparisonVerdict::kInconclusive;
  std::string reason;
  ComparedSide baseline;
  ComparedSide candidate;
  std::uint64_t in_both = 0;
  std::uint64_t tests = 0;       // That could have found something.
  double detectable_growth = 0;  // Of durations, with a chance of 95 %; 0: cannot be said.
  ComparedDuration duration;
  // Only what differs, the surest first.
  std::vector<ComparedHop> critical_path;
  std::vector<ComparedFeature> errors;
  std::vector<ComparedFeature> calls;
  std::vector<ComparedFeature> logs;
};

Comparison Compare(const RecordedTraces& traces, const ComparedTraces& compared);

}  // namespace throughline
