#include "store/match.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "correlate/metric_name.h"
#include "correlate/metric_pattern.h"
#include "correlate/record_time.h"
#include "correlate/summary.h"

namespace throughline::store {
namespace {

const Attribute* Find(std::span<const Attribute> attributes, std::string_view key) {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [key](const Attribute& a) { return a.key() == key; });
  return found == attributes.end() ? nullptr : &*found;
}

// By its own name, else by Prometheus' spelling of it.
const Attribute* FindLabel(std::span<const Attribute> labels, std::string_view key) {
  if (const Attribute* exact = Find(labels, key)) return exact;
  const auto found = std::find_if(labels.begin(), labels.end(), [key](const Attribute& a) {
    return IsPrometheusName(key, a.key());
  });
  return found == labels.end() ? nullptr : &*found;
}

std::span<const Attribute> OfResource(std::uint32_t resource, const Batch& batch) {
  return resource == kNoIndex ? std::span<const Attribute>()
                              : batch.Of(batch.resources[resource].attributes);
}

// Null is an absent key, which matches as the empty text.
bool MatchesValue(const CompiledMatcher& matcher, const Attribute* attribute) {
  if (attribute == nullptr) return matcher.Matches({});
  const Value value = ReadValue(attribute->value());
  if (value.type == ValueType::kString) return matcher.Matches(value.bytes);
  return matcher.Matches(ValueText(attribute->value()));
}

// The record's own attributes before its resource's.
bool MatchAll(const CompiledMatchers& matchers, Range own, std::uint32_t resource,
              const Batch& batch) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const CompiledMatcher& matcher) {
    const Attribute* found = Find(batch.Of(own), matcher.key());
    if (found == nullptr) found = Find(OfResource(resource, batch), matcher.key());
    return MatchesValue(matcher, found);
  });
}

bool ContainsText(std::string_view any_value, std::string_view text) {
  const Value value = ReadValue(any_value);
  if (value.type == ValueType::kString) return value.bytes.find(text) != std::string_view::npos;
  return ValueText(any_value).find(text) != std::string::npos;
}

// `le` as Prometheus writes it.
std::string BoundText(double le) {
  if (std::isinf(le)) return le > 0 ? "+Inf" : "-Inf";
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, le);
  return std::string(digits, end.ptr);
}

// Equal as numbers counts: "1" and "1.0" are one bound.
bool MatchesBound(const CompiledMatcher& matcher, double le) {
  double asked = 0;
  const std::string& text = matcher.value();
  const auto end = std::from_chars(text.data(), text.data() + text.size(), asked);
  const bool equal = end.ec == std::errc() && end.ptr == text.data() + text.size() && asked == le;
  return (equal || matcher.Accepts(BoundText(le))) != matcher.negative();
}

bool MatchesMetricName(const CompiledMatcher& matcher, const Exemplar& exemplar) {
  const auto names = NamesOf(exemplar.metric, exemplar.unit, exemplar.metric_type);
  const bool any = std::any_of(names.begin(), names.end(),
                               [&](const std::string& name) { return matcher.Accepts(name); });
  return any != matcher.negative();
}

// Prometheus' `job` of an OTLP sender.
std::string JobOf(const Exemplar& exemplar, const Batch& batch) {
  const Attribute* space = Find(OfResource(exemplar.resource, batch), "service.namespace");
  std::string job = space == nullptr ? std::string() : ValueText(space->value());
  if (!job.empty()) job += '/';
  return job.append(exemplar.service);
}

bool MatchesLabel(const CompiledMatcher& matcher, const Exemplar& exemplar, const Batch& batch) {
  const std::string& key = matcher.key();
  if (key == "__name__") return MatchesMetricName(matcher, exemplar);
  if ((key == "service" || key == "service_name") && !exemplar.service.empty()) {
    return matcher.Matches(exemplar.service);
  }
  const Attribute* found = FindLabel(batch.Of(exemplar.labels), key);
  if (found == nullptr && key == "le" && exemplar.has_le) return MatchesBound(matcher, exemplar.le);
  if (found == nullptr) found = FindLabel(batch.Of(exemplar.attributes), key);
  const auto resource = OfResource(exemplar.resource, batch);
  if (found == nullptr) found = FindLabel(resource, key);
  if (found == nullptr && key == "instance") found = Find(resource, "service.instance.id");
  if (found == nullptr && key == "job") return matcher.Matches(JobOf(exemplar, batch));
  return MatchesValue(matcher, found);
}

}  // namespace

Result<CompiledMatcher> CompiledMatcher::Compile(const Matcher& matcher) {
  using Op = Matcher::Op;
  CompiledMatcher compiled;
  compiled.key_ = matcher.key;
  compiled.value_ = matcher.value;
  compiled.negative_ = matcher.op == Op::kNotEqual || matcher.op == Op::kNotRegex;
  if (matcher.op == Op::kEqual || matcher.op == Op::kNotEqual) return compiled;
  if (matcher.value.size() > kMaxRegexBytes) {
    return InvalidArgument("regular expression for " + matcher.key + " has " +
                           std::to_string(matcher.value.size()) + " bytes, at most " +
                           std::to_string(kMaxRegexBytes) + " are allowed");
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kRegexMemoryBytes);
  options.set_dot_nl(true);  // As in PromQL: '.' is any character.
  auto regex = std::make_shared<const re2::RE2>(matcher.value, options);
  if (!regex->ok()) {
    return InvalidArgument("regular expression for " + matcher.key + ": " + regex->error());
  }
  compiled.regex_ = std::move(regex);
  return compiled;
}

bool CompiledMatcher::Accepts(std::string_view text) const {
  if (regex_ == nullptr) return text == value_;
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *regex_);
}

Result<CompiledMatchers> CompileMatchers(const std::vector<Matcher>& matchers) {
  if (matchers.size() > kMaxMatchers) {
    return InvalidArgument(std::to_string(matchers.size()) + " conditions on attributes, at most " +
                           std::to_string(kMaxMatchers) + " are allowed");
  }
  CompiledMatchers compiled;
  for (const Matcher& matcher : matchers) {
    TL_TRY_ASSIGN(auto one, CompiledMatcher::Compile(matcher));
    compiled.push_back(std::move(one));
  }
  return compiled;
}

Result<SpanMatch> SpanMatch::Compile(const TraceQuery& query) {
  SpanMatch match;
  TL_TRY_ASSIGN(match.attributes_, CompileMatchers(query.attributes));
  match.time_ = query.time;
  match.service_ = query.service;
  match.operation_ = query.operation;
  match.status_code_ = query.status_code;
  match.min_duration_ns_ = query.min_duration_ns.value_or(0);
  match.max_duration_ns_ = query.max_duration_ns.value_or(UINT64_MAX);
  return match;
}

bool SpanMatch::Matches(const Span& span, const Batch& batch) const {
  if (service_ && batch.ServiceOf(span) != *service_) return false;
  if (operation_ && span.name != *operation_) return false;
  if (status_code_ && span.status_code != *status_code_) return false;
  const std::uint64_t duration = EndOf(span) - TimeOf(span);
  if (duration < min_duration_ns_ || duration > max_duration_ns_) return false;
  return time_.Contains(TimeOf(span)) &&
         MatchAll(attributes_, span.attributes, span.resource, batch);
}

bool TraceMatches(const TraceQuery& query, const TraceSummary& summary) {
  return (!query.has_logs || summary.evidence.log_count > 0) &&
         (!query.has_exemplars || summary.evidence.exemplar_count > 0) &&
         (!query.has_error || summary.error_count > 0);
}

Result<LineMatch> LineMatch::Compile(const LogQuery& query) {
  LineMatch match;
  TL_TRY_ASSIGN(match.attributes_, CompileMatchers(query.attributes));
  match.time_ = query.time;
  match.trace_id_ = query.trace_id;
  match.service_ = query.service;
  match.min_severity_number_ = query.min_severity_number;
  match.contains_ = query.contains;
  match.linked_only_ = query.linked_only;
  return match;
}

bool LineMatch::Matches(const LogLine& line, const Batch& batch) const {
  if (linked_only_ && !line.trace_id.IsValid()) return false;
  if (trace_id_ && !SameTrace(*trace_id_, line.trace_id)) return false;
  if (service_ && !line.service.empty() && line.service != *service_) return false;
  if (line.severity_number < min_severity_number_ || !time_.Contains(TimeOf(line))) return false;
  if (!contains_.empty() && !ContainsText(line.body, contains_)) return false;
  return MatchAll(attributes_, line.attributes, line.resource, batch);
}

bool InferredServiceIs(std::string_view service, SpanId span_id, const Batch& trace) {
  bool is_here = false;
  for (const Span& span : trace.spans) {
    if (!span_id.IsValid() || span.span_id != span_id) continue;
    if (trace.ServiceOf(span) == service) return true;
    is_here = true;
  }
  if (is_here) return false;
  const Span* const root = RootOf(trace);
  return service == (root == nullptr ? std::string_view() : trace.ServiceOf(*root));
}

Result<ExemplarMatch> ExemplarMatch::Compile(const ExemplarQuery& query) {
  ExemplarMatch match;
  TL_TRY_ASSIGN(match.labels_, CompileMatchers(query.labels));
  match.time_ = query.time;
  match.metric_ = query.metric;
  match.min_value_ = query.min_value;
  match.max_value_ = query.max_value;
  match.le_ = query.le;
  return match;
}

bool ExemplarMatch::Matches(const Exemplar& exemplar, const Batch& batch) const {
  if (!metric_.empty() && !IsNamed(exemplar, metric_)) return false;
  // A value that is not a number is in no range.
  if (min_value_ && !(exemplar.value() >= *min_value_)) return false;
  if (max_value_ && !(exemplar.value() <= *max_value_)) return false;
  if (le_ && !(exemplar.has_le && exemplar.le == *le_)) return false;
  if (!time_.Contains(TimeOf(exemplar))) return false;
  return std::all_of(labels_.begin(), labels_.end(), [&](const CompiledMatcher& matcher) {
    return MatchesLabel(matcher, exemplar, batch);
  });
}

Result<GaugeMatch> GaugeMatch::Compile(const GaugeQuery& query) {
  if (!query.metric.empty()) TL_TRY(MetricPattern::Parse(query.metric));
  GaugeMatch match;
  match.time_ = query.time;
  match.metric_ = query.metric;
  match.service_ = query.service;
  return match;
}

bool GaugeMatch::MatchesSeries(std::string_view metric, std::string_view service) const {
  if (service_ && service != *service_) return false;
  return metric_.empty() || MetricPattern::Parse(metric_).value().Matches(metric);
}

bool GaugeMatch::Matches(const GaugePoint& point) const {
  return time_.Contains(TimeOf(point)) && MatchesSeries(point.metric, point.service);
}

}  // namespace throughline::store
