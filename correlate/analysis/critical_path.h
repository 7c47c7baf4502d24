// The spans that decided how long a trace took, each with the time that was its own.
//
// Each moment of the root belongs to one span: of the children that ran then to the one that
// finished last, and so on down; to the parent where none ran. So calls that overlap share the time
// between them without a gap, calls one after the other keep theirs, and the own times of all spans
// add up to the root's duration exactly. Children are clipped to the part of their parent that is
// on the path. What a parent cannot have waited for is off it: what began after its end, and the
// consumer of a message that was still at work then.
//
// Pure and bounded: n log n, no recursion, every span at most once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"

namespace throughline {

struct CriticalSpan {
  std::uint32_t place = 0;  // In the tree's order.
  std::uint64_t self_ns = 0;
};

struct CriticalPathOf {
  // In order of places. Of a root without duration: the root alone, with 0. Empty: no spans.
  std::vector<CriticalSpan> spans;
  // Why the path may not be the trace's; empty: it is. The path is given all the same, from the
  // span that stands for the root.
  std::string undetermined;
};

CriticalPathOf CriticalPath(const Batch& batch, const TraceTree& tree);

}  // namespace throughline
