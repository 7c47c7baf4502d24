#include "api/tempo/metric_series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "api/query/traceql_names.h"
#include "api/query/traceql_value.h"

namespace throughline::api::tempo {
namespace {

using query::traceql::Constant;
using query::traceql::Datum;
using query::traceql::Metric;
using query::traceql::Type;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Constant Text(std::string_view text) { return {.type = Type::kString, .text = std::string(text)}; }
Constant Number(double number) { return {.type = Type::kFloat, .number = number}; }

bool IsOfSpans(Metric function) {
  return function == Metric::kRate || function == Metric::kCountOverTime;
}

// The power of two that is not below it: buckets double, as in Tempo.
double BucketOf(double value) { return value > 0 ? std::exp2(std::ceil(std::log2(value))) : 0; }

// Between the two nearest values; `values` is sorted and not empty.
double QuantileOf(const std::vector<double>& values, double quantile) {
  const double rank = quantile * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (rank - static_cast<double>(below));
}

}  // namespace

bool NumberForMetrics(const Datum& datum, double& number) {
  if (!IsNumeric(datum)) return false;
  number = query::traceql::NumberOf(datum);
  if (datum.type == Type::kDuration) number /= 1e9;
  return std::isfinite(number);
}

MetricSeries::MetricSeries(const query::traceql::Metrics& metrics, const Steps& steps,
                           std::size_t most_series)
    : metrics_(metrics),
      steps_(steps),
      most_series_(std::max<std::size_t>(1, std::min(most_series, kMostSamples / steps.count))) {}

void MetricSeries::Add(const query::traceql::Trace& trace, std::uint32_t place) {
  double value = 0;
  if (metrics_.of) {
    std::vector<Datum> values;
    trace.Values(*metrics_.of, place, values);
    if (values.empty() || !NumberForMetrics(values.front(), value)) return;
  }
  Group* const group = GroupOf(trace, place, value);
  if (group == nullptr) return;
  const std::uint64_t start = trace.At(place).start_unix_ns;
  const std::size_t step = steps_.IndexOf(start);
  Cell& cell = group->cells[step];
  cell.least = cell.count == 0 ? value : std::min(cell.least, value);
  cell.most = cell.count == 0 ? value : std::max(cell.most, value);
  cell.sum += value;
  ++cell.count;
  if (metrics_.function == Metric::kQuantileOverTime) {
    if (values_ < kMostValues) {
      group->values[step].push_back(value);
      ++values_;
    } else {
      cut_ = "more than " + std::to_string(kMostValues) + " values for quantiles";
    }
  }
  MetricExemplar& exemplar = group->exemplars[step];
  // The newest, in whatever order spans come.
  const TraceId id = trace.id();
  if (std::tie(exemplar.unix_ns, exemplar.trace_id) < std::tie(start, id)) {
    exemplar = {id, start, value};
  }
}

MetricSeries::Group* MetricSeries::GroupOf(const query::traceql::Trace& trace, std::uint32_t place,
                                           double value) {
  Labels labels;
  std::string key;
  const auto label = [&](std::string name, Constant constant) {
    key += query::traceql::TextOf(query::traceql::Of(constant));
    key += '\0';
    key += static_cast<char>('0' + static_cast<int>(constant.type));
    labels.emplace_back(std::move(name), std::move(constant));
  };
  std::vector<Datum> values;
  for (const auto& field : metrics_.by) {
    values.clear();
    trace.Values(field, place, values);
    label(ToText(field), values.empty() ? Constant() : Owned(values.front()));
  }
  if (metrics_.function == Metric::kHistogramOverTime) {
    label("__bucket", Number(BucketOf(value)));
  } else if (metrics_.by.empty() && metrics_.function != Metric::kQuantileOverTime) {
    const auto function = static_cast<std::size_t>(metrics_.function);
    labels.emplace_back("__name__", Text(query::traceql::kMetricWords[function]));
  }
  trace.Forget();
  const auto found = groups_.find(key);
  if (found != groups_.end()) return &found->second;
  if (groups_.size() >= most_series_) {
    cut_ = "more than " + std::to_string(most_series_) + " series (limits.query_series)";
    return nullptr;
  }
  Group& group = groups_[key];
  group.labels = std::move(labels);
  group.cells.resize(steps_.count);
  group.exemplars.resize(steps_.count);
  if (metrics_.function == Metric::kQuantileOverTime) group.values.resize(steps_.count);
  return &group;
}

double MetricSeries::SampleOf(const Group& group, std::size_t step) const {
  const Cell& cell = group.cells[step];
  const auto count = static_cast<double>(cell.count);
  switch (metrics_.function) {
    case Metric::kRate: return count / (static_cast<double>(steps_.step_ns) / 1e9);
    case Metric::kCountOverTime:
    case Metric::kHistogramOverTime: return count;
    case Metric::kMinOverTime: return cell.count == 0 ? kNaN : cell.least;
    case Metric::kMaxOverTime: return cell.count == 0 ? kNaN : cell.most;
    case Metric::kAvgOverTime: return cell.count == 0 ? kNaN : cell.sum / count;
    case Metric::kSumOverTime: return cell.count == 0 ? kNaN : cell.sum;
    case Metric::kQuantileOverTime:
    case Metric::kCompare: break;
  }
  return kNaN;
}

std::vector<Series> MetricSeries::Finish(std::size_t exemplars) {
  std::vector<Series> series;
  const std::size_t each =
      groups_.empty() ? 0 : std::max<std::size_t>(exemplars / groups_.size(), 1);
  for (auto& [key, group] : groups_) {
    const std::size_t left = exemplars - std::min(exemplars, each * series.size());
    if (metrics_.function != Metric::kQuantileOverTime) {
      Series& one = series.emplace_back();
      one.labels = group.labels;
      for (std::size_t step = 0; step < steps_.count; ++step) {
        one.samples.push_back(SampleOf(group, step));
      }
      TakeExemplars(group, std::min(each, left), one);
      continue;
    }
    for (std::vector<double>& values : group.values) std::sort(values.begin(), values.end());
    for (const double quantile : metrics_.quantiles) {
      Series& one = series.emplace_back();
      one.labels = group.labels;
      one.labels.emplace_back("p", Number(quantile));
      for (const std::vector<double>& values : group.values) {
        one.samples.push_back(values.empty() ? kNaN : QuantileOf(values, quantile));
      }
      if (quantile == metrics_.quantiles.front()) TakeExemplars(group, std::min(each, left), one);
    }
  }
  KeepTop(series);
  return series;
}

void MetricSeries::TakeExemplars(const Group& group, std::size_t most, Series& into) const {
  std::vector<std::size_t> steps;
  for (std::size_t step = 0; step < steps_.count; ++step) {
    if (group.exemplars[step].trace_id.IsValid()) steps.push_back(step);
  }
  const std::size_t count = std::min(most, steps.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t step = steps[i * steps.size() / count];
    MetricExemplar exemplar = group.exemplars[step];
    // A span has no value of its own where spans are counted: it stands on the line.
    if (IsOfSpans(metrics_.function)) exemplar.value = into.samples[step];
    into.exemplars.push_back(exemplar);
  }
}

// topk and bottomk: of each step so many samples stay.
void MetricSeries::KeepTop(std::vector<Series>& series) const {
  for (const bool top : {true, false}) {
    const std::size_t keep = top ? metrics_.top : metrics_.bottom;
    if (keep == 0 || keep >= series.size()) continue;
    for (std::size_t step = 0; step < steps_.count; ++step) {
      std::vector<std::size_t> order;
      for (std::size_t i = 0; i < series.size(); ++i) {
        if (!std::isnan(series[i].samples[step])) order.push_back(i);
      }
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const double x = series[a].samples[step];
        const double y = series[b].samples[step];
        return top ? x > y : x < y;
      });
      for (std::size_t i = keep; i < order.size(); ++i) series[order[i]].samples[step] = kNaN;
    }
  }
  std::erase_if(series, [](const Series& one) {
    return std::all_of(one.samples.begin(), one.samples.end(),
                       [](double sample) { return std::isnan(sample); });
  });
}

}  // namespace throughline::api::tempo
