// What of a LogQL selection the store can answer faster than by looking at every line.
//
// A trace id that every wanted line must have (`trace_id="..."`, the forms that Grafana writes for
// trace to logs, a line filter that is nothing but the id) makes it a lookup by id. A service and a
// text become conditions of the search. All conditions are still checked on what is found.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/query/logql.h"
#include "correlate/trace_id.h"

namespace throughline::api::loki {

struct Plan {
  std::optional<TraceId> trace_id;
  std::optional<std::string> service;
  std::string contains;
};

Plan PlanFor(const query::LogSelection& selection);

// Whether the service of a line, or what is made of it, decides if or how the line counts; where it
// does not, nobody needs to ask the line's trace for it. False for matchers that every service
// satisfies.
bool DependsOnService(const query::LogSelection& selection);
// Such a label.
bool IsOfService(std::string_view label);

// The trace whose lines a query asks for and no others; nullopt: it is not of one trace, a metric,
// or no query.
std::optional<TraceId> TraceOfQuery(std::string_view logql);

// Trace ids that conditions on `trace_id` compare with, as the label spells them: lower case, with
// leading zeros, and 16 digits for any high half.
void SpellTraceIds(query::LogSelection& selection);

}  // namespace throughline::api::loki
