#include "correlate/analysis/record_names.h"

#include <algorithm>

namespace throughline {

std::string ContextText(const RecordedTraces& traces, std::uint32_t context) {
  const ContextKey& key = traces.contexts.At(context);
  return std::string(traces.names.At(key.service)) + " " +
         std::string(traces.names.At(key.operation));
}

ItemName NameOf(const RecordedTraces& traces, const ItemKey& item) {
  if (item.is_edge) return {traces.names.At(item.from), traces.names.At(item.to), {}};
  const ContextKey& context = traces.contexts.At(item.from);
  return {traces.names.At(context.service), {}, traces.names.At(context.operation)};
}

FeatureName NameOf(const RecordedTraces& traces, const FeatureKey& feature) {
  switch (feature.kind) {
    case FeatureKind::kCall:
    case FeatureKind::kLastCall:
      return {"call", feature.of == kNoIndex ? std::string() : ContextText(traces, feature.of)};
    case FeatureKind::kLine: return {"log", std::string(traces.names.At(feature.of))};
    case FeatureKind::kClass:
      return {"class", std::string(traces.names.At(traces.classes[feature.of]))};
    case FeatureKind::kStatus: return {"status", "error"};
    case FeatureKind::kException: break;
  }
  return {"exception", std::string(traces.names.At(feature.of))};
}

std::vector<TraceId> ExamplesOf(const RecordedTraces& traces, std::vector<std::uint32_t> places,
                                std::size_t count) {
  std::stable_partition(places.begin(), places.end(), [&traces](std::uint32_t trace) {
    return traces.traces[trace].has_exemplar;
  });
  if (places.size() > count) places.resize(count);
  std::vector<TraceId> ids;
  for (const std::uint32_t trace : places) ids.push_back(traces.traces[trace].trace_id);
  return ids;
}

}  // namespace throughline
