// The spans of one trace as OTLP's ResourceSpans in JSON, for every API that answers in it.
//
// Grouped and ordered as api/otlp_groups.h says. Resource, scope and status are always there.
// Sources: opentelemetry-proto v1.x docs/specification.md, "JSON Protobuf Encoding" (ids in hex,
// enumerations as numbers); protobuf.dev/programming-guides/json (bytes in base64, enumerations by
// name).
#pragma once

#include "correlate/analysis/trace_tree.h"
#include "correlate/attribute.h"
#include "correlate/batch.h"
#include "wire/json_writer.h"

namespace throughline::api {

enum class OtlpJson {
  kOtlp,      // As OTLP says.
  kProtobuf,  // As protobuf's own mapping says, which Tempo answers in.
};

// The array of ResourceSpans.
void WriteResourceSpans(wire::JsonWriter& json, const Batch& batch, const TraceTree& tree,
                        OtlpJson form);

// {"stringValue": "x"}, and so on. What is nested too deep is left out.
void WriteAnyValue(wire::JsonWriter& json, std::string_view any_value);

}  // namespace throughline::api
