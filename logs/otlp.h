// OTLP logs to lines: ExportLogsServiceRequest in protobuf and in OTLP/JSON.
//
// The trace id of a record is its own field; without one, the attributes that are named like one
// (correlate/find.h, TraceKeyKind), then the text of the body. A record with a broken trace id is
// rejected alone; without any id it is unlinked. Errors as in spans/otlp.h.
// Sources: opentelemetry-proto v1.x logs/v1/logs.proto; OTLP 1.x "JSON Protobuf Encoding".
#pragma once

#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::logs {

Result<Decoded> DecodeOtlp(std::string_view bytes, const DecodeOptions& options, Batch& batch);

// `bytes` must be followed by Body::kPadding readable bytes.
Result<Decoded> DecodeOtlpJson(std::string_view bytes, const DecodeOptions& options, Batch& batch);

}  // namespace throughline::logs
