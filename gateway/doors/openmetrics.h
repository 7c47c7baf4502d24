// POST /api/v1/import/openmetrics: metrics pushed as text, for batch jobs that nobody can scrape.
// Query parameters `job` and `instance` become labels of every series that has none of that name.
// Source: OpenMetrics 1.0; Prometheus text format 0.0.4.
#pragma once

#include "gateway/doors/door.h"

namespace throughline::gateway::doors {

extern const HttpDoor kOpenMetrics;

}  // namespace throughline::gateway::doors
