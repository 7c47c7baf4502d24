// Zipkin v2 to spans: what POST /api/v2/spans takes, a JSON list of spans or the protobuf message
// zipkin.proto3.ListOfSpans.
//
// Pure functions of the bytes and the options. They append to `batch`; `bytes` must outlive it (put
// the body into batch.body first and pass its view). On an error the batch is to be dropped.
//
//  - Bytes that are no list of spans, a field of another type, and text that is no UTF-8 are
//    kInvalidArgument with the byte or the JSON path ([3].timestamp). Too many spans are kTooLarge.
//  - A span whose ids cannot be used is rejected alone. What a span means is in zipkin_span.h.
//  - Both encodings of one span have one identity.
// Sources: zipkin-api, zipkin2-api.yaml and zipkin.proto.
#pragma once

#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::spans {

// `bytes` must be followed by Body::kPadding readable bytes.
Result<Decoded> DecodeZipkinJson(std::string_view bytes, const DecodeOptions& options,
                                 Batch& batch);

Result<Decoded> DecodeZipkinProto(std::string_view bytes, const DecodeOptions& options,
                                  Batch& batch);

}  // namespace throughline::spans
