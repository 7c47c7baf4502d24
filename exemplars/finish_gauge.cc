#include "exemplars/finish_gauge.h"

#include <cmath>
#include <string>

#include "correlate/identity.h"

namespace throughline::exemplars {

Result<bool> AcceptGauge(GaugePoint& point, const DecodeOptions& options, Batch& batch) {
  if (point.time_unix_ns == 0 || std::isnan(point.value)) return false;
  if (batch.gauges.size() >= options.records_per_request) {
    return Error{Errc::kTooLarge, "more than " + std::to_string(options.records_per_request) +
                                      " gauge points in one request"};
  }
  const Resource* const resource = batch.ResourceOf(point.resource);
  if (point.service.empty() && resource != nullptr) point.service = resource->service;
  point.identity = IdentityOf(point, batch, options.hash_seed);
  batch.gauges.push_back(point);
  return true;
}

}  // namespace throughline::exemplars
