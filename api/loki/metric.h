// LogQL's metric queries: numbers of lines and bytes over time, and of what unwrap takes out of
// them.
//
// A point whose window was not looked at whole (the bounds of a scan) is left out, with a warning:
// there is no number that is too small. As in Loki a line that a stage could not read is an error,
// unless the query drops it. Series of a range alone have the labels of the stream and what was
// parsed; by() may name structured metadata, too.
// Source: grafana.com/docs/loki/latest/query/metric_queries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/links/handlers.h"
#include "api/query/logql.h"
#include "correlate/result.h"
#include "correlate/scope.h"

namespace throughline::api::loki {

struct Steps {
  std::uint64_t start_unix_ns = 0;
  std::uint64_t step_ns = 1;
  std::size_t count = 1;

  std::uint64_t At(std::size_t i) const { return start_unix_ns + i * step_ns; }
};

using MetricLabels = std::map<std::string, std::string>;

struct Metric {
  bool is_scalar = false;  // A number: one series without labels.
  // A value a step; NaN: there is none.
  std::map<MetricLabels, std::vector<double>> series;
};

struct MetricNotes {
  std::vector<std::string> warnings;
  std::size_t lines = 0;
  std::size_t bytes = 0;
};

// kInvalidArgument: over limits.query_series, or a line that could not be read.
Result<Metric> Evaluate(const query::LogQl& expression, const Steps& steps, const Scope& scope,
                        const links::Context& context, MetricNotes& notes);

}  // namespace throughline::api::loki
