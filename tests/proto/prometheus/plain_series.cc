#include "tests/proto/prometheus/plain_series.h"

#include <bit>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <set>
#include <string_view>

#include "correlate/attribute.h"
#include "correlate/check.h"
#include "correlate/identity.h"
#include "correlate/ids.h"

namespace throughline::oracle {
namespace {

bool IsBroken(const PlainSeries& series) {
  if (series.broken || series.labels.size() > PlainOptions().attributes_per_record) return true;
  std::set<std::string> names;
  bool named = false;
  for (const auto& [name, value] : series.labels) {
    if (name.empty() || name.size() > kMaxKeyBytes || !names.insert(name).second) return true;
    if (name == "__name__" && !value.empty()) named = true;
  }
  return !named;
}

std::string Find(const PlainLabels& labels, std::string_view wanted) {
  for (const auto& [name, value] : labels) {
    if (name == wanted) return value;
  }
  return {};
}

std::string ServiceOf(const PlainLabels& labels) {
  for (const std::string_view name : {"service_name", "service"}) {
    if (const std::string service = Find(labels, name); !service.empty()) return service;
  }
  std::string job = Find(labels, "job");
  const std::size_t slash = job.find('/');
  if (slash != std::string::npos && slash + 1 < job.size()) job.erase(0, slash + 1);
  return job;
}

std::optional<double> BucketOf(const PlainLabels& labels) {
  const std::string metric = Find(labels, "__name__");
  const std::string le = Find(labels, "le");
  constexpr std::string_view kSuffix = "_bucket";
  if (metric.size() < kSuffix.size() || le.empty() || std::isspace(le[0]) != 0 ||
      metric.substr(metric.size() - kSuffix.size()) != kSuffix) {
    return std::nullopt;
  }
  if (le.find_first_of("xX(") != std::string::npos) return std::nullopt;  // Only strtod's.
  char* end = nullptr;
  errno = 0;
  const double bound = std::strtod(le.c_str(), &end);
  if (end != le.c_str() + le.size() || std::isnan(bound)) return std::nullopt;
  if (errno == ERANGE && (bound == 0 || std::isinf(bound))) return std::nullopt;
  return bound;
}

// The gauges of PlainOptions, said independently of the filter.
bool IsNamed(const std::string& metric) {
  return metric == "up" || std::string_view("opt").find(metric.front()) != std::string_view::npos;
}

MetricType TypeOf(const PlainSeries& series) {
  const bool says_bucket =
      series.type == MetricType::kUnknown && BucketOf(series.labels).has_value();
  return says_bucket ? MetricType::kHistogram : series.type;
}

// Of a series: but for the name, and those that are empty.
PlainLabels KeptLabels(const PlainSeries& series) {
  PlainLabels labels;
  for (const auto& [name, value] : series.labels) {
    if (name != "__name__" && !value.empty()) labels.emplace_back(name, value);
  }
  return labels;
}

void CheckLabels(const PlainLabels& wanted, Range range, const Batch& batch) {
  std::size_t at = 0;
  for (const auto& [name, value] : wanted) {
    TL_CHECK(at < range.count);
    const Attribute& attribute = batch.Of(range)[at++];
    TL_CHECK(attribute.key() == name && StringOf(attribute.value()) == value);
    Arena arena;
    const Attribute again = MakeStringAttribute(name, value, PlainOptions().hash_seed, arena);
    TL_CHECK(again.bytes() == attribute.bytes() && again.hash == attribute.hash);
  }
  TL_CHECK(at == range.count);
}

}  // namespace

DecodeOptions PlainOptions() {
  DecodeOptions options;
  options.hash_seed = 7;
  options.keep_unlinked = true;
  options.attributes_per_record = 100;
  options.exemplar_trace_labels = {"tid"};
  options.gauges = {"o*", "p*", "t*", "up"};
  return options;
}

bool PlainCheck::Take(const PlainSeries& series) {
  received_ += series.exemplars.size();
  if (IsBroken(series)) return false;
  TakePoints(series);
  bool whole = true;
  for (const PlainExemplar& exemplar : series.exemplars) {
    if (!TakeExemplar(series, exemplar)) whole = false;
  }
  return whole;
}

void PlainCheck::TakePoints(const PlainSeries& series) {
  const MetricType type = TypeOf(series);
  const std::string metric = Find(series.labels, "__name__");
  if (type != MetricType::kGauge && type != MetricType::kSum && type != MetricType::kUnknown)
    return;
  if (!IsNamed(metric)) return;
  for (const PlainPoint& wanted : series.points) {
    if (wanted.time_unix_ns == 0 || std::isnan(wanted.value)) continue;
    TL_CHECK(points_ < batch_.gauges.size());
    const GaugePoint& point = batch_.gauges[points_++];
    TL_CHECK(point.time_unix_ns == wanted.time_unix_ns);
    TL_CHECK(std::bit_cast<std::uint64_t>(point.value) ==
             std::bit_cast<std::uint64_t>(wanted.value));
    TL_CHECK(point.resource == kNoIndex);
    TL_CHECK(point.metric == metric && point.metric_type == type);
    TL_CHECK(point.unit == series.unit);
    TL_CHECK(point.service == ServiceOf(series.labels));
    CheckLabels(KeptLabels(series), point.labels, batch_);
    TL_CHECK(point.identity == IdentityOf(point, batch_, PlainOptions().hash_seed));
  }
}

bool PlainCheck::TakeExemplar(const PlainSeries& series, const PlainExemplar& wanted) {
  if (wanted.broken || wanted.labels.size() > PlainOptions().attributes_per_record) return false;
  const std::set<std::string> trace_names = {"trace_id", "traceID", "TraceID", "traceId", "tid"};
  const std::set<std::string> span_names = {"span_id", "spanID", "SpanID", "spanId"};
  PlainLabels attributes;
  Resolved trace;
  SpanId span;
  bool misspelt = false;
  for (const auto& [name, value] : wanted.labels) {
    if (name.empty() || name.size() > kMaxKeyBytes) return false;
    const bool absent = SaysNoId(value) || value.find_first_not_of('0') == std::string::npos;
    if (trace_names.count(name) > 0 && !trace.IsValid() && !absent) {
      trace = Resolve(value, Strictness::kField, KeyKind::kTraceId);
      if (trace.IsValid()) continue;
      misspelt = true;
    } else if (span_names.count(name) > 0 && !span.IsValid()) {
      span = ResolveSpanIdLoose(value, false);
      if (span.IsValid()) continue;
    }
    if (!value.empty()) attributes.emplace_back(name, value);
  }
  if (misspelt && !trace.IsValid()) return false;
  TL_CHECK(kept_ < batch_.exemplars.size());
  const Exemplar& exemplar = batch_.exemplars[kept_++];
  if (trace.IsValid()) ++accepted_;
  TL_CHECK(exemplar.trace_id == trace.trace_id);
  TL_CHECK(exemplar.span_id == (span.IsValid() ? span : trace.span_id));
  TL_CHECK(exemplar.time_unix_ns == wanted.time_unix_ns);
  TL_CHECK(!exemplar.is_integer);
  TL_CHECK(std::bit_cast<std::uint64_t>(exemplar.number) ==
           std::bit_cast<std::uint64_t>(wanted.value));
  TL_CHECK(exemplar.resource == kNoIndex && exemplar.scope == kNoIndex);
  TL_CHECK(exemplar.metric == Find(series.labels, "__name__"));
  TL_CHECK(exemplar.unit == series.unit);
  TL_CHECK(exemplar.service == ServiceOf(series.labels));
  const std::optional<double> bucket = BucketOf(series.labels);
  const std::optional<double> bound = bucket ? bucket : wanted.bound;
  TL_CHECK(exemplar.has_le == bound.has_value());
  if (bound) TL_CHECK(exemplar.le == *bound);
  TL_CHECK(exemplar.metric_type == TypeOf(series));
  CheckLabels(KeptLabels(series), exemplar.labels, batch_);
  CheckLabels(attributes, exemplar.attributes, batch_);
  TL_CHECK(exemplar.identity == IdentityOf(exemplar, batch_, PlainOptions().hash_seed));
  return true;
}

void PlainCheck::End(const Decoded& decoded, std::size_t gauge_points) const {
  TL_CHECK(batch_.exemplars.size() == kept_);
  TL_CHECK(batch_.gauges.size() == points_ && gauge_points == points_);
  TL_CHECK(decoded.received == received_ && decoded.accepted == accepted_);
  TL_CHECK(decoded.unlinked == kept_ - accepted_ && decoded.rejected == received_ - kept_);
}

}  // namespace throughline::oracle
