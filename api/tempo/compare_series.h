// compare(): how the attributes of selected spans differ from those of the others.
//
// Counts, by step, the spans of either side that have an attribute, and those that have one of its
// values. Bounded as MetricSeries is; cut() says so. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/query/traceql.h"
#include "api/query/traceql_trace.h"
#include "api/tempo/metric_series.h"

namespace throughline::api::tempo {

class CompareSeries {
 public:
  CompareSeries(const Steps& steps, std::size_t most_series);

  void Add(const query::traceql::Trace& trace, std::uint32_t place, bool selected);
  // Of each attribute and side the values that most spans have, `top_values` of them, and the
  // totals. Labels: __meta_type, and the attribute with its value.
  std::vector<Series> Finish(std::size_t top_values) const;
  const std::string& cut() const { return cut_; }

 private:
  using Counts = std::vector<std::uint64_t>;  // By step; empty: none yet.
  using Sides = std::array<Counts, 2>;        // The baseline, the selection.
  struct Key {
    Sides totals;
    std::map<std::pair<query::traceql::Type, std::string>, Sides> values;
  };

  void Count(const std::string& name, const query::traceql::Datum& value, std::size_t side,
             std::size_t step);

  const Steps steps_;
  const std::size_t most_;  // Of values, over all attributes.
  std::map<std::string, Key> keys_;
  std::size_t values_ = 0;
  std::string cut_;
};

}  // namespace throughline::api::tempo
