// OTLP metrics to exemplars and kept gauges: ExportMetricsServiceRequest in protobuf and in
// OTLP/JSON.
//
// Pure functions of the bytes and the options. They append to `batch`; `bytes` must outlive it
// (put the body into batch.body first and pass its view). On an error the batch is to be dropped.
//
//  - Errors as in spans/otlp.h.
//  - Of every data point type (gauge, sum, histogram, exponential histogram) the exemplars are
//    kept, each with the upper bound of its bucket where the point has buckets (has_le). Points
//    without exemplars are passed by. `received` counts exemplars.
//  - Of gauges and cumulative sums that options.gauges names, the points are kept too, each a
//    GaugePoint. Deltas are passed by, since points are thinned and deltas would no longer add up;
//    so is a point that cannot stand alone: without a time or a value, with a value that is no
//    number, flagged "no recorded value", or with more attributes than
//    options.attributes_per_record.
//  - An exemplar without a trace id is unlinked; one with a broken id is rejected alone. A
//    histogram whose bucket_counts and explicit_bounds disagree keeps its exemplars, without a
//    bound.
// Sources: opentelemetry-proto v1.x metrics/v1/metrics.proto; OTLP 1.x "JSON Protobuf Encoding".
#pragma once

#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::exemplars {

struct DecodedMetrics {
  Decoded exemplars;
  std::size_t data_points = 0;   // Seen and passed by: but for these no samples are kept.
  std::size_t gauge_points = 0;  // Kept, in batch.gauges.
  // Rejected data points for the partial success: those whose exemplars were all refused count 0;
  // OTLP has no count for exemplars, so their reasons go into the message alone.
};

Result<DecodedMetrics> DecodeOtlp(std::string_view bytes, const DecodeOptions& options,
                                  Batch& batch);

// `bytes` must be followed by Body::kPadding readable bytes.
Result<DecodedMetrics> DecodeOtlpJson(std::string_view bytes, const DecodeOptions& options,
                                      Batch& batch);

}  // namespace throughline::exemplars
