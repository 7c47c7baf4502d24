// The metrics that Tempo's service graph and span metrics would have, computed from stored spans:
// what Grafana asks for its Service Graph tab, for the links of its edges, and for trace to
// metrics.
//
// A call is a span whose parent is of another service, or a client span without children that names
// its peer. Numbers are counted from the spans that are held, each at its start, and are whole or
// not given: a walk that a bound ended has no series, and its warning says which bound.
// Source: Tempo, modules/generator/processor/servicegraphs and .../spanmetrics (names and labels).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/http.h"
#include "api/links/handlers.h"
#include "api/prometheus/exemplar_series.h"
#include "api/query/promql.h"
#include "api/query/text_match.h"
#include "correlate/query.h"

namespace throughline::api::prometheus {

enum class SpanMetric : std::uint8_t {
  kGraphTotal,     // traces_service_graph_request_total, and ..._seconds_count
  kGraphFailed,    // traces_service_graph_request_failed_total
  kServerSeconds,  // traces_service_graph_request_server_seconds_sum, _bucket
  kClientSeconds,  // traces_service_graph_request_client_seconds_sum, _bucket
  kSpanCalls,      // traces_spanmetrics_calls_total, and ..._latency_count
  kSpanLatency,    // traces_spanmetrics_latency_sum, _bucket
};

// One of the expressions that are answered:
//   sum by (...) (rate|increase(METRIC{...}[R])), the same within topk(k, ...),
//   group by (...) (METRIC{...}),
//   histogram_quantile(q, sum by (le, ...) (rate(METRIC_bucket{...}[R]))).
struct SpanExpression {
  enum class Of : std::uint8_t { kRate, kIncrease, kGroup, kQuantile };
  SpanMetric metric = SpanMetric::kGraphTotal;
  Of of = Of::kRate;
  std::vector<std::pair<std::string, query::TextMatch>> matchers;
  std::vector<std::string> by;
  std::uint64_t range_ns = 0;
  double quantile = 0;
  std::optional<std::size_t> top;  // Of an instant; a range has no one order.
};

// nullopt: none of them, so nothing that spans could answer.
std::optional<SpanExpression> ReadSpanExpression(const query::PromQl& expression);

struct SpanSeries {
  struct Point {
    std::uint64_t unix_ns = 0;
    double value = 0;
  };
  LabelSet labels;
  std::vector<Point> points;  // Of the times before which, within the range, there are spans.
};

struct SpanAnswer {
  std::vector<SpanSeries> series;
  std::string warning;  // What the numbers are made of, or why there are none.
};

// At the times `first`, `first` + `step`, ... up to `last`; an instant has first = last.
struct SpanTimes {
  std::uint64_t first_unix_ns = 0;
  std::uint64_t last_unix_ns = 0;
  std::uint64_t step_ns = 1;
};

Result<SpanAnswer> Evaluate(const SpanExpression& expression, const SpanTimes& times,
                            const Request& request, const links::Context& context);

}  // namespace throughline::api::prometheus
