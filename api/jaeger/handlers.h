// What Jaeger's query service answers, so that Grafana's data source of that name works against
// this gateway (docs/grafana.md).
//
// v1 answers stand in {"data", "total", "limit", "offset", "errors"}, v3 ones are OTLP. Times are
// us in v1 bodies and searches, ms in the times of a lookup by id and of dependencies. Parameters
// that are not known are passed by. Source: github.com/jaegertracing/jaeger-idl, and the HTTP API
// that Jaeger's own page uses.
#pragma once

#include "api/http.h"
#include "api/links/handlers.h"

namespace throughline::api::jaeger {

using links::Context;

Response Services(const Request& request, const Context& context);  // GET /api/services
// GET /api/services/{service}/operations; a service may hold slashes.
Response Operations(const Request& request, const Context& context);
Response GetTrace(const Request& request, const Context& context);    // GET /api/traces/{id}
Response FindTraces(const Request& request, const Context& context);  // GET /api/traces
// GET /api/dependencies: who calls whom, counted in the traces of the time.
Response Dependencies(const Request& request, const Context& context);

Response ServicesV3(const Request& request, const Context& context);    // GET /api/v3/services
Response OperationsV3(const Request& request, const Context& context);  // GET /api/v3/operations
Response GetTraceV3(const Request& request, const Context& context);    // GET /api/v3/traces/{id}

}  // namespace throughline::api::jaeger
