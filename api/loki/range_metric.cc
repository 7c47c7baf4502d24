#include "api/loki/range_metric.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "api/loki/over_time.h"
#include "api/loki/plan.h"
#include "api/loki/scan.h"

namespace throughline::api::loki {
namespace {

using query::LogQl;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// What windows hold, as differences from one step to the next: a line costs the same for any range.
struct Counts {
  std::vector<std::int64_t> lines;
  std::vector<std::int64_t> bytes;

  explicit Counts(std::size_t steps) : lines(steps + 1), bytes(steps + 1) {}
  void Add(std::size_t first, std::size_t behind_last, std::size_t size) {
    lines[first] += 1;
    lines[behind_last] -= 1;
    bytes[first] += static_cast<std::int64_t>(size);
    bytes[behind_last] -= static_cast<std::int64_t>(size);
  }
};

class RangeReader {
 public:
  RangeReader(const LogQl& range, const Grouping& grouping, const Steps& steps, const Scope& scope,
              const links::Context& context, MetricNotes& notes)
      : range_(range),
        grouping_(grouping),
        steps_(steps),
        scope_(scope),
        context_(context),
        notes_(notes) {}

  Result<Metric> Read() {
    const std::uint64_t back = range_.range_ns + range_.offset_ns;
    const std::uint64_t first = steps_.At(0);
    const std::uint64_t last = steps_.At(steps_.count - 1);
    Metric metric;
    if (last <= range_.offset_ns) return metric;
    ScanOptions options;
    options.range = {first > back ? first - back + 1 : 0, last - range_.offset_ns};
    options.first_page = 20'000;
    options.lines = context_.settings.lines_read;
    options.services = grouping_.DependsOnService() || range_.unwrap.has_value() ||
                       DependsOnService(range_.selection);
    const auto on_entry = [this](Entry& entry) {
      if (range_.unwrap) {
        AddNumber(entry);
      } else {
        AddLine(entry);
      }
      return !error_;
    };
    TL_TRY_ASSIGN(const ScanEnd scanned,
                  Scan(range_.selection, options, scope_, context_, on_entry));
    if (error_) return *std::move(error_);
    notes_.lines += scanned.lines;
    notes_.bytes += scanned.bytes;
    const std::size_t known = FirstKnown(scanned);
    for (const auto& [labels, counts] : counts_) {
      metric.series.emplace(labels, ValuesOf(counts, known));
    }
    for (auto& [labels, samples] : samples_) {
      TL_TRY_ASSIGN(auto values, ValuesOf(samples, known));
      metric.series.emplace(labels, std::move(values));
    }
    return metric;
  }

 private:
  // False: the line is an error of the whole query.
  bool IsGood(const LineLabels& labels) {
    const std::string_view what = labels.ValueOf(kErrorLabel);
    if (what.empty()) return true;
    error_ = InvalidArgument("pipeline error: '" + std::string(what) +
                             "' for a line. Use a label filter to intentionally skip this "
                             "error. (e.g | __error__!=\"" +
                             std::string(what) + "\")");
    return false;
  }

  // Null: there are too many, and an error.
  template <typename T>
  T* SeriesOf(const MetricLabels& labels, std::map<MetricLabels, T>& series, T empty) {
    const auto found = series.find(labels);
    if (found != series.end()) return &found->second;
    if (series.size() == context_.settings.query_series) {
      error_ =
          InvalidArgument("maximum of series (" + std::to_string(context_.settings.query_series) +
                          ") reached for a single query (limits.query_series)");
      return nullptr;
    }
    return &series.try_emplace(labels, std::move(empty)).first->second;
  }

  void AddLine(const Entry& entry) {
    if (!IsGood(entry.labels)) return;
    Counts* const counts = SeriesOf(grouping_.Of(entry.labels), counts_, Counts(steps_.count));
    if (counts == nullptr) return;
    const auto [begin, end] = StepsWith(entry.unix_ns);
    counts->Add(begin, end, entry.line.size());
  }

  // A line without the label has no number.
  void AddNumber(Entry& entry) {
    const query::Unwrap& unwrap = *range_.unwrap;
    const std::string text(entry.labels.ValueOf(unwrap.label));
    if (text.empty()) return;
    double value = 0;
    if (!ReadNumber(text, unwrap.unit, value)) {
      SetError(entry.labels, "SampleExtractionErr", "\"" + text + "\" is no number");
    }
    for (const query::LabelCondition& condition : unwrap.conditions) {
      if (!Holds(condition, entry.labels)) return;
    }
    if (!IsGood(entry.labels)) return;
    // The number is no label of its series, unless a by asks for it.
    if (grouping_.grouped == nullptr) entry.labels.Remove(unwrap.label);
    auto* const samples = SeriesOf(grouping_.Of(entry.labels), samples_, std::vector<Sample>());
    if (samples != nullptr) samples->push_back({entry.unix_ns, value});
  }

  // The steps whose windows (t - range - offset, t - offset] hold a time.
  std::pair<std::size_t, std::size_t> StepsWith(std::uint64_t unix_ns) const {
    const auto first_after = [&](std::uint64_t bound) {  // The first step at or behind `bound`.
      if (bound <= steps_.start_unix_ns) return std::size_t{0};
      const std::uint64_t steps = (bound - steps_.start_unix_ns - 1) / steps_.step_ns + 1;
      return static_cast<std::size_t>(std::min<std::uint64_t>(steps, steps_.count));
    };
    const std::uint64_t moved = unix_ns + range_.offset_ns;
    return {first_after(moved), first_after(moved + range_.range_ns)};
  }

  // The first step whose window was looked at whole.
  std::size_t FirstKnown(const ScanEnd& scanned) {
    if (scanned.missing.empty()) return 0;
    const std::size_t known = StepsWith(scanned.reached_unix_ns).second;
    notes_.warnings.push_back(scanned.missing + "; " + std::to_string(known) + " of " +
                              std::to_string(steps_.count) +
                              " points are left out, because they would be too low");
    return known;
  }

  double seconds() const { return static_cast<double>(range_.range_ns) / 1e9; }

  std::vector<double> ValuesOf(const Counts& counts, std::size_t known) const {
    const bool of_bytes = range_.text.starts_with("bytes");
    const bool is_rate = range_.text == "rate" || range_.text == "bytes_rate";
    std::vector<double> values(steps_.count, kNone);
    std::int64_t lines = 0;
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < steps_.count; ++i) {
      lines += counts.lines[i];
      bytes += counts.bytes[i];
      if (lines == 0 || i < known) continue;
      const auto total = static_cast<double>(of_bytes ? bytes : lines);
      values[i] = is_rate ? total / seconds() : total;
    }
    return values;
  }

  // Windows overlap: each is looked at by itself, until the deadline.
  Result<std::vector<double>> ValuesOf(std::vector<Sample>& samples, std::size_t known) const {
    std::sort(samples.begin(), samples.end());
    std::vector<double> values(steps_.count, kNone);
    auto begin = samples.cbegin();
    auto end = samples.cbegin();
    for (std::size_t i = 0; i < steps_.count; ++i) {
      const std::uint64_t at = steps_.At(i);
      while (end != samples.cend() && end->unix_ns + range_.offset_ns <= at) ++end;
      while (begin != end && begin->unix_ns + range_.offset_ns + range_.range_ns <= at) ++begin;
      if (begin == end || i < known) continue;
      if (scope_.Expired()) {
        return Error{Errc::kUnavailable,
                     "the query was cut at limits.lookup_deadline: ask for fewer points, or for a "
                     "shorter range"};
      }
      values[i] = OverTime(range_.text, range_.number, {begin, end}, seconds());
    }
    return values;
  }

  const LogQl& range_;
  const Grouping& grouping_;
  const Steps& steps_;
  const Scope& scope_;
  const links::Context& context_;
  MetricNotes& notes_;
  std::map<MetricLabels, Counts> counts_;
  std::map<MetricLabels, std::vector<Sample>> samples_;  // With unwrap.
  std::optional<Error> error_;
};

}  // namespace

bool Grouping::DependsOnService() const {
  return grouped == nullptr || grouped->without ||
         std::any_of(grouped->labels.begin(), grouped->labels.end(), IsOfService);
}

MetricLabels Grouping::Of(const LineLabels& labels) const {
  if (grouped == nullptr) return labels.Of(true, false, true);
  MetricLabels out;
  if (!grouped->without) {
    for (const std::string& name : grouped->labels) {
      const std::string_view value = labels.ValueOf(name);
      if (!value.empty()) out.emplace(name, value);
    }
    return out;
  }
  out = labels.Of(true, false, true);
  for (const std::string& name : grouped->labels) out.erase(name);
  return out;
}

MetricLabels Grouping::Of(const MetricLabels& labels) const {
  MetricLabels out;
  if (grouped == nullptr) return out;
  if (grouped->without) {
    out = labels;
    for (const std::string& name : grouped->labels) out.erase(name);
    return out;
  }
  for (const std::string& name : grouped->labels) {
    if (const auto found = labels.find(name); found != labels.end()) out.insert(*found);
  }
  return out;
}

bool IsAdditive(const LogQl& range) {
  return !range.grouped && (!range.unwrap || range.text == "sum_over_time" || range.text == "rate");
}

Result<Metric> EvaluateRange(const LogQl& range, const Grouping& grouping, const Steps& steps,
                             const Scope& scope, const links::Context& context,
                             MetricNotes& notes) {
  return RangeReader(range, grouping, steps, scope, context, notes).Read();
}

}  // namespace throughline::api::loki
