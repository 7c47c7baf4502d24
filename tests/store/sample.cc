#include "tests/store/sample.h"

#include "correlate/identity.h"

namespace throughline::store {
namespace {

std::uint32_t Size(const auto& list) { return static_cast<std::uint32_t>(list.size()); }

}  // namespace

SampleValue::SampleValue(const char* text) { AppendStringValue(text, any_value_); }
SampleValue::SampleValue(std::string_view text) { AppendStringValue(text, any_value_); }
SampleValue::SampleValue(const std::string& text) { AppendStringValue(text, any_value_); }
SampleValue::SampleValue(int value) { AppendIntValue(value, any_value_); }
SampleValue::SampleValue(double value) { AppendDoubleValue(value, any_value_); }
SampleValue::SampleValue(bool value) { AppendBoolValue(value, any_value_); }

SampleValue SampleValue::Array(const std::vector<SampleValue>& items) {
  std::string content;
  for (const SampleValue& item : items) AppendArrayItem(item.any_value(), content);
  SampleValue array;
  AppendArrayValue(content, array.any_value_);
  return array;
}

Sample::Sample(std::uint64_t hash_seed)
    : hash_seed_(hash_seed), batch_(std::make_shared<Batch>()) {}

Range Sample::Put(const SampleAttributes& attributes) {
  const Range range{.begin = Size(batch_->attributes), .count = Size(attributes)};
  for (const auto& [key, value] : attributes) {
    batch_->attributes.push_back(MakeAttribute(key, value.any_value(), hash_seed_, batch_->arena));
  }
  return range;
}

Sample& Sample::From(const SampleAttributes& resource, std::string_view scope) {
  Resource made;
  made.attributes = Put(resource);
  for (const Attribute& attribute : batch_->Of(made.attributes)) {
    if (attribute.key() == "service.name") made.service = StringOf(attribute.value());
  }
  made.hash = HashOf(made, *batch_, hash_seed_);
  resource_ = Size(batch_->resources);
  batch_->resources.push_back(made);
  scope_ = kNoIndex;
  if (scope.empty()) return *this;
  InstrumentationScope made_scope;
  made_scope.name = Text(scope);
  made_scope.version = "1.0";
  made_scope.hash = HashOf(made_scope, *batch_, hash_seed_);
  scope_ = Size(batch_->scopes);
  batch_->scopes.push_back(made_scope);
  return *this;
}

Sample& Sample::Add(const SampleSpan& span) {
  Span made;
  made.trace_id = span.trace;
  made.span_id = span.span;
  made.parent_span_id = span.parent;
  made.start_unix_ns = span.start;
  made.end_unix_ns = span.start + span.duration;
  made.kind = span.kind;
  made.status_code = span.status;
  made.resource = resource_;
  made.scope = scope_;
  made.attributes = Put(span.attributes);
  made.name = Text(span.name);
  made.status_message = Text(span.status_message);
  made.trace_state = Text(span.trace_state);
  made.events = {.begin = Size(batch_->events), .count = Size(span.events)};
  for (const SampleEvent& event : span.events) {
    batch_->events.push_back({event.time, Text(event.name), Put(event.attributes)});
  }
  made.links = {.begin = Size(batch_->span_links), .count = Size(span.links)};
  for (const SampleLink& link : span.links) {
    batch_->span_links.push_back({.trace_id = link.trace,
                                  .span_id = link.span,
                                  .flags = 1,
                                  .trace_state = {},
                                  .attributes = Put(link.attributes)});
  }
  made.identity = IdentityOf(made, *batch_, hash_seed_);
  batch_->spans.push_back(made);
  return *this;
}

Sample& Sample::Add(const SampleLine& line) {
  LogLine made;
  made.trace_id = line.trace;
  made.span_id = line.span;
  made.time_unix_ns = line.time;
  made.observed_unix_ns = line.observed;
  made.severity_number = line.severity;
  made.found_by = line.trace.IsValid() ? line.found_by : FoundBy::kNone;
  made.sampled = line.sampled;
  made.resource = resource_;
  made.scope = scope_;
  made.attributes = Put(line.attributes);
  made.related = {.begin = Size(batch_->related), .count = Size(line.related)};
  batch_->related.insert(batch_->related.end(), line.related.begin(), line.related.end());
  made.body = Text(line.body.any_value());
  made.event_name = Text(line.event_name);
  if (line.service) {
    made.service = Text(*line.service);
  } else if (resource_ != kNoIndex) {
    made.service = batch_->resources[resource_].service;
  }
  // As decoders: without a time, it is told apart by its place.
  made.identity_follows = line.time != 0 || line.observed != 0;
  made.identity = IdentityOf(made, *batch_, hash_seed_);
  batch_->logs.push_back(made);
  return *this;
}

Sample& Sample::Add(const SampleExemplar& exemplar) {
  Exemplar made;
  made.trace_id = exemplar.trace;
  made.span_id = exemplar.span;
  made.time_unix_ns = exemplar.time;
  made.metric_type = exemplar.type;
  made.number = exemplar.value;
  made.le = exemplar.le.value_or(0);
  made.has_le = exemplar.le.has_value();
  made.resource = resource_;
  made.scope = scope_;
  made.labels = Put(exemplar.labels);
  made.attributes = Put(exemplar.attributes);
  made.metric = Text(exemplar.metric);
  made.unit = Text(exemplar.unit);
  if (resource_ != kNoIndex) made.service = batch_->resources[resource_].service;
  made.identity = IdentityOf(made, *batch_, hash_seed_);
  batch_->exemplars.push_back(made);
  return *this;
}

Sample& Sample::Add(const SampleGauge& gauge) {
  GaugePoint made;
  made.time_unix_ns = gauge.time;
  made.value = gauge.value;
  made.metric_type = gauge.type;
  made.resource = resource_;
  made.labels = Put(gauge.labels);
  made.metric = Text(gauge.metric);
  made.unit = Text(gauge.unit);
  if (gauge.service) {
    made.service = Text(*gauge.service);
  } else if (resource_ != kNoIndex) {
    made.service = batch_->resources[resource_].service;
  }
  made.identity = IdentityOf(made, *batch_, hash_seed_);
  batch_->gauges.push_back(made);
  return *this;
}

std::shared_ptr<const Batch> Sample::Finish() {
  resource_ = kNoIndex;
  scope_ = kNoIndex;
  return std::exchange(batch_, std::make_shared<Batch>());
}

}  // namespace throughline::store
