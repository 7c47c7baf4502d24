// Log lines under the spans of their trace.
//
// A line that names its span stays there. One that does not goes under the innermost span of its
// service that was open at its time, and is marked inferred. A line that states no service has
// that of the span it names, else of the trace's root, and is marked too. Only what was sent is
// stored; all of this is worked out on reading, so the order of arrival changes nothing.
//
// Pure and bounded: (spans + lines) log (spans + lines).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"

namespace throughline {

// Views the batch of the lines, or of the spans.
struct PlacedLine {
  std::uint32_t index = 0;  // In Batch::logs.
  EffectiveTime time;
  std::string_view service;  // Empty: neither stated nor to be inferred.
  bool service_inferred = false;
  SpanId span_id;  // Invalid: none named, and none open.
  bool span_inferred = false;
};

// The lines `indices` of `lines`, which belong to the trace of `tree`, by (time, span id as sent,
// identity). `spans` is the batch of the tree, and may be `lines` itself.
std::vector<PlacedLine> PlaceLines(const Batch& spans, const TraceTree& tree, const Batch& lines,
                                   std::span<const std::uint32_t> indices);

}  // namespace throughline
