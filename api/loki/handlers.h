// The part of Loki's HTTP API that its clients and Grafana's data source ask
// (docs/grafana-logs-metrics.md). Mounted at /loki/api/v1 and, for the data source's URL,
// /loki/loki/api/v1.
//
// GET and POST, where the parameters stand in the URL, in a form, or in both. Errors are a line of
// text; what is wrong with a query has its line and column. What a bound or the deadline cut says
// so in "warnings".
// Source: grafana.com/docs/loki/latest/reference/loki-http-api.
#pragma once

#include "api/http.h"
#include "api/links/handlers.h"

namespace throughline::api::loki {

using links::Context;

Response Query(const Request& request, const Context& context);           // /query
Response QueryRange(const Request& request, const Context& context);      // /query_range
Response Labels(const Request& request, const Context& context);          // /labels
Response LabelValues(const Request& request, const Context& context);     // /label/{name}/values
Response Series(const Request& request, const Context& context);          // /series
Response IndexStats(const Request& request, const Context& context);      // /index/stats
Response IndexVolume(const Request& request, const Context& context);     // /index/volume
Response VolumeRange(const Request& request, const Context& context);     // /index/volume_range
Response DetectedLabels(const Request& request, const Context& context);  // /detected_labels
Response DetectedFields(const Request& request, const Context& context);  // /detected_fields
Response DetectedFieldValues(const Request& request,
                             const Context& context);  // /detected_field/{name}/values

}  // namespace throughline::api::loki
