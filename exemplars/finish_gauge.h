// Takes the gauge points of one request into a batch: what all encodings share once the fields of a
// point are read.
#pragma once

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::exemplars {

// Appends the point with its service (the resource's, unless it states one) and its identity.
// False: passed by, because it has no time to stand at, or its value is not a number (which is how
// Prometheus says that a series has ended). kTooLarge: over options.records_per_request.
Result<bool> AcceptGauge(GaugePoint& point, const DecodeOptions& options, Batch& batch);

}  // namespace throughline::exemplars
