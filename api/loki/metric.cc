#include "api/loki/metric.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "api/loki/plan.h"
#include "api/loki/scan.h"

namespace throughline::api::loki {
namespace {

using query::LogQl;
using Kind = LogQl::Kind;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Which labels make a series. Null: those of the stream, and parsed ones.
struct Grouping {
  const LogQl* aggregate = nullptr;

  bool DependsOnService() const {
    return aggregate == nullptr || aggregate->without ||
           std::any_of(aggregate->labels.begin(), aggregate->labels.end(), IsOfService);
  }

  MetricLabels Of(const LineLabels& labels) const {
    if (aggregate == nullptr) return labels.Of(true, false, true);
    MetricLabels out;
    if (!aggregate->without) {
      for (const std::string& name : aggregate->labels) {
        const std::string_view value = labels.ValueOf(name);
        if (!value.empty()) out.emplace(name, value);
      }
      return out;
    }
    out = labels.Of(true, false, true);
    for (const std::string& name : aggregate->labels) out.erase(name);
    return out;
  }

  MetricLabels Of(const MetricLabels& labels) const {
    MetricLabels out;
    if (aggregate->without) {
      out = labels;
      for (const std::string& name : aggregate->labels) out.erase(name);
      return out;
    }
    for (const std::string& name : aggregate->labels) {
      if (const auto found = labels.find(name); found != labels.end()) out.insert(*found);
    }
    return out;
  }
};

// What windows hold, as differences from one step to the next: a line costs the same for any range.
struct Windows {
  std::vector<std::int64_t> lines;
  std::vector<std::int64_t> bytes;

  explicit Windows(std::size_t steps) : lines(steps + 1), bytes(steps + 1) {}
  void Add(std::size_t first, std::size_t behind_last, std::size_t size) {
    lines[first] += 1;
    lines[behind_last] -= 1;
    bytes[first] += static_cast<std::int64_t>(size);
    bytes[behind_last] -= static_cast<std::int64_t>(size);
  }
};

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
      case Kind::kRange: return Range(expression, {});
      case Kind::kAggregate: return Aggregate(expression);
      case Kind::kBinary: return Binary(expression);
    }
    return InvalidArgument("want a metric query");
  }

 private:
  Result<Windows*> WindowsOf(const MetricLabels& labels,
                             std::map<MetricLabels, Windows>& series) const {
    const auto found = series.find(labels);
    if (found != series.end()) return &found->second;
    if (series.size() == context_.settings.query_series) {
      return InvalidArgument("maximum of series (" +
                             std::to_string(context_.settings.query_series) +
                             ") reached for a single query (limits.query_series)");
    }
    return &series.try_emplace(labels, steps_.count).first->second;
  }

  // The steps whose windows (t - range - offset, t - offset] hold a time.
  std::pair<std::size_t, std::size_t> StepsWith(std::uint64_t unix_ns, const LogQl& range) const {
    const auto first_after = [&](std::uint64_t bound) {  // The first step at or behind `bound`.
      if (bound <= steps_.start_unix_ns) return std::size_t{0};
      const std::uint64_t steps = (bound - steps_.start_unix_ns - 1) / steps_.step_ns + 1;
      return static_cast<std::size_t>(std::min<std::uint64_t>(steps, steps_.count));
    };
    const std::uint64_t moved = unix_ns + range.offset_ns;
    return {first_after(moved), first_after(moved + range.range_ns)};
  }

  Result<Metric> Range(const LogQl& range, const Grouping& grouping) {
    const std::uint64_t back = range.range_ns + range.offset_ns;
    const std::uint64_t first = steps_.At(0);
    const std::uint64_t last = steps_.At(steps_.count - 1);
    Metric metric;
    if (last <= range.offset_ns) return metric;
    ScanOptions options;
    options.range = {first > back ? first - back + 1 : 0, last - range.offset_ns};
    options.first_page = 20'000;
    options.lines = context_.settings.lines_read;
    options.services = grouping.DependsOnService() || DependsOnService(range.selection);
    std::map<MetricLabels, Windows> series;
    std::optional<Error> error;
    const auto on_entry = [&](Entry& entry) {
      if (const std::string_view what = entry.labels.ValueOf(kErrorLabel); !what.empty()) {
        error = InvalidArgument("pipeline error: '" + std::string(what) +
                                "' for a line. Use a label filter to intentionally skip this "
                                "error. (e.g | __error__!=\"" +
                                std::string(what) + "\")");
        return false;
      }
      const auto windows = WindowsOf(grouping.Of(entry.labels), series);
      if (!windows) {
        error = windows.error();
        return false;
      }
      const auto [begin, end] = StepsWith(entry.unix_ns, range);
      (*windows)->Add(begin, end, entry.line.size());
      return true;
    };
    TL_TRY_ASSIGN(const ScanEnd scanned,
                  Scan(range.selection, options, scope_, context_, on_entry));
    if (error) return *std::move(error);
    notes_.lines += scanned.lines;
    notes_.bytes += scanned.bytes;
    const std::size_t known = FirstKnown(range, scanned);
    for (auto& [labels, windows] : series) {
      metric.series.emplace(labels, Values(range, windows, known));
    }
    return metric;
  }

  // The first step whose window was looked at whole.
  std::size_t FirstKnown(const LogQl& range, const ScanEnd& scanned) {
    if (scanned.missing.empty()) return 0;
    const std::size_t known = StepsWith(scanned.reached_unix_ns, range).second;
    notes_.warnings.push_back(scanned.missing + "; " + std::to_string(known) + " of " +
                              std::to_string(steps_.count) +
                              " points are left out, because they would be too low");
    return known;
  }

  std::vector<double> Values(const LogQl& range, const Windows& windows, std::size_t known) const {
    const bool of_bytes = range.text.starts_with("bytes");
    const bool is_rate = range.text == "rate" || range.text == "bytes_rate";
    const double seconds = static_cast<double>(range.range_ns) / 1e9;
    std::vector<double> values(steps_.count, kNone);
    std::int64_t lines = 0;
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < steps_.count; ++i) {
      lines += windows.lines[i];
      bytes += windows.bytes[i];
      if (lines == 0 || i < known) continue;
      const auto total = static_cast<double>(of_bytes ? bytes : lines);
      values[i] = is_rate ? total / seconds : total;
    }
    return values;
  }

  Result<Metric> Aggregate(const LogQl& aggregate) {
    const LogQl& of = aggregate.arguments[0];
    const Grouping grouping{&aggregate};
    // Sums of counts are counts of larger groups.
    if (aggregate.text == "sum" && of.kind == Kind::kRange) return Range(of, grouping);
    TL_TRY_ASSIGN(const Metric inner, Run(of));
    struct Group {
      std::vector<double> values;
      std::vector<std::size_t> counts;
    };
    std::map<MetricLabels, Group> groups;
    for (const auto& [labels, values] : inner.series) {
      Group& group = groups[grouping.Of(labels)];
      group.values.resize(steps_.count, kNone);
      group.counts.resize(steps_.count);
      for (std::size_t i = 0; i < steps_.count; ++i) {
        if (std::isnan(values[i])) continue;
        double& value = group.values[i];
        const bool is_first = group.counts[i]++ == 0;
        if (is_first) {
          value = values[i];
        } else if (aggregate.text == "min") {
          value = std::min(value, values[i]);
        } else if (aggregate.text == "max") {
          value = std::max(value, values[i]);
        } else {
          value += values[i];
        }
      }
    }
    Metric metric;
    for (auto& [labels, group] : groups) {
      for (std::size_t i = 0; i < steps_.count; ++i) {
        if (group.counts[i] == 0) continue;
        const auto count = static_cast<double>(group.counts[i]);
        if (aggregate.text == "avg") group.values[i] /= count;
        if (aggregate.text == "count") group.values[i] = count;
      }
      metric.series.emplace(labels, std::move(group.values));
    }
    return metric;
  }

  static double Computed(std::string_view op, double left, double right) {
    if (op == "+") return left + right;
    if (op == "-") return left - right;
    if (op == "*") return left * right;
    if (op == "/") return left / right;
    if (op == "%") return std::fmod(left, right);
    return std::pow(left, right);
  }

  Result<Metric> Binary(const LogQl& binary) {
    TL_TRY_ASSIGN(const Metric left, Run(binary.arguments[0]));
    TL_TRY_ASSIGN(const Metric right, Run(binary.arguments[1]));
    const bool scalar_left = left.is_scalar && !right.is_scalar;
    const Metric& shape = scalar_left ? right : left;
    Metric out;
    out.is_scalar = left.is_scalar && right.is_scalar;
    for (const auto& [labels, unused] : shape.series) {
      const auto a = left.is_scalar ? left.series.begin() : left.series.find(labels);
      const auto b = right.is_scalar ? right.series.begin() : right.series.find(labels);
      if (a == left.series.end() || b == right.series.end()) continue;
      std::vector<double>& values = out.series[labels];
      values.resize(steps_.count, kNone);
      for (std::size_t i = 0; i < steps_.count; ++i) {
        values[i] = Computed(binary.text, a->second[i], b->second[i]);
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
  return Evaluator(steps, scope, context, notes).Run(expression);
}

}  // namespace throughline::api::loki
