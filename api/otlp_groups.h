// Which spans of a trace stand under one resource and one scope, for every answer in OTLP's shape.
//
// Spans stand in the tree's order under their resource and scope, which stand in the order of
// their first span; equal resources are one, whoever sent them.
#pragma once

#include <cstdint>
#include <vector>

#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"

namespace throughline::api {

// One span of a run under one resource and one scope, both by their first span.
struct OtlpMember {
  std::uint32_t resource_rank = 0;  // The place of the first span of the resource.
  std::uint32_t scope_rank = 0;     // The place of the first span of resource and scope.
  std::uint32_t place = 0;          // In the tree's order.
  std::uint32_t resource = kNoIndex;
  std::uint32_t scope = kNoIndex;
};

// By (resource_rank, scope_rank, place).
std::vector<OtlpMember> OtlpGroups(const Batch& batch, const TraceTree& tree);

}  // namespace throughline::api
