// The baseline when none is given: which earlier windows are normal.
//
// Candidates lie on a grid of the spike's length that ends where the spike begins. The two just
// before are never taken: what became a spike has often begun there. A candidate is a spike itself
// where explain names a culprit for it against its own earlier candidates that are none; never is
// it compared with what came later, so the answer of yesterday is the answer of today. The newest
// kBaselineWindows that are no spikes are the baseline. Where no window of the spike's length has
// traces enough, windows of twice that length are tried, and so on.
//
// Pure and bounded: one explanation a candidate, of which there are at most kMostCandidates.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "correlate/analysis/explain_model.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

inline constexpr std::size_t kBaselineWindows = 5;
inline constexpr std::size_t kSkippedWindows = 2;      // Just before the spike.
inline constexpr std::size_t kMostCandidates = 24;     // With enough traces; the newest.
inline constexpr std::uint32_t kCandidateTraces = 20;  // Fewer: no candidate.
inline constexpr std::uint64_t kMostWidening = 16;     // Times the spike's length.
inline constexpr std::size_t kMostGridWindows = 100'000;

// [start, end), unix time.
struct TimeSpan {
  std::uint64_t start_unix_ns = 0;
  std::uint64_t end_unix_ns = 0;
  std::uint64_t length_ns() const {
    return end_unix_ns > start_unix_ns ? end_unix_ns - start_unix_ns : 0;
  }
  bool operator==(const TimeSpan&) const = default;
};

struct ChosenBaseline {
  std::vector<TimeSpan> windows;  // In order of time.
  std::vector<TimeSpan> spikes;   // Candidates that were marked.
};

// The grid is laid from the spike's start back over `lookback_ns`, as far as there are traces.
ChosenBaseline ChooseBaseline(const RecordedTraces& traces, TimeSpan spike,
                              std::uint64_t lookback_ns);

}  // namespace throughline
