// The spans that decided how long a trace took, each with the time that was its own.
//
// From the end of the root backwards: the child that finished last was waited for, before it the
// child that finished last before that one began, and so on; what no such child covers is the
// parent's own time. Children are clipped to the part of their parent that is on the path, so a
// child that outlives its parent counts until the parent's end, and the own times of all spans add
// up to the root's duration exactly, whatever overlaps.
//
// Pure and bounded: n log n, no recursion, every span at most once.
#pragma once

#include <cstdint>
#include <vector>

#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"

namespace throughline {

struct CriticalSpan {
  std::uint32_t place = 0;  // In the tree's order.
  std::uint64_t self_ns = 0;
};

// In order of places. Of a root without duration: the root alone, with 0. Empty: no spans.
std::vector<CriticalSpan> CriticalPath(const Batch& batch, const TraceTree& tree);

}  // namespace throughline
