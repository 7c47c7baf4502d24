// GET /coverage as JSON: the figures of each service, what is wrong, and what cannot be known.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "correlate/analysis/coverage.h"
#include "correlate/analysis/coverage_advice.h"
#include "correlate/analysis/explain_baseline.h"
#include "wire/json_writer.h"

namespace throughline::api::links {

struct CoverageAnswer {
  TimeSpan window;
  Coverage coverage;
  std::vector<Advice> advice;
  bool unlinked_kept = false;     // Else the shares of what has ids are null.
  std::size_t most_services = 0;  // And as much advice, and as many pairs of hosts.
};

void WriteCoverage(wire::JsonWriter& json, const CoverageAnswer& answer);

}  // namespace throughline::api::links
