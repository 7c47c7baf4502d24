// Which spans of one trace a TraceQL query selects.
//
// Pure and bounded: the work is linear in spans times the query's parts, with a sort of the spans
// by depth for structural operators. Recursion goes as deep as the query.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/query/traceql.h"
#include "api/query/traceql_trace.h"

namespace throughline::api::query::traceql {

struct SelectedSpans {
  std::vector<std::uint32_t> places;  // Sorted, distinct, at least one.
  // What by() grouped and aggregates said of it: {"by(name)", value}, {"count()", value}.
  std::vector<std::pair<std::string, Constant>> attributes;
};

// `trace` must outlive it.
class Evaluator {
 public:
  explicit Evaluator(const Trace& trace) : trace_(trace) {}

  // Empty: the trace is not selected. Several sets: after by().
  std::vector<SelectedSpans> Select(const Pipeline& pipeline);

  // Whether a span satisfies a condition. An absent field satisfies no comparison but `= nil`.
  bool Holds(const Expr& condition, std::uint32_t place);
  // The values of an expression at a span.
  std::vector<Datum> ValuesOf(const Expr& expr, std::uint32_t place);
  // The spans of `among` that a spanset expression selects.
  std::vector<std::uint32_t> Select(const Spanset& spanset,
                                    const std::vector<std::uint32_t>& among);

 private:
  using Places = std::vector<std::uint32_t>;

  std::vector<SelectedSpans> SelectFrom(const Pipeline& pipeline, Places all);
  Places Operation(const Spanset& spanset, const Places& among);
  // Those of `candidates` that stand in relation `op` to one of `others`.
  Places Related(SpansetOp op, const Places& others, const Places& candidates);
  const Places& ByDepth();
  void Group(const Stage& stage, std::vector<SelectedSpans>& sets);
  void Keep(const Stage& stage, std::vector<SelectedSpans>& sets);
  bool HoldsComparison(const Expr& comparison, std::uint32_t place);

  const Trace& trace_;
  Places by_depth_;  // Empty: not sorted yet.
};

}  // namespace throughline::api::query::traceql
