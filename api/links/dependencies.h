// The service graph of a time, from the store: one implementation for our API and Jaeger's.
#pragma once

#include <string>

#include "api/http.h"
#include "api/links/handlers.h"
#include "correlate/analysis/explain_baseline.h"
#include "correlate/analysis/service_graph.h"
#include "correlate/result.h"

namespace throughline::api::links {

struct ReadGraph {
  ServiceGraph graph;
  bool complete = true;
  std::string incomplete_reason;
};

// Of the traces whose roots start in the window.
Result<ReadGraph> ReadServiceGraph(const Request& request, const Context& context,
                                   const TimeSpan& window);

}  // namespace throughline::api::links
