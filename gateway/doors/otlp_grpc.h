// OTLP over gRPC: the Export methods of the three collector services.
// Source: OTLP 1.x, "OTLP/gRPC".
#pragma once

#include <cstddef>
#include <string>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "gateway/metrics.h"

namespace throughline::gateway {

struct GrpcDoor {
  struct Read {
    Decoded decoded;
    std::size_t passed_points = 0;  // Metric points, which are not kept.
  };

  Intake intake = Intake::kGrpcTraces;
  // Reads the inflated message, which stands in `batch`.
  Result<Read> (*decode)(const DecodeOptions& options, Batch& batch) = nullptr;
  // The export response, once the batch is stored.
  std::string (*answer)(const Decoded& decoded) = nullptr;
};

namespace doors {

extern const GrpcDoor kGrpcTraces;
extern const GrpcDoor kGrpcMetrics;
extern const GrpcDoor kGrpcLogs;

}  // namespace doors
}  // namespace throughline::gateway
