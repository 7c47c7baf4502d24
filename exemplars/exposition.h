// What a Prometheus client exposes, scraped or pushed, to exemplars and kept gauges.
//
// Pure functions of the bytes, the target and the options. They append to `batch`; `bytes` must
// outlive it (put the body into batch.body first and pass its view). On an error, kInvalidArgument
// with the line or the byte offset or kTooLarge, the batch is to be dropped: a push is refused with
// it, and a scrape has failed.
//
//  - An exemplar that is no good (exemplars/series.h), or that stands on a series that is none, is
//    refused alone. `received` counts exemplars.
//  - Samples of gauges that options.gauges names are kept (exemplars/series.h), at their own time,
//    else at the target's; the other samples are counted and passed by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "exemplars/series.h"

namespace throughline::exemplars {

enum class ExpositionFormat {
  kOpenMetrics,  // application/openmetrics-text; version=1.0.0
  kText,         // text/plain; version=0.0.4
  kProtobuf,     // application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily;
                 // encoding=delimited
};

// Whose series they are, and when: labels that a scrape adds to each, job and instance among them.
// A series that has a label of the same name keeps it under the name `exported_...`, or, where
// labels are honoured, instead. Source: Prometheus configuration, `honor_labels`.
struct ScrapeTarget {
  std::span<const Label> labels = {};  // Copied.
  bool honor_labels = false;
  // When it was scraped or pushed; 0: not known, and points without a time are passed by.
  std::uint64_t time_unix_ns = 0;
};

struct DecodedExposition {
  Decoded exemplars;
  std::size_t samples = 0;       // In protobuf, as many as the text format has lines.
  std::size_t gauge_points = 0;  // Of the samples: kept, in batch.gauges.
};

Result<DecodedExposition> DecodeExposition(std::string_view bytes, ExpositionFormat format,
                                           const ScrapeTarget& target, const DecodeOptions& options,
                                           Batch& batch);

}  // namespace throughline::exemplars
