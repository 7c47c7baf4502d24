// What is doubtful in a trace, counted: nothing of it is repaired in silence.
//
// Pure and bounded: linear in the spans. Nothing here depends on the order in which they stand.
#pragma once

#include <cstdint>
#include <vector>

#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"

namespace throughline {

struct TraceIntegrity {
  std::uint64_t roots = 0;                   // Spans without a parent id.
  std::vector<SpanId> missing_parents = {};  // Named and not here; sorted, distinct.
  std::uint64_t duplicates = 0;              // Spans beyond the first of their span id.
  std::uint64_t loops = 0;  // Circles of parents; each was cut at its earliest span.
  // Spans whose times do not fit their parent's: a clock that is off, or work that nobody waited
  // for. Each span counts once, in the first of these that it is.
  std::uint64_t end_before_start = 0;
  std::uint64_t after_parent = 0;   // Began at its parent's end, or later.
  std::uint64_t before_parent = 0;  // Began before its parent.
  std::uint64_t outlives_parent = 0;

  bool operator==(const TraceIntegrity&) const = default;
};

TraceIntegrity IntegrityOf(const Batch& batch, const TraceTree& tree);

}  // namespace throughline
