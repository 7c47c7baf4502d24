// The tree that the spans of one trace make, with what is wrong in it.
//
// Pure and bounded: n log n in the spans, no recursion, whatever ids and times senders made up.
// Nothing here depends on the order in which the spans stand in the batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "correlate/batch.h"

namespace throughline {

// Of spans that share one id, so many are looked at.
inline constexpr std::ptrdiff_t kMostHalves = 16;

// A place is a position in `order`, never an index into Batch::spans.
struct TraceTree {
  std::vector<std::uint32_t> order;  // Indices into Batch::spans, by (effective start, span id,
                                     // identity).

  // By place. kNoIndex: nobody here. Where parents go in a circle, the earliest span of the circle
  // is cut from its parent. The server half of a span id that two halves share (Zipkin) stands
  // under the client half; children of that id stand under the half of their own service, else
  // under the server half.
  std::vector<std::uint32_t> parent;
  std::vector<std::uint32_t> first_child;
  std::vector<std::uint32_t> next_sibling;  // In order of places.
  std::vector<std::uint32_t> depth;         // 0 for spans without a parent here.

  // The earliest span without a parent, else the earliest with a missing one, else (a circle) the
  // earliest. kNoIndex: no spans.
  std::uint32_t root = kNoIndex;

  std::uint64_t roots = 0;              // Spans without a parent id.
  std::uint64_t duplicates = 0;         // Spans beyond the first of their span id.
  std::uint64_t loops = 0;              // Circles that were cut.
  std::vector<SpanId> missing_parents;  // Named as parents and not here; sorted, distinct.

  const Span& At(const Batch& batch, std::uint32_t place) const {
    return batch.spans[order[place]];
  }

  struct Named {
    SpanId id;
    std::uint32_t place = 0;
    auto operator<=>(const Named&) const = default;
  };
  // The spans with this id: one, or the halves that share it, and of those the first kMostHalves.
  std::span<const Named> HalvesOf(SpanId id) const;
  std::vector<Named> by_id;  // Sorted.
};

TraceTree BuildTraceTree(const Batch& batch);

}  // namespace throughline
