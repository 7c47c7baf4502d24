// OpenMetrics 1.0 and Prometheus' text format 0.0.4 to exemplars and gauges. See exposition.h.
//
//  - All of the text must be UTF-8. OpenMetrics is refused where its grammar is broken
//    (wire/openmetrics.h), where an exemplar stands on a metric that is neither a counter nor a
//    histogram nor of unknown type, and where the labels of one have more than 128 characters.
//  - The type and unit of a metric are those that its family states.
// Sources: OpenMetrics 1.0, "Exemplars", "Supported Metric Types".
#pragma once

#include <string_view>

#include "exemplars/exposition.h"
#include "wire/openmetrics.h"

namespace throughline::exemplars {

// OpenMetrics' bound on the names and values of an exemplar's labels together, in code points.
inline constexpr std::size_t kMaxExemplarCharacters = 128;

Result<DecodedExposition> DecodeExpositionText(std::string_view bytes,
                                               wire::OpenMetricsReader::Dialect dialect,
                                               const ScrapeTarget& target,
                                               const DecodeOptions& options, Batch& batch);

}  // namespace throughline::exemplars
