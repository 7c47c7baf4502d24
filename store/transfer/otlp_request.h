// Batches to OTLP requests in protobuf: ExportTraceServiceRequest, ExportLogsServiceRequest,
// ExportMetricsServiceRequest.
//
//  - Records stand in groups of one resource and scope, in pieces of bounded size; what is sent
//    behind each other is one request.
//  - An exemplar stands on a data point of its metric that has its labels, its bucket's bound and
//    the flag "no recorded value": the points themselves are not stored. One of a metric whose type
//    is not known stands on a gauge.
//  - A sum is cumulative and not said to be monotonic: that is not stored.
//  - What OTLP has no place for is in a field of ours (otlp_extra.h).
// Source: opentelemetry-proto v1.x, trace/v1, logs/v1, metrics/v1.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "store/transfer/otlp_extra.h"

namespace throughline::store::transfer {

// Takes the next piece of a request. An error ends the writing.
using TakePiece = std::function<Result<void>(Signal signal, std::string_view piece)>;

// Gives all of the batch, in pieces that are closed when they have `piece_bytes`.
Result<void> WriteOtlp(const Batch& batch, std::size_t piece_bytes, const TakePiece& take);

}  // namespace throughline::store::transfer
