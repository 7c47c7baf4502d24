// Prometheus remote write to exemplars and kept gauges: prometheus.WriteRequest (1.0) and
// io.prometheus.write.v2.Request (2.0), both uncompressed protobuf.
//
// A pure function of the bytes and the options. It appends to `batch`; `bytes` must outlive it (put
// the body into batch.body first and pass its view). On an error the batch is to be dropped.
//
//  - kInvalidArgument, with the byte offset: not protobuf, a message of the other version, or
//    symbols that do not begin with "". kTooLarge: more exemplars or more gauge points than
//    options.records_per_request, more symbols than kMaxSymbols.
//  - Samples of gauges that options.gauges names are kept (exemplars/series.h). Other samples,
//    staleness markers among them, and native histograms are counted and passed by. Only 2.0 says
//    a type with the series; the metadata of 1.0 is passed by. Exemplars may stand in a series
//    without samples, as Prometheus sends them.
//  - A series is refused alone: without a name or with one twice, with text that is no UTF-8, with
//    references that are odd in number or outside of the symbols. What else is in the request
//    stays. Labels that are out of order are taken.
//  - 2.0 tells the type and the unit of a metric; otherwise the type is known of buckets and of
//    native histograms on the same series. 1.0's metadata comes in requests of its own.
//
// Sources: Prometheus remote write 1.0 and 2.0 specifications; prometheus/prompb remote.proto and
// types.proto, io/prometheus/write/v2/types.proto. Labels and ids: exemplars/series.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::exemplars {

enum class WriteVersion { k1, k2 };

// Senders of 2.0 have some hundred thousand symbols at the most.
inline constexpr std::size_t kMaxSymbols = 1'000'000;

struct DecodedWrite {
  Decoded exemplars;
  // What 2.0 calls written: all that is not refused, whether it is kept or not.
  std::size_t samples = 0;
  std::size_t histograms = 0;
  std::size_t gauge_points = 0;       // Of the samples: kept, in batch.gauges.
  std::size_t written_exemplars = 0;  // accepted + unlinked.
  // Series refused as a whole, or with one of their exemplars. For any of them 2.0 must not be
  // answered with success ("Partial Write"); 1.0 has no way to say it.
  std::size_t rejected_series = 0;
  std::string first_bad_series;  // "series 3: no metric name", counted from 0.
};

Result<DecodedWrite> DecodeRemoteWrite(std::string_view bytes, WriteVersion version,
                                       const DecodeOptions& options, Batch& batch);

}  // namespace throughline::exemplars
