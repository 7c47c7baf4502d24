// What is normal: the counts and times of the traces of one or more baseline windows.
//
// Of three windows or more the median window counts, so that a minority of windows that were not
// normal is outvoted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "correlate/analysis/explain_records.h"

namespace throughline {

// Traces, as indices into RecordedTraces::traces: those whose roots started in [start, end).
struct TraceWindow {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // Behind the last.
  std::uint32_t size() const { return last - first; }
};
TraceWindow WindowOf(const RecordedTraces& traces, std::uint64_t start_unix_ns,
                     std::uint64_t end_unix_ns);

struct ItemModel {
  double count = 0;  // Spans; 0: the item was never seen.
  double median_ms = 0;
  double threshold_ms = 0;  // What takes longer is slow.
  double slow = 0;          // So many of `count` were.
};

struct BaselineModel {
  std::vector<ItemModel> items;  // By item.
  std::vector<double> class_ms;  // By class: median duration of roots; <0: never seen.
  double duration_ms = 0;        // Median of all roots.
  // Of traces without errors, as long as at least kCleanShare of their class are.
  std::vector<std::uint32_t> cell_spans;     // By cell.
  std::vector<std::uint32_t> pair_spans;     // By pair: spans of the cell that have the feature.
  std::vector<std::uint64_t> service_lines;  // By name of service: linked lines.
  std::vector<std::uint32_t>
      trouble_traces;  // By feature that is trouble: all traces that have it.
  std::uint64_t traces = 0;
  std::uint32_t windows = 0;

  double ClassMs(std::uint32_t trace_class) const {
    return class_ms[trace_class] < 0 ? duration_ms : class_ms[trace_class];
  }
};

// A status, an exception or a line that says that something failed.
inline bool IsTrouble(const FeatureKey& feature) {
  return feature.kind == FeatureKind::kStatus || feature.kind == FeatureKind::kException ||
         feature.grade == LineGrade::kError;
}

// Calls `visit` with each such feature of a trace's spans.
template <typename Visit>
void EachTrouble(const RecordedTraces& traces, std::uint32_t trace, Visit visit) {
  const Range spans = traces.traces[trace].spans;
  if (!traces.traces[trace].has_error) return;
  for (std::uint32_t i = spans.begin; i < spans.begin + spans.count; ++i) {
    const Range pairs = traces.spans[i].pairs;
    for (std::uint32_t p = pairs.begin; p < pairs.begin + pairs.count; ++p) {
      const std::uint32_t feature = traces.pairs.At(traces.pairs_of[p]).feature;
      if (IsTrouble(traces.features.At(feature))) visit(feature);
    }
  }
}

inline constexpr double kCleanShare = 0.3;
inline constexpr double kLeastSpreadMs = 1;
inline constexpr std::size_t kVotingWindows = 3;

BaselineModel BuildBaseline(const RecordedTraces& traces, std::span<const TraceWindow> windows);

}  // namespace throughline
