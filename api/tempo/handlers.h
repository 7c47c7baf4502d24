// What Tempo answers, so that Grafana's data source of that name works against this gateway
// (docs/grafana.md).
//
// Errors are one line of text, which Grafana shows as it is. Parameters that are not known are
// passed by, as Tempo does. Sources: grafana.com/docs/tempo/latest/api_docs; the messages of
// tempopb, of which the data source's JSON parser takes no field that it does not know.
#pragma once

#include "api/http.h"
#include "api/links/handlers.h"

namespace throughline::api::tempo {

using links::Context;

Response Echo(const Request& request, const Context& context);        // GET /api/echo
Response NoBuildInfo();                                               // GET /api/status/buildinfo
Response GetTraceV1(const Request& request, const Context& context);  // GET /api/traces/{id}
Response GetTraceV2(const Request& request, const Context& context);  // GET /api/v2/traces/{id}
Response Search(const Request& request, const Context& context);      // GET /api/search
Response TagsV1(const Request& request, const Context& context);      // GET /api/search/tags
Response TagsV2(const Request& request, const Context& context);      // GET /api/v2/search/tags
// GET /api/search/tag/{tag}/values and /api/v2/search/tag/{tag}/values; a tag may hold slashes.
Response TagValuesV1(const Request& request, const Context& context);
Response TagValuesV2(const Request& request, const Context& context);
// GET /api/metrics/query_range and /api/metrics/query.
Response MetricsRange(const Request& request, const Context& context);
Response MetricsInstant(const Request& request, const Context& context);

// By the Accept header of a request: protobuf was asked for.
bool WantsProtobuf(const Request& request);

}  // namespace throughline::api::tempo
