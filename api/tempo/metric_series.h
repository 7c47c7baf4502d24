// The series of a TraceQL metrics function, filled span by span.
//
// A sample at t covers what started in (t - step, t]. Bounded by series, by samples over all series
// and by values kept for quantiles: what goes beyond is left out, and cut() says so. Quantiles are
// exact, of the values themselves. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/query/traceql.h"
#include "api/query/traceql_trace.h"
#include "correlate/query.h"
#include "correlate/trace_id.h"

namespace throughline::api::tempo {

inline constexpr std::size_t kMostSteps = 11'000;       // Of one query.
inline constexpr std::size_t kMostSamples = 2'000'000;  // Over all series.
inline constexpr std::size_t kMostValues = 10'000'000;  // Kept for quantiles.

struct Steps {
  std::uint64_t start_unix_ns = 0;  // The first sample stands a step behind it.
  std::uint64_t step_ns = 1;
  std::size_t count = 1;

  // The sample that a time belongs to; it is in the range.
  std::size_t IndexOf(std::uint64_t unix_ns) const {
    const std::uint64_t since = unix_ns > start_unix_ns ? unix_ns - start_unix_ns - 1 : 0;
    return std::min<std::size_t>(since / step_ns, count - 1);
  }
  std::uint64_t TimeOf(std::size_t index) const { return start_unix_ns + (index + 1) * step_ns; }
};

// "label" with its value, in order.
using Labels = std::vector<std::pair<std::string, query::traceql::Constant>>;

struct MetricExemplar {
  TraceId trace_id;
  std::uint64_t unix_ns = 0;
  double value = 0;
};

struct Series {
  Labels labels;
  std::vector<double> samples;  // By step; NaN: none.
  std::vector<MetricExemplar> exemplars;
};

class MetricSeries {
 public:
  // `metrics` must outlive it, and is no compare().
  MetricSeries(const query::traceql::Metrics& metrics, const Steps& steps, std::size_t most_series);

  // Newest traces first: of equal ones the first gives the exemplar of a step.
  void Add(const query::traceql::Trace& trace, std::uint32_t place);
  // Sorted by labels. At most `exemplars` of them, spread over series and steps.
  std::vector<Series> Finish(std::size_t exemplars);
  const std::string& cut() const { return cut_; }

 private:
  struct Cell {
    std::uint64_t count = 0;
    double sum = 0;
    double least = 0;
    double most = 0;
  };
  struct Group {
    Labels labels;
    std::vector<Cell> cells;                  // By step.
    std::vector<std::vector<double>> values;  // By step, for quantiles.
    std::vector<MetricExemplar> exemplars;    // By step; an invalid id: none.
  };

  Group* GroupOf(const query::traceql::Trace& trace, std::uint32_t place, double value);
  double SampleOf(const Group& group, std::size_t step) const;
  void KeepTop(std::vector<Series>& series) const;
  void TakeExemplars(const Group& group, std::size_t most, Series& into) const;

  const query::traceql::Metrics& metrics_;
  const Steps steps_;
  const std::size_t most_series_;
  std::map<std::string, Group> groups_;  // By their labels as text.
  std::size_t values_ = 0;
  std::string cut_;
};

// The number that a function over time takes of a value: durations in seconds; nullopt: none.
bool NumberForMetrics(const query::traceql::Datum& datum, double& number);

}  // namespace throughline::api::tempo
