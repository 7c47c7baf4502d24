#include "api/loki/metric.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "api/loki/over_time.h"
#include "api/loki/range_metric.h"

namespace throughline::api::loki {
namespace {

using query::LogQl;
using Kind = LogQl::Kind;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// What an aggregation makes of the values that a group has at a step; at least one.
double Aggregated(std::string_view aggregation, const std::vector<double>& values) {
  if (aggregation == "count") return static_cast<double>(values.size());
  if (aggregation == "min") return *std::min_element(values.begin(), values.end());
  if (aggregation == "max") return *std::max_element(values.begin(), values.end());
  if (aggregation == "stdvar") return SpreadOf(values).variance;
  if (aggregation == "stddev") return SpreadOf(values).deviation();
  double sum = 0;
  for (const double value : values) sum += value;
  return aggregation == "avg" ? sum / static_cast<double>(values.size()) : sum;
}

double Computed(std::string_view op, double left, double right) {
  if (op == "+") return left + right;
  if (op == "-") return left - right;
  if (op == "*") return left * right;
  if (op == "/") return left / right;
  if (op == "%") return std::fmod(left, right);
  return std::pow(left, right);
}

bool IsComparison(std::string_view op) { return op.find_first_of("=<>") != std::string_view::npos; }

bool Compared(std::string_view op, double left, double right) {
  if (op == "==") return left == right;
  if (op == "!=") return left != right;
  if (op == "<") return left < right;
  if (op == "<=") return left <= right;
  if (op == ">") return left > right;
  return left >= right;
}

class Evaluator {
 public:
  Evaluator(const Steps& steps, const Scope& scope, const links::Context& context,
            MetricNotes& notes)
      : steps_(steps), scope_(scope), context_(context), notes_(notes) {}

  Result<Metric> Run(const LogQl& expression) {
    switch (expression.kind) {
      case Kind::kLines: return InvalidArgument("want a metric query");
      case Kind::kNumber:
      case Kind::kVector: {
        Metric metric;
        metric.is_scalar = expression.kind == Kind::kNumber;
        metric.series[{}].assign(steps_.count, expression.number);
        return metric;
      }
      case Kind::kRange: return Range(expression, {expression.grouped ? &expression : nullptr});
      case Kind::kAggregate: return Aggregate(expression);
      case Kind::kBinary: return Binary(expression);
    }
    return InvalidArgument("want a metric query");
  }

 private:
  Result<Metric> Range(const LogQl& range, const Grouping& grouping) {
    return EvaluateRange(range, grouping, steps_, scope_, context_, notes_);
  }

  Result<Metric> Aggregate(const LogQl& aggregate) {
    const LogQl& of = aggregate.arguments[0];
    // Sums of counts are counts of larger groups.
    if (aggregate.text == "sum" && of.kind == Kind::kRange && IsAdditive(of)) {
      return Range(of, {&aggregate});
    }
    TL_TRY_ASSIGN(Metric inner, Run(of));
    std::map<MetricLabels, std::vector<std::vector<double>*>> groups;
    for (auto& [labels, values] : inner.series) {
      groups[Grouping{&aggregate}.Of(labels)].push_back(&values);
    }
    if (aggregate.text == "topk" || aggregate.text == "bottomk") {
      for (auto& [labels, members] : groups) KeepTop(aggregate, members);
      return inner;
    }
    Metric metric;
    std::vector<double> present;
    for (const auto& [labels, members] : groups) {
      std::vector<double>& values = metric.series[labels];
      values.resize(steps_.count, kNone);
      for (std::size_t i = 0; i < steps_.count; ++i) {
        present.clear();
        for (const std::vector<double>* const member : members) {
          if (!std::isnan((*member)[i])) present.push_back((*member)[i]);
        }
        if (!present.empty()) values[i] = Aggregated(aggregate.text, present);
      }
    }
    return metric;
  }

  // Of each step so many values stay, with the labels of their series; of equal ones those whose
  // labels come first.
  void KeepTop(const LogQl& aggregate, const std::vector<std::vector<double>*>& members) const {
    const auto keep = static_cast<std::size_t>(aggregate.number);
    const bool top = aggregate.text == "topk";
    std::vector<double*> values;
    for (std::size_t i = 0; i < steps_.count; ++i) {
      values.clear();
      for (std::vector<double>* const member : members) {
        if (!std::isnan((*member)[i])) values.push_back(&(*member)[i]);
      }
      std::stable_sort(values.begin(), values.end(),
                       [top](const double* a, const double* b) { return top ? *a > *b : *a < *b; });
      for (std::size_t at = keep; at < values.size(); ++at) *values[at] = kNone;
    }
  }

  Result<Metric> Binary(const LogQl& binary) {
    TL_TRY_ASSIGN(const Metric left, Run(binary.arguments[0]));
    TL_TRY_ASSIGN(const Metric right, Run(binary.arguments[1]));
    const bool scalar_left = left.is_scalar && !right.is_scalar;
    const bool compares = IsComparison(binary.text);
    // Of two numbers there is nothing to leave out.
    const bool as_bool = binary.as_bool || (left.is_scalar && right.is_scalar);
    const Metric& shape = scalar_left ? right : left;
    Metric out;
    out.is_scalar = left.is_scalar && right.is_scalar;
    for (const auto& [labels, kept] : shape.series) {
      const auto a = left.is_scalar ? left.series.begin() : left.series.find(labels);
      const auto b = right.is_scalar ? right.series.begin() : right.series.find(labels);
      if (a == left.series.end() || b == right.series.end()) continue;
      std::vector<double>& values = out.series[labels];
      values.resize(steps_.count, kNone);
      for (std::size_t i = 0; i < steps_.count; ++i) {
        if (std::isnan(a->second[i]) || std::isnan(b->second[i])) continue;
        if (!compares) {
          values[i] = Computed(binary.text, a->second[i], b->second[i]);
          continue;
        }
        const bool holds = Compared(binary.text, a->second[i], b->second[i]);
        if (as_bool) {
          values[i] = holds ? 1 : 0;
        } else if (holds) {
          values[i] = kept[i];
        }
      }
    }
    return out;
  }

  const Steps& steps_;
  const Scope& scope_;
  const links::Context& context_;
  MetricNotes& notes_;
};

}  // namespace

Result<Metric> Evaluate(const LogQl& expression, const Steps& steps, const Scope& scope,
                        const links::Context& context, MetricNotes& notes) {
  TL_TRY_ASSIGN(Metric metric, Evaluator(steps, scope, context, notes).Run(expression));
  if (metric.is_scalar) return metric;
  // What topk and comparisons have left nothing of.
  std::erase_if(metric.series, [](const auto& series) {
    return std::all_of(series.second.begin(), series.second.end(),
                       [](double value) { return std::isnan(value); });
  });
  return metric;
}

}  // namespace throughline::api::loki
