// The spans of one trace as OTLP's TracesData in protobuf, for every API that answers in it.
//
// Spans stand in the tree's order under their resource and scope, which stand in the order of
// their first span; equal resources are one, whoever sent them. So equal traces are equal bytes.
// Source: opentelemetry-proto v1.x trace/v1/trace.proto.
#pragma once

#include <string>

#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"

namespace throughline::api {

std::string OtlpTracesData(const Batch& batch, const TraceTree& tree);

}  // namespace throughline::api
