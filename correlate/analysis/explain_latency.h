// Where the added time is: which calls and operations are slower than normal, and which service
// each of them speaks against.
//
// A slow call between two services may be the callee, the network or the caller's client, so it
// counts for the callee, and with kCallerWeight for the caller; each call is given to the service
// that most of the added time speaks against, greedily.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "correlate/analysis/explain_model.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

inline constexpr double kCallerWeight = 0.6;
inline constexpr double kNewEdgeThresholdMs = 5;  // Of a call that the baseline has not seen.

struct SlowItem {
  std::uint32_t item = 0;
  std::uint32_t total = 0;  // Spans in the window.
  std::uint32_t slow = 0;
  double added_ms = 0;   // Over the median, of all slow ones.
  double weight_ms = 0;  // Of that, what the baseline does not explain.
  double median_ms = 0;  // In the baseline.
  double z = 0;
  double share = 0;
  std::vector<std::uint32_t> traces;  // With slow ones; sorted.
};

struct SlowService {
  double score = 0;
  double inward = 0;       // The share of its weight on calls to it.
  double added_share = 0;  // Of the window's time, what its items added.
  double z = 0;
  double slow_share = 0;             // Of the spans of the items that carry most of the weight.
  std::uint32_t traces = 0;          // With slow spans of its items.
  std::vector<std::uint32_t> items;  // Into SlowParts::items; the heaviest first.
};

struct SlowParts {
  std::vector<SlowItem> items;                       // The heaviest first.
  std::map<std::string_view, SlowService> services;  // By name; views the traces' names.
  double weight_ms = 0;                              // Of all items.
  double normal_ms = 0;                              // What the window's traces would have taken.

  // Of the window's time, the part that was added.
  double share() const { return weight_ms > 0 ? weight_ms / (weight_ms + normal_ms) : 0; }
};

SlowParts FindSlowParts(const RecordedTraces& traces, const BaselineModel& baseline,
                        TraceWindow window);

}  // namespace throughline
