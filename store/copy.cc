#include "store/copy.h"

namespace throughline::store {
namespace {

std::uint32_t Size(const auto& list) { return static_cast<std::uint32_t>(list.size()); }

}  // namespace

Range RecordCopier::Copy(Range attributes) {
  const Range range{.begin = Size(to_.attributes), .count = attributes.count};
  for (Attribute attribute : from_.Of(attributes)) {
    attribute.data = Copy(attribute.bytes()).data();
    to_.attributes.push_back(attribute);
  }
  return range;
}

std::uint32_t RecordCopier::CopyResource(std::uint32_t index) {
  if (index == kNoIndex) return kNoIndex;
  const auto [at, is_new] = resources_.try_emplace(index, Size(to_.resources));
  if (is_new) {
    Resource resource = from_.resources[index];
    resource.attributes = Copy(resource.attributes);
    resource.service = Copy(resource.service);
    to_.resources.push_back(resource);
  }
  return at->second;
}

std::uint32_t RecordCopier::CopyScope(std::uint32_t index) {
  if (index == kNoIndex) return kNoIndex;
  const auto [at, is_new] = scopes_.try_emplace(index, Size(to_.scopes));
  if (is_new) {
    InstrumentationScope scope = from_.scopes[index];
    scope.name = Copy(scope.name);
    scope.version = Copy(scope.version);
    scope.attributes = Copy(scope.attributes);
    to_.scopes.push_back(scope);
  }
  return at->second;
}

Span& RecordCopier::Copy(const Span& span) {
  Span copy = span;
  copy.resource = CopyResource(span.resource);
  copy.scope = CopyScope(span.scope);
  copy.attributes = Copy(span.attributes);
  copy.name = Copy(span.name);
  copy.status_message = Copy(span.status_message);
  copy.trace_state = Copy(span.trace_state);
  copy.events.begin = Size(to_.events);
  for (SpanEvent event : from_.EventsOf(span)) {
    event.name = Copy(event.name);
    event.attributes = Copy(event.attributes);
    to_.events.push_back(event);
  }
  copy.links.begin = Size(to_.span_links);
  for (SpanLink link : from_.LinksOf(span)) {
    link.trace_state = Copy(link.trace_state);
    link.attributes = Copy(link.attributes);
    to_.span_links.push_back(link);
  }
  to_.spans.push_back(copy);
  return to_.spans.back();
}

LogLine& RecordCopier::Copy(const LogLine& line) {
  LogLine copy = line;
  copy.resource = CopyResource(line.resource);
  copy.scope = CopyScope(line.scope);
  copy.attributes = Copy(line.attributes);
  copy.service = Copy(line.service);
  copy.severity_text = Copy(line.severity_text);
  copy.event_name = Copy(line.event_name);
  copy.body = Copy(line.body);
  copy.related.begin = Size(to_.related);
  for (const RelatedId& id : from_.RelatedOf(line)) to_.related.push_back(id);
  to_.logs.push_back(copy);
  return to_.logs.back();
}

Exemplar& RecordCopier::Copy(const Exemplar& exemplar) {
  Exemplar copy = exemplar;
  copy.resource = CopyResource(exemplar.resource);
  copy.scope = CopyScope(exemplar.scope);
  copy.labels = Copy(exemplar.labels);
  copy.attributes = Copy(exemplar.attributes);
  copy.metric = Copy(exemplar.metric);
  copy.unit = Copy(exemplar.unit);
  copy.service = Copy(exemplar.service);
  to_.exemplars.push_back(copy);
  return to_.exemplars.back();
}

GaugePoint& RecordCopier::Copy(const GaugePoint& point) {
  GaugePoint copy = point;
  copy.resource = CopyResource(point.resource);
  copy.labels = Copy(point.labels);
  copy.metric = Copy(point.metric);
  copy.unit = Copy(point.unit);
  copy.service = Copy(point.service);
  to_.gauges.push_back(copy);
  return to_.gauges.back();
}

}  // namespace throughline::store
