#include "correlate/analysis/explain_baseline.h"

#include <algorithm>

#include "correlate/analysis/explain.h"

namespace throughline {
namespace {

struct Candidate {
  TimeSpan time;
  TraceWindow window;
};

// Windows of `length` with traces enough, in order of time.
std::vector<Candidate> CandidatesOf(const RecordedTraces& traces, std::uint64_t spike_start,
                                    std::uint64_t skipped_ns, std::uint64_t length,
                                    std::uint64_t earliest) {
  std::vector<Candidate> candidates;
  if (spike_start < skipped_ns) return candidates;
  std::uint64_t end = spike_start - skipped_ns;
  for (std::size_t i = 0; i < kMostGridWindows && candidates.size() < kMostCandidates; ++i) {
    if (end < earliest + length) break;
    const TimeSpan time{end - length, end};
    const TraceWindow window = WindowOf(traces, time.start_unix_ns, time.end_unix_ns);
    if (window.size() >= kCandidateTraces) candidates.push_back({time, window});
    end -= length;
  }
  std::reverse(candidates.begin(), candidates.end());
  return candidates;
}

}  // namespace

ChosenBaseline ChooseBaseline(const RecordedTraces& traces, TimeSpan spike,
                              std::uint64_t lookback_ns) {
  ChosenBaseline chosen;
  const std::uint64_t length = spike.length_ns();
  if (length == 0) return chosen;
  const std::uint64_t start = spike.start_unix_ns;
  const std::uint64_t earliest = start > lookback_ns ? start - lookback_ns : 0;
  std::vector<Candidate> candidates;
  for (std::uint64_t times = 1; times <= kMostWidening && candidates.empty(); times *= 2) {
    candidates = CandidatesOf(traces, start, kSkippedWindows * length, times * length, earliest);
  }
  const ExplainOptions options{.cpu = {}, .culprits = 1, .attributes = false};
  std::vector<TraceWindow> normal;  // The newest of those so far, as chosen.windows.
  for (const Candidate& candidate : candidates) {
    const Explanation explanation = Explain(traces, candidate.window, normal, options);
    if (explanation.verdict == Verdict::kCulprit) {
      chosen.spikes.push_back(candidate.time);
      continue;
    }
    chosen.windows.push_back(candidate.time);
    normal.push_back(candidate.window);
    if (normal.size() > kBaselineWindows) {
      normal.erase(normal.begin());
      chosen.windows.erase(chosen.windows.begin());
    }
  }
  return chosen;
}

}  // namespace throughline
