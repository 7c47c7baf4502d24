// The part of Prometheus' HTTP API that its clients and Grafana's data source ask, answered from
// exemplars (docs/grafana-logs-metrics.md). Mounted at /prometheus/api/v1.
//
// Samples are not kept, so no value is made up: expressions other than constants and those of
// Tempo's service graph, which are counted from spans (span_metrics.h), answer an empty vector or
// matrix with a warning that says so. Exemplars are asked by the whole expression of a
// panel, of which every selector counts.
//
// GET and POST, where the parameters stand in the URL, in a form, or in both. Errors are
// {"status": "error", "errorType", "error"}.
// Source: prometheus.io/docs/prometheus/latest/querying/api.
#pragma once

#include "api/http.h"
#include "api/links/handlers.h"

namespace throughline::api::prometheus {

using links::Context;

Response Query(const Request& request, const Context& context);           // /query
Response QueryRange(const Request& request, const Context& context);      // /query_range
Response QueryExemplars(const Request& request, const Context& context);  // /query_exemplars
Response Labels(const Request& request, const Context& context);          // /labels
Response LabelValues(const Request& request, const Context& context);     // /label/{name}/values
Response Series(const Request& request, const Context& context);          // /series
Response Metadata(const Request& request, const Context& context);        // /metadata
Response Rules(const Request& request, const Context& context);           // /rules
Response BuildInfo(const Request& request, const Context& context);       // /status/buildinfo

}  // namespace throughline::api::prometheus
