// What of a TraceQL query the store can search by.
#pragma once

#include <vector>

#include "api/query/traceql.h"
#include "correlate/query.h"

namespace throughline::api::query::traceql {

// Conditions that a span of every selected trace satisfies, time and limit left open. What the
// pipeline says beyond is left to the Evaluator.
//
// One thing is not found so: a list, by a condition on one of its items. Keys that hold lists by
// convention (request and response headers, metadata, arguments) are therefore left to the
// Evaluator, too.
TraceQuery CandidatesOf(const Pipeline& pipeline);

// Whether what a span contributes depends on other spans of its trace: on a relation, a number of
// spans, or a field of the trace.
bool NeedsWholeTrace(const Query& query);

// The fields that a query names, for the columns of its answer: in order, each once.
std::vector<Field> FieldsOf(const Pipeline& pipeline);

}  // namespace throughline::api::query::traceql
