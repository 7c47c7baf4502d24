// The spans of one trace as OTLP's TracesData in protobuf, for every API that answers in it.
//
// Grouped and ordered as api/otlp_groups.h says, so equal traces are equal bytes.
// Source: opentelemetry-proto v1.x trace/v1/trace.proto.
#pragma once

#include <string>
#include <string_view>

#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"

namespace throughline::api {

// Readers that dereference resource, scope and status without looking get them always, and of a
// resource without attributes, whose spans they lose, a service.name.
enum class OtlpPresence { kAsSent, kAlways };

inline constexpr std::string_view kUnknownService = "unknown_service";

std::string OtlpTracesData(const Batch& batch, const TraceTree& tree, OtlpPresence presence);

}  // namespace throughline::api
