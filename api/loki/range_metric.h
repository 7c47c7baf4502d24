// A number for the window of each step, of the lines in it or of what unwrap takes out of them.
//
// Memory is a few numbers a step and series for lines, and a time and a value a line for unwrap, of
// which limits.lines_read are looked at.
#pragma once

#include "api/links/handlers.h"
#include "api/loki/line_labels.h"
#include "api/loki/metric.h"
#include "api/query/logql.h"
#include "correlate/result.h"
#include "correlate/scope.h"

namespace throughline::api::loki {

// Which labels make a series: those of a by or a without. Null: those of the stream, and parsed
// ones.
struct Grouping {
  const query::LogQl* grouped = nullptr;

  // Whether the services of lines decide in which series they are.
  bool DependsOnService() const;
  MetricLabels Of(const LineLabels& labels) const;
  MetricLabels Of(const MetricLabels& labels) const;  // Without a grouping: one series of all.
};

// Whether sums of what a range makes are the same of larger groups.
bool IsAdditive(const query::LogQl& range);

Result<Metric> EvaluateRange(const query::LogQl& range, const Grouping& grouping,
                             const Steps& steps, const Scope& scope, const links::Context& context,
                             MetricNotes& notes);

}  // namespace throughline::api::loki
