// The query that finds a trace in another backend, ready to paste, and the URL that runs it.
//
// Every text that comes from records is quoted for its language and encoded for the URL, so that a
// service named by a sender cannot change the query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/links/handlers.h"
#include "correlate/query.h"
#include "correlate/trace_id.h"

namespace throughline::api::links {

struct BackendQuery {
  std::string language;  // logql, traceql, lucene, sql, jaeger, explore.
  std::string query;
  std::string url;  // Empty: the backend has no base URL.
};

// `services` narrow what must be narrowed by labels; `window` is where the trace's records lie.
//
//   loki           a line filter under the trace's services. Of an id whose high half is unknown
//   the
//                  16 digits that both widths share.
//   tempo          TraceQL by trace id
//   jaeger         the trace page of its UI
//   elasticsearch  a query string over the field names that shippers use
//   sql            the tables of the OpenTelemetry Collector's ClickHouse exporter
//   grafana        an Explore page; the data source is the one with the backend's name as its uid
BackendQuery QueryFor(const Backend& backend, TraceId trace_id, const TimeRange& window,
                      const std::vector<std::string>& services);

}  // namespace throughline::api::links
