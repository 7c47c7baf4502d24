// One trace in the JSON of Jaeger's v1 API.
//
// Times and durations are whole us, integers. Every span names a process that is there. OTLP's
// parts become tags as its compatibility specification says: kind, status, scope, trace state;
// events become logs, the parent a CHILD_OF reference, links FOLLOWS_FROM ones.
// Source: opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger (its last version).
#pragma once

#include <string_view>

#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"
#include "wire/json_writer.h"

namespace throughline::api::jaeger {

// `missing` becomes a warning of the trace; empty: none.
void WriteTrace(wire::JsonWriter& json, TraceId id, const Batch& batch, const TraceTree& tree,
                std::string_view missing);

}  // namespace throughline::api::jaeger
