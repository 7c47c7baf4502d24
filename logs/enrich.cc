#include "logs/enrich.h"

#include "logs/enrich_shapes.h"

namespace throughline::logs {

Result<Enriched> Enrich(std::string_view bytes, EnrichShape shape, const EnrichOptions& options,
                        const TraceLookup& lookup) {
  TraceFields fields(options, lookup);
  switch (shape) {
    case EnrichShape::kNdjson:
    case EnrichShape::kJsonArray:
    case EnrichShape::kJsonObject: return EnrichJson(bytes, shape, options, fields);
    case EnrichShape::kLokiPush: return EnrichLokiPush(bytes, options, fields);
    case EnrichShape::kOtlpJson: return EnrichOtlpJson(bytes, options, fields);
    case EnrichShape::kOtlpProtobuf: return EnrichOtlpProtobuf(bytes, options, fields);
  }
  return InvalidArgument("unknown shape of records");
}

std::vector<TraceId> IdsToEnrich(std::string_view bytes, EnrichShape shape,
                                 const EnrichOptions& options) {
  std::vector<TraceId> ids;
  const TraceLookup record = [&ids](const throughline::Resolved& id, std::uint64_t) {
    ids.push_back(id.trace_id);
    return TraceAnswer{};
  };
  // A body that is not of the shape has no ids to wait for; Enrich says why.
  const auto enriched = Enrich(bytes, shape, options, record);
  if (!enriched) ids.clear();
  return ids;
}

}  // namespace throughline::logs
