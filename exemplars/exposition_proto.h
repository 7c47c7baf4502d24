// The protobuf exposition to exemplars and gauges: io.prometheus.client.MetricFamily messages, each
// behind its length. See exposition.h.
//
//  - A counter's exemplar stands on the family's name. One of a bucket stands on `..._bucket` with
//    the label `le`, spelt as OpenMetrics does (0.5, 1.0, 1e+06, +Inf), so that it is the same
//    series in every format. One of a native histogram stands on the family's name, and has the
//    bound of its bucket. Exemplars that a histogram has in both places are two.
//  - Text must be UTF-8.
// Sources: prometheus/client_model metrics.proto; prometheus.io, "Exposition formats", "Protobuf
// format".
#pragma once

#include <string_view>

#include "exemplars/exposition.h"

namespace throughline::exemplars {

Result<DecodedExposition> DecodeExpositionProto(std::string_view bytes, const ScrapeTarget& target,
                                                const DecodeOptions& options, Batch& batch);

}  // namespace throughline::exemplars
