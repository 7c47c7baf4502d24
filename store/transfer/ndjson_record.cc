#include "store/transfer/ndjson_record.h"

#include "store/transfer/json_value.h"
#include "store/transfer/record_names.h"
#include "store/transfer/stated_service.h"

namespace throughline::store::transfer {
namespace {

using wire::JsonWriter;

void PutText(std::string_view name, std::string_view text, JsonWriter& json) {
  if (!text.empty()) json.Key(name).String(text);
}

void PutNumber(std::string_view name, std::uint64_t value, JsonWriter& json) {
  if (value != 0) json.Key(name).Uint(value);
}

// An int32, as OTLP/JSON has it.
void PutEnum(std::string_view name, std::uint32_t value, JsonWriter& json) {
  if (value != 0) json.Key(name).Int(static_cast<std::int32_t>(value));
}

void PutTime(std::string_view name, std::uint64_t unix_ns, JsonWriter& json) {
  if (unix_ns != 0) json.Key(name).UintString(unix_ns);
}

template <typename Id>
void PutId(std::string_view name, Id id, JsonWriter& json) {
  if (id.IsValid()) json.Key(name).String(ToHex(id));
}

}  // namespace

NdjsonRecords::NdjsonRecords(std::string_view tenant, const Batch& batch)
    : tenant_(tenant),
      batch_(batch),
      resources_(batch.resources.size()),
      scopes_(batch.scopes.size()) {}

void NdjsonRecords::Begin(std::string_view kind, std::uint64_t arrival_unix_ns, JsonWriter& json) {
  json.BeginObject().Key("kind").String(kind).Key("tenant").String(tenant_);
  PutTime("arrivalTimeUnixNano", arrival_unix_ns, json);
}

void NdjsonRecords::PutAttributes(std::string_view name, Range range, JsonWriter& json) {
  if (range.count > 0) PutKeyValues(batch_.Of(range), json.Key(name));
}

void NdjsonRecords::PutOrigin(std::uint32_t resource, std::uint32_t scope, JsonWriter& json) {
  if (const Resource* const from = batch_.ResourceOf(resource)) {
    std::string& text = resources_[resource];
    if (text.empty()) {
      JsonWriter spelled(text);
      spelled.BeginObject();
      PutAttributes("attributes", from->attributes, spelled);
      spelled.EndObject();
    }
    json.Key("resource").Raw(text);
    if (from->service != ServiceInAttributes(*from, batch_)) {
      json.Key("resourceService").String(from->service);
    }
  }
  if (const InstrumentationScope* const from = batch_.ScopeOf(scope)) {
    std::string& text = scopes_[scope];
    if (text.empty()) {
      JsonWriter spelled(text);
      spelled.BeginObject();
      PutText("name", from->name, spelled);
      PutText("version", from->version, spelled);
      PutAttributes("attributes", from->attributes, spelled);
      spelled.EndObject();
    }
    json.Key("scope").Raw(text);
  }
}

void NdjsonRecords::PutService(std::string_view service, std::string_view implied,
                               JsonWriter& json) {
  if (service != implied) json.Key("service").String(service);
}

void NdjsonRecords::PutSpanParts(const Span& span, JsonWriter& json) {
  if (span.events.count > 0) json.Key("events").BeginArray();
  for (const SpanEvent& event : batch_.EventsOf(span)) {
    json.BeginObject();
    PutTime("timeUnixNano", event.time_unix_ns, json);
    PutText("name", event.name, json);
    PutAttributes("attributes", event.attributes, json);
    json.EndObject();
  }
  if (span.events.count > 0) json.EndArray();
  if (span.links.count > 0) json.Key("links").BeginArray();
  for (const SpanLink& link : batch_.LinksOf(span)) {
    json.BeginObject();
    PutId("traceId", link.trace_id, json);
    PutId("spanId", link.span_id, json);
    PutNumber("flags", link.flags, json);
    PutText("traceState", link.trace_state, json);
    PutAttributes("attributes", link.attributes, json);
    json.EndObject();
  }
  if (span.links.count > 0) json.EndArray();
}

void NdjsonRecords::Append(const Span& span, std::string& out) {
  JsonWriter json(out);
  Begin("span", span.arrival_unix_ns, json);
  PutId("traceId", span.trace_id, json);
  PutId("spanId", span.span_id, json);
  PutId("parentSpanId", span.parent_span_id, json);
  PutText("name", span.name, json);
  PutEnum("spanKind", span.kind, json);
  PutTime("startTimeUnixNano", span.start_unix_ns, json);
  PutTime("endTimeUnixNano", span.end_unix_ns, json);
  if (span.status_code != 0 || !span.status_message.empty()) {
    json.Key("status").BeginObject();
    PutEnum("code", span.status_code, json);
    PutText("message", span.status_message, json);
    json.EndObject();
  }
  PutNumber("flags", span.flags, json);
  PutText("traceState", span.trace_state, json);
  PutAttributes("attributes", span.attributes, json);
  PutSpanParts(span, json);
  PutOrigin(span.resource, span.scope, json);
  json.EndObject();
  out += '\n';
}

void NdjsonRecords::Append(const LogLine& line, std::string& out) {
  JsonWriter json(out);
  Begin("log", line.arrival_unix_ns, json);
  PutId("traceId", line.trace_id, json);
  PutId("spanId", line.span_id, json);
  PutTime("timeUnixNano", line.time_unix_ns, json);
  PutTime("observedTimeUnixNano", line.observed_unix_ns, json);
  PutEnum("severityNumber", line.severity_number, json);
  PutText("severityText", line.severity_text, json);
  PutText("eventName", line.event_name, json);
  if (!line.body.empty()) PutAnyValue(line.body, json.Key("body"));
  PutNumber("flags", line.flags, json);
  PutAttributes("attributes", line.attributes, json);
  if (line.found_by != FoundBy::kNone) {
    json.Key("foundBy").String(NameIn(kFoundByNames, line.found_by));
  }
  if (line.sampled != Sampled::kUnknown) json.Key("sampled").Bool(line.sampled == Sampled::kYes);
  if (line.related.count > 0) json.Key("related").BeginArray();
  for (const RelatedId& id : batch_.RelatedOf(line)) {
    json.BeginObject();
    PutId("traceId", id.trace_id, json);
    PutId("spanId", id.span_id, json);
    json.EndObject();
  }
  if (line.related.count > 0) json.EndArray();
  // Not to be had from the rest of the line: it may come from the request that brought it.
  json.Key("identity").String(ToHex(SpanId{line.identity}));
  PutService(line.service, ServiceOfResource(line.resource, batch_), json);
  PutOrigin(line.resource, line.scope, json);
  json.EndObject();
  out += '\n';
}

void NdjsonRecords::Append(const Exemplar& exemplar, std::string& out) {
  JsonWriter json(out);
  Begin("exemplar", exemplar.arrival_unix_ns, json);
  PutId("traceId", exemplar.trace_id, json);
  PutId("spanId", exemplar.span_id, json);
  PutTime("timeUnixNano", exemplar.time_unix_ns, json);
  PutText("metric", exemplar.metric, json);
  PutText("unit", exemplar.unit, json);
  PutText("metricType", NameIn(kMetricTypeNames, exemplar.metric_type), json);
  if (exemplar.is_integer) {
    json.Key("asInt").String(std::to_string(exemplar.integer));
  } else {
    PutDouble(exemplar.number, json.Key("asDouble"));
  }
  if (exemplar.has_le) PutDouble(exemplar.le, json.Key("le"));
  PutAttributes("labels", exemplar.labels, json);
  PutAttributes("filteredAttributes", exemplar.attributes, json);
  PutService(exemplar.service, ServiceOfResource(exemplar.resource, batch_), json);
  PutOrigin(exemplar.resource, exemplar.scope, json);
  json.EndObject();
  out += '\n';
}

void NdjsonRecords::Append(const GaugePoint& point, std::string& out) {
  JsonWriter json(out);
  Begin("gauge", point.arrival_unix_ns, json);
  PutTime("timeUnixNano", point.time_unix_ns, json);
  PutText("metric", point.metric, json);
  PutText("unit", point.unit, json);
  PutText("metricType", NameIn(kMetricTypeNames, point.metric_type), json);
  PutDouble(point.value, json.Key("asDouble"));
  PutAttributes("labels", point.labels, json);
  PutService(point.service, ServiceOfResource(point.resource, batch_), json);
  PutOrigin(point.resource, kNoIndex, json);
  json.EndObject();
  out += '\n';
}

}  // namespace throughline::store::transfer
