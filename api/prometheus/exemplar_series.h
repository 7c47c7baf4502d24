// The series that exemplars stand on, with the labels that Prometheus would give them.
//
// A series has the attributes of its data point in Prometheus' spelling (several that become one
// are joined by ';'), and what a selector can ask of every sender: service, service_name, job,
// instance, and le of classic buckets. Of its resource it has what `wanted` names.
// Source: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", OTLP metric
// points to Prometheus.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/links/handlers.h"
#include "api/query/selector.h"
#include "correlate/batch.h"
#include "correlate/query.h"
#include "correlate/scope.h"
#include "wire/json_writer.h"

namespace throughline::api::prometheus {

using LabelSet = std::map<std::string, std::string, std::less<>>;

void WriteLabels(wire::JsonWriter& json, const LabelSet& labels);

// With __name__: `name`, or where that is empty Prometheus' own.
LabelSet SeriesLabels(const Exemplar& exemplar, const Batch& batch, std::string_view name,
                      std::span<const std::string> wanted);

// The same number for exemplars of one series, without making its labels.
std::uint64_t SeriesHash(const Exemplar& exemplar, const Batch& batch);

// The exemplars of several selectors, each once.
struct FoundExemplar {
  const Batch* batch = nullptr;
  const Exemplar* exemplar = nullptr;
  std::uint32_t selector = 0;  // The first that found it.
};
struct FoundExemplars {
  std::vector<RecordPage> pages;         // Own the records; a page a selector.
  std::vector<FoundExemplar> exemplars;  // The newest first.
  std::vector<std::string> warnings;     // What is missing, and why.
};

// At most settings.exemplars_read, the newest. The same measurement that came in by several doors
// (metric, trace, span, value, a millisecond) counts once.
Result<FoundExemplars> FindExemplars(std::span<const query::Selector> selectors,
                                     const TimeRange& range, const Scope& scope,
                                     const links::Context& context);

}  // namespace throughline::api::prometheus
