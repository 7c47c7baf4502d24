#include "exemplars/series.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "correlate/attribute.h"
#include "correlate/ids.h"
#include "exemplars/buckets.h"
#include "exemplars/finish_gauge.h"
#include "wire/openmetrics.h"

namespace throughline::exemplars {
namespace {

constexpr std::array<std::string_view, 4> kTraceLabels = {"trace_id", "traceID", "TraceID",
                                                          "traceId"};
constexpr std::array<std::string_view, 4> kSpanLabels = {"span_id", "spanID", "SpanID", "spanId"};

// By how clearly they state it, the clearest first.
constexpr std::array<std::string_view, 3> kServiceLabels = {"service_name", "service", "job"};

constexpr const char* kNoMetricName = "no metric name";
constexpr std::size_t kNone = SIZE_MAX;

bool IsOneOf(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Symbols of remote write 2.0 are the same bytes each time.
bool IsSame(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.data() == b.data() || a == b);
}

bool IsAbsent(std::string_view id) {
  return SaysNoId(id) || id.find_first_not_of('0') == std::string_view::npos;
}

std::string_view ServiceOfJob(std::string_view job) {
  const std::size_t slash = job.find('/');
  return slash == std::string_view::npos || slash + 1 == job.size() ? job : job.substr(slash + 1);
}

// The bound that `le` spells: 0.005, 1e+06, +Inf.
std::optional<double> BucketBound(std::string_view le) {
  const std::optional<double> bound = wire::ParseOpenMetricsNumber(le);
  return bound && std::isnan(*bound) ? std::nullopt : bound;
}

bool HasPoints(MetricType type) {
  return type == MetricType::kGauge || type == MetricType::kSum || type == MetricType::kUnknown;
}

}  // namespace

std::uint64_t NanosOfMillis(std::int64_t millis) {
  constexpr std::uint64_t kNanosAMilli = 1'000'000;
  if (millis < 0) return 1;
  const auto unsigned_millis = static_cast<std::uint64_t>(millis);
  return unsigned_millis > UINT64_MAX / kNanosAMilli ? UINT64_MAX : unsigned_millis * kNanosAMilli;
}

std::optional<double> NativeBuckets::BoundOf(double value) const {
  if (schema == kCustomSchema) return ExplicitBound(custom_bounds, custom_bounds.size() + 1, value);
  return ExponentialBound(schema, zero_threshold, value);
}

std::string SeriesCheck::Problem(std::span<const Label> labels) {
  if (HasLastNames(labels)) {
    return labels[metric_name_at_].value.empty() ? kNoMetricName : std::string();
  }
  last_names_.clear();
  if (labels.size() > options_.attributes_per_record) {
    return "more than " + std::to_string(options_.attributes_per_record) + " labels";
  }
  bool ascending = true;
  bool named = false;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string_view name = labels[i].name;
    if (name.empty()) return "label " + std::to_string(i) + " has no name";
    if (name.size() > kMaxKeyBytes) {
      return "label " + std::to_string(i) + " has a name of " + std::to_string(name.size()) +
             " bytes, at most " + std::to_string(kMaxKeyBytes) + " are allowed";
    }
    if (i > 0 && labels[i - 1].name >= name) ascending = false;
    if (name == kMetricName) {
      named = !labels[i].value.empty();
      metric_name_at_ = i;
    }
  }
  if (!named) return kNoMetricName;
  if (!ascending && HasDuplicate(labels)) return "two labels have the same name";
  for (const Label& label : labels) last_names_.push_back(label.name);
  return {};
}

bool SeriesCheck::HasLastNames(std::span<const Label> labels) const {
  return !last_names_.empty() &&
         std::equal(
             labels.begin(), labels.end(), last_names_.begin(), last_names_.end(),
             [](const Label& label, std::string_view name) { return IsSame(label.name, name); });
}

bool SeriesCheck::HasDuplicate(std::span<const Label> labels) {
  names_.clear();
  for (const Label& label : labels) names_.push_back(label.name);
  std::sort(names_.begin(), names_.end());
  return std::adjacent_find(names_.begin(), names_.end()) != names_.end();
}

// What the labels of an exemplar say of its ids.
struct SeriesRecords::Ids {
  TraceId trace_id;
  SpanId span_id;
  std::size_t trace_label = kNone;  // Which label it is.
  std::size_t span_label = kNone;
  bool repaired = false;
  std::string problem;
};

bool SeriesRecords::IsTraceLabel(std::string_view name) const {
  if (IsOneOf(kTraceLabels, name)) return true;
  const auto& configured = options_.exemplar_trace_labels;
  return std::find(configured.begin(), configured.end(), name) != configured.end();
}

SeriesRecords::Ids SeriesRecords::IdsOf(std::span<const Label> labels) const {
  Ids ids;
  SpanId own_span;  // Of a traceparent and its like.
  std::string_view misspelt;
  std::string_view reason;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& [name, value] = labels[i];
    if (name.empty()) ids.problem = "label " + std::to_string(i) + " has no name";
    if (name.size() > kMaxKeyBytes) ids.problem = "label " + std::to_string(i) + " is too long";
    if (ids.trace_label == kNone && IsTraceLabel(name)) {
      if (IsAbsent(value)) continue;
      const Resolved resolved = Resolve(value, Strictness::kField, KeyKind::kTraceId);
      if (resolved.IsValid()) {
        ids.trace_id = resolved.trace_id;
        ids.trace_label = i;
        ids.repaired = resolved.repaired;
        own_span = resolved.span_id;
      } else {
        misspelt = name;
        reason = resolved.reason;
      }
    } else if (ids.span_label == kNone && IsOneOf(kSpanLabels, name)) {
      ids.span_id = ResolveSpanIdLoose(value, false);
      if (ids.span_id.IsValid()) ids.span_label = i;
    }
  }
  if (!ids.span_id.IsValid()) ids.span_id = own_span;
  if (ids.problem.empty() && ids.trace_label == kNone && !misspelt.empty()) {
    ids.problem = std::string(misspelt).append(": ").append(reason);
  }
  return ids;
}

bool SeriesRecords::Refuse(std::string_view problem) {
  if (!finisher_.Begin()) return false;
  finisher_.Reject(problem);
  return true;
}

bool SeriesRecords::Add(std::span<const Label> labels, double value, std::uint64_t time_unix_ns) {
  if (!finisher_.Begin()) return false;
  if (labels.size() > options_.attributes_per_record) {
    finisher_.Reject("more than " + std::to_string(options_.attributes_per_record) + " labels");
    return true;
  }
  const Ids ids = IdsOf(labels);
  if (!ids.problem.empty()) {
    finisher_.Reject(ids.problem);
    return true;
  }
  Exemplar exemplar;
  if (ids.trace_label != kNone || options_.keep_unlinked) {
    if (!made_) MakeSeries();
    exemplar = common_;
    exemplar.trace_id = ids.trace_id;
    exemplar.span_id = ids.span_id;
    exemplar.time_unix_ns = time_unix_ns;
    exemplar.number = value;
    SetBound(exemplar);
    exemplar.attributes.begin = static_cast<std::uint32_t>(batch_.attributes.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (i == ids.trace_label || i == ids.span_label || labels[i].value.empty()) continue;
      batch_.attributes.push_back(
          MakeStringAttribute(labels[i].name, labels[i].value, options_.hash_seed, batch_.arena));
      ++exemplar.attributes.count;
    }
  }
  finisher_.Accept(exemplar, ids.repaired ? labels[ids.trace_label].name : std::string_view());
  return true;
}

Result<bool> SeriesRecords::AddPoint(double value, std::uint64_t time_unix_ns) {
  if (!HasPoints(series_.type)) return false;
  if (!made_) MakeSeries();
  if (!HasPoints(common_.metric_type)) return false;  // What its labels or buckets say.
  GaugePoint point;
  point.time_unix_ns = time_unix_ns;
  point.value = value;
  point.metric_type = common_.metric_type;
  point.labels = common_.labels;
  point.metric = common_.metric;
  point.unit = common_.unit;
  point.service = common_.service;
  return AcceptGauge(point, options_, batch_);
}

void SeriesRecords::MakeSeries() {
  made_ = true;
  common_ = {};
  common_.metric_type = series_.type;
  common_.unit = series_.unit;
  common_.labels.begin = static_cast<std::uint32_t>(batch_.attributes.size());
  std::size_t service_rank = kServiceLabels.size();
  std::optional<double> bound;
  for (std::size_t i = 0; i < series_.labels.size(); ++i) {
    const auto& [name, value] = series_.labels[i];
    if (value.empty()) continue;
    if (name == kMetricName) {
      common_.metric = value;
      continue;
    }
    batch_.attributes.push_back(AttributeOf(series_.labels[i], i));
    ++common_.labels.count;
    if (name == kBucketLabel) bound = BucketBound(value);
    const auto rank = static_cast<std::size_t>(
        std::find(kServiceLabels.begin(), kServiceLabels.end(), name) - kServiceLabels.begin());
    if (rank < service_rank) {
      service_rank = rank;
      common_.service = name == "job" ? ServiceOfJob(value) : value;
    }
  }
  if (bound && common_.metric.ends_with(kBucketSuffix)) {
    common_.le = *bound;
    common_.has_le = true;
    if (common_.metric_type == MetricType::kUnknown) common_.metric_type = MetricType::kHistogram;
  } else if (series_.native != nullptr) {
    common_.metric_type = series_.native->type();
  }
}

void SeriesRecords::SetBound(Exemplar& exemplar) const {
  if (exemplar.has_le || series_.native == nullptr) return;
  const std::optional<double> bound = series_.native->BoundOf(exemplar.number);
  exemplar.has_le = bound.has_value();
  exemplar.le = bound.value_or(0);
}

Attribute SeriesRecords::AttributeOf(const Label& label, std::size_t position) {
  if (position >= known_.size()) known_.resize(position + 1);
  KnownLabel& known = known_[position];
  if (!IsSame(known.label.name, label.name) || !IsSame(known.label.value, label.value)) {
    known.label = label;
    known.attribute =
        MakeStringAttribute(label.name, label.value, options_.hash_seed, batch_.arena);
  }
  return known.attribute;
}

}  // namespace throughline::exemplars
