// OTLP traces to spans: ExportTraceServiceRequest in protobuf and in OTLP/JSON.
//
// Pure functions of the bytes and the options. They append to `batch`; `bytes` must outlive it
// (put the body into batch.body first and pass its view). On an error the batch is to be dropped.
//
//  - Bytes that are no message, or text that is no UTF-8 in a string field, are kInvalidArgument
//    with the byte offset (protobuf) or the JSON path. Too many records are kTooLarge.
//  - A span whose ids cannot be used is rejected alone; a parent id of wrong size rejects the span;
//    an all-zero parent is a root; a link with broken ids is dropped and counted, the span stays.
// Sources: opentelemetry-proto v1.x trace/v1/trace.proto; OTLP 1.x "JSON Protobuf Encoding".
#pragma once

#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::spans {

Result<Decoded> DecodeOtlp(std::string_view bytes, const DecodeOptions& options, Batch& batch);

// `bytes` must be followed by Body::kPadding readable bytes.
Result<Decoded> DecodeOtlpJson(std::string_view bytes, const DecodeOptions& options, Batch& batch);

}  // namespace throughline::spans
