// Enriching, shape by shape: each gives the whole body back (logs/enrich.h).
#pragma once

#include <string_view>

#include "correlate/result.h"
#include "logs/enrich_fields.h"

namespace throughline::logs {

// kInvalidArgument where the body as a whole is not of the shape. The bytes need no padding.
Result<Enriched> EnrichJson(std::string_view bytes, EnrichShape shape, const EnrichOptions& options,
                            TraceFields& fields);
Result<Enriched> EnrichLokiPush(std::string_view bytes, const EnrichOptions& options,
                                TraceFields& fields);
Result<Enriched> EnrichOtlpJson(std::string_view bytes, const EnrichOptions& options,
                                TraceFields& fields);
Result<Enriched> EnrichOtlpProtobuf(std::string_view bytes, const EnrichOptions& options,
                                    TraceFields& fields);

}  // namespace throughline::logs
