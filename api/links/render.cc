#include "api/links/render.h"

#include <algorithm>
#include <array>
#include <limits>

#include "api/time_text.h"
#include "correlate/record_time.h"

namespace throughline::api::links {
namespace {

constexpr std::int64_t kLargestExact = std::int64_t{1} << 53U;

// Items of an object before they are written: a key with an AnyValue.
struct Item {
  std::string_view key;
  std::string_view value;
};

// Stable, because of equal keys the first stays; by insertion where there are few, which is nearly
// always and needs no memory.
void SortByKey(std::span<Item> items) {
  constexpr std::size_t kFew = 24;
  const auto less = [](const Item& a, const Item& b) { return a.key < b.key; };
  if (items.size() > kFew) {
    std::stable_sort(items.begin(), items.end(), less);
    return;
  }
  for (std::size_t i = 1; i < items.size(); ++i) {
    const Item item = items[i];
    std::size_t to = i;
    for (; to > 0 && less(item, items[to - 1]); --to) items[to] = items[to - 1];
    items[to] = item;
  }
}

void WriteValueAt(wire::JsonWriter& json, std::string_view any_value, int depth);

void WriteItems(wire::JsonWriter& json, std::span<Item> items, int depth) {
  SortByKey(items);
  json.BeginObject();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0 && items[i].key == items[i - 1].key) continue;
    json.Key(items[i].key);
    WriteValueAt(json, items[i].value, depth);
  }
  json.EndObject();
}

void WriteMap(wire::JsonWriter& json, const Value& map, int depth) {
  std::vector<Item> items;
  for (ValueItems at(map); at.Next();) items.push_back({at.key, at.value});
  WriteItems(json, items, depth);
}

void WriteValueAt(wire::JsonWriter& json, std::string_view any_value, int depth) {
  const Value value = ReadValue(any_value);
  switch (value.type) {
    case ValueType::kEmpty: json.Null(); return;
    case ValueType::kString: json.String(value.bytes); return;
    case ValueType::kBool: json.Bool(value.boolean); return;
    case ValueType::kInt: WriteInteger(json, value.integer); return;
    case ValueType::kDouble: json.Double(value.number); return;
    case ValueType::kBytes:
      json.BeginObject().Key("base64").String(ValueText(any_value)).EndObject();
      return;
    case ValueType::kArray:
      // What came in was checked against this depth; damage must not overflow the stack.
      if (depth > kMaxValueDepth) break;
      json.BeginArray();
      for (ValueItems at(value); at.Next();) WriteValueAt(json, at.value, depth + 1);
      json.EndArray();
      return;
    case ValueType::kMap:
      if (depth > kMaxValueDepth) break;
      WriteMap(json, value, depth + 1);
      return;
  }
  json.Null();
}

template <std::size_t kCount>
std::string NameOr(const std::array<std::string_view, kCount>& names, std::uint32_t number) {
  return number < kCount ? std::string(names[number]) : std::to_string(number);
}

void WriteStrings(wire::JsonWriter& json, const std::vector<std::string>& texts) {
  json.BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

std::string_view MetricTypeName(MetricType type) {
  constexpr std::array<std::string_view, 6> kNames = {
      "unknown", "gauge", "sum", "histogram", "exponential_histogram", "summary"};
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? kNames[index] : kNames[0];
}

constexpr char kHexDigits[] = "0123456789abcdef";

void PutHex(std::uint64_t value, char* digits) {
  for (int i = 15; i >= 0; --i) {
    digits[i] = kHexDigits[value & 15U];
    value >>= 4U;
  }
}

}  // namespace

void WriteValue(wire::JsonWriter& json, std::string_view any_value) {
  WriteValueAt(json, any_value, 0);
}

void WriteAttributes(wire::JsonWriter& json, std::span<const Attribute> attributes) {
  std::array<Item, 32> few;
  std::vector<Item> many;
  std::span<Item> items(few);
  if (attributes.size() > few.size()) {
    many.resize(attributes.size());
    items = many;
  }
  items = items.first(attributes.size());
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    items[i] = {attributes[i].key(), attributes[i].value()};
  }
  WriteItems(json, items, 0);
}

void WriteId(wire::JsonWriter& json, TraceId id) {
  if (!id.IsValid()) {
    json.Null();
    return;
  }
  char quoted[34];
  quoted[0] = quoted[33] = '"';
  PutHex(id.high, quoted + 1);
  PutHex(id.low, quoted + 17);
  json.Raw({quoted, sizeof quoted});
}

void WriteId(wire::JsonWriter& json, SpanId id) {
  if (!id.IsValid()) {
    json.Null();
    return;
  }
  char quoted[18];
  quoted[0] = quoted[17] = '"';
  PutHex(id.value, quoted + 1);
  json.Raw({quoted, sizeof quoted});
}

void WriteTime(wire::JsonWriter& json, std::string_view nano_key, std::string_view iso_key,
               std::uint64_t unix_ns) {
  json.Key(nano_key).UintString(unix_ns);
  std::string quoted = "\"";
  quoted.reserve(40);
  AppendIsoTime(unix_ns, quoted);
  quoted += '"';
  json.Key(iso_key).Raw(quoted);
}

void WriteDuration(wire::JsonWriter& json, std::uint64_t duration_ns) {
  json.Uint(std::min(duration_ns, static_cast<std::uint64_t>(kLargestExact - 1)));
}

void WriteInteger(wire::JsonWriter& json, std::int64_t value) {
  if (value >= -kLargestExact && value <= kLargestExact) {
    json.Int(value);
  } else {
    json.String(std::to_string(value));
  }
}

void WriteSampled(wire::JsonWriter& json, Sampled sampled) {
  if (sampled == Sampled::kUnknown) {
    json.Null();
  } else {
    json.Bool(sampled == Sampled::kYes);
  }
}

std::string_view FoundByName(FoundBy found_by) {
  constexpr std::array<std::string_view, 6> kNames = {"none",  "field", "key",
                                                      "shape", "regex", "known"};
  const auto index = static_cast<std::size_t>(found_by);
  return index < kNames.size() ? kNames[index] : kNames[0];
}

std::string KindName(std::uint32_t kind) {
  constexpr std::array<std::string_view, 6> kNames = {"unspecified", "internal", "server",
                                                      "client",      "producer", "consumer"};
  return NameOr(kNames, kind);
}

std::string StatusName(std::uint32_t status_code) {
  constexpr std::array<std::string_view, 3> kNames = {"unset", "ok", "error"};
  return NameOr(kNames, status_code);
}

std::string SeverityName(std::uint32_t severity_number) {
  constexpr std::array<std::string_view, 6> kNames = {"trace", "debug", "info",
                                                      "warn",  "error", "fatal"};
  if (severity_number == 0) return "unspecified";
  // OTLP has four grades of each.
  if (severity_number > 24) return std::to_string(severity_number);
  return std::string(kNames[(severity_number - 1) / 4]);
}

void WriteSummaryMembers(wire::JsonWriter& json, const TraceSummary& summary) {
  json.Key("root_service").String(summary.root_service);
  json.Key("root_operation").String(summary.root_operation);
  WriteId(json.Key("root_span_id"), summary.root_span_id);
  WriteTime(json, "start_unix_nano", "start_time", summary.start_unix_ns);
  WriteTime(json, "end_unix_nano", "end_time", summary.end_unix_ns);
  WriteDuration(json.Key("duration_ns"), summary.duration_ns);
  json.Key("span_count").Uint(summary.evidence.span_count);
  json.Key("error_count").Uint(summary.error_count);
  json.Key("log_count").Uint(summary.evidence.log_count);
  json.Key("exemplar_count").Uint(summary.evidence.exemplar_count);
  WriteStrings(json.Key("services"), summary.services);
  WriteStrings(json.Key("versions"), summary.versions);
}

void WriteSummary(wire::JsonWriter& json, const TraceSummary* summary) {
  if (summary == nullptr) {
    json.Null();
    return;
  }
  json.BeginObject();
  WriteSummaryMembers(json, *summary);
  json.EndObject();
}

void WriteLink(wire::JsonWriter& json, const Link& link) {
  json.Key("state").String(LinkStateName(link.state));
  json.Key("reason").String(link.reason);
}

void WriteSkew(wire::JsonWriter& json, const HostSkew& skew) {
  json.BeginObject();
  json.Key("from").String(skew.from);
  json.Key("to").String(skew.to);
  json.Key("offset_ns").Int(std::clamp(skew.offset_ns, 1 - kLargestExact, kLargestExact - 1));
  WriteDuration(json.Key("bound_ns"), skew.bound_ns);
  json.Key("pairs").Uint(skew.pairs);
  json.EndObject();
}

void WriteCompleteness(wire::JsonWriter& json, bool complete, std::string_view reason) {
  json.Key("complete").Bool(complete);
  if (!complete) json.Key("incomplete_reason").String(reason == "deadline" ? "timeout" : reason);
}

void WriteCursor(wire::JsonWriter& json, std::string_view cursor) {
  if (cursor.empty()) {
    json.Key("cursor").Null();
  } else {
    json.Key("cursor").String(cursor);
  }
}

RecordWriter::RecordWriter(wire::JsonWriter& json, const Batch& batch)
    : json_(json), batch_(batch), resources_(batch.resources.size()) {}

void RecordWriter::WriteSpan(const Span& span, const LinkStates& states) {
  json_.BeginObject();
  WriteId(json_.Key("span_id"), span.span_id);
  WriteId(json_.Key("parent_span_id"), span.parent_span_id);
  json_.Key("service").String(batch_.ServiceOf(span));
  json_.Key("name").String(span.name);
  json_.Key("kind").String(KindName(span.kind));
  WriteTime(json_, "start_unix_nano", "start_time", span.start_unix_ns);
  WriteTime(json_, "end_unix_nano", "end_time", span.end_unix_ns);
  WriteDuration(json_.Key("duration_ns"), span.duration_ns());
  json_.Key("status").String(StatusName(span.status_code));
  json_.Key("status_message").String(span.status_message);
  WriteAttributes(json_.Key("attributes"), batch_.Of(span.attributes));
  json_.Key("resource");
  WriteResource(span.resource);
  WriteScope(span.scope);
  json_.Key("flags").Uint(span.flags);
  json_.Key("trace_state").String(span.trace_state);
  WriteEvents(span);
  WriteLinks(span, states);
  json_.EndObject();
}

void RecordWriter::WriteEvents(const Span& span) {
  json_.Key("events").BeginArray();
  for (const SpanEvent& event : batch_.EventsOf(span)) {
    json_.BeginObject();
    json_.Key("name").String(event.name);
    WriteTime(json_, "time_unix_nano", "time", event.time_unix_ns);
    WriteAttributes(json_.Key("attributes"), batch_.Of(event.attributes));
    json_.EndObject();
  }
  json_.EndArray();
}

void RecordWriter::WriteLinks(const Span& span, const LinkStates& states) {
  json_.Key("links").BeginArray();
  for (const SpanLink& link : batch_.LinksOf(span)) {
    json_.BeginObject();
    WriteId(json_.Key("trace_id"), link.trace_id);
    WriteId(json_.Key("span_id"), link.span_id);
    json_.Key("state");
    if (const auto state = states(link.trace_id)) {
      json_.String(LinkStateName(*state));
    } else {
      json_.Null();
    }
    json_.Key("flags").Uint(link.flags);
    json_.Key("trace_state").String(link.trace_state);
    WriteAttributes(json_.Key("attributes"), batch_.Of(link.attributes));
    json_.EndObject();
  }
  json_.EndArray();
}

void RecordWriter::WriteLine(const PlacedLine& placed, bool with_trace_id) {
  const LogLine& line = batch_.logs[placed.index];
  json_.BeginObject();
  if (with_trace_id) WriteId(json_.Key("trace_id"), line.trace_id);
  WriteTime(json_, "time_unix_nano", "time", placed.time.unix_ns);
  json_.Key("time_suspect").Bool(placed.time.suspect);
  json_.Key("sent_time_unix_nano").UintString(line.time_unix_ns);
  json_.Key("observed_unix_nano").UintString(line.observed_unix_ns);
  json_.Key("arrival_unix_nano").UintString(line.arrival_unix_ns);
  json_.Key("service").String(placed.service);
  json_.Key("service_inferred").Bool(placed.service_inferred);
  json_.Key("severity").String(SeverityName(line.severity_number));
  json_.Key("severity_number").Uint(line.severity_number);
  json_.Key("severity_text").String(line.severity_text);
  json_.Key("event_name").String(line.event_name);
  WriteScope(line.scope);
  WriteValue(json_.Key("body"), line.body);
  WriteAttributes(json_.Key("attributes"), batch_.Of(line.attributes));
  json_.Key("resource");
  WriteResource(line.resource);
  WriteId(json_.Key("span_id"), placed.span_id);
  json_.Key("found_by").String(FoundByName(line.found_by));
  json_.Key("inferred").Bool(placed.span_inferred);
  json_.Key("flags").Uint(line.flags);
  json_.Key("related").BeginArray();
  for (const RelatedId& related : batch_.RelatedOf(line)) {
    json_.BeginObject();
    WriteId(json_.Key("trace_id"), related.trace_id);
    WriteId(json_.Key("span_id"), related.span_id);
    json_.EndObject();
  }
  json_.EndArray();
  json_.EndObject();
}

void RecordWriter::WriteExemplarMembers(const Exemplar& exemplar) {
  json_.Key("metric").String(exemplar.metric);
  json_.Key("metric_type").String(MetricTypeName(exemplar.metric_type));
  json_.Key("unit").String(exemplar.unit);
  json_.Key("value");
  if (exemplar.is_integer) {
    WriteInteger(json_, exemplar.integer);
  } else {
    json_.Double(exemplar.number);
  }
  json_.Key("value_type").String(exemplar.is_integer ? "int" : "double");
  WriteTime(json_, "time_unix_nano", "time", TimeOf(exemplar));
  json_.Key("sent_time_unix_nano").UintString(exemplar.time_unix_ns);
  json_.Key("service").String(exemplar.service);
  WriteAttributes(json_.Key("labels"), batch_.Of(exemplar.labels));
  WriteAttributes(json_.Key("attributes"), batch_.Of(exemplar.attributes));
  json_.Key("resource");
  WriteResource(exemplar.resource);
  WriteScope(exemplar.scope);
  WriteId(json_.Key("span_id"), exemplar.span_id);
  json_.Key("le");
  if (exemplar.has_le) {
    json_.Double(exemplar.le);
  } else {
    json_.Null();
  }
}

void RecordWriter::WriteGauge(const GaugePoint& point) {
  const auto time = EffectiveTimeOf(point.time_unix_ns, 0, point.arrival_unix_ns);
  json_.BeginObject();
  json_.Key("metric").String(point.metric);
  json_.Key("metric_type").String(MetricTypeName(point.metric_type));
  json_.Key("unit").String(point.unit);
  json_.Key("value").Double(point.value);
  WriteTime(json_, "time_unix_nano", "time", time.unix_ns);
  json_.Key("time_suspect").Bool(time.suspect);
  json_.Key("sent_time_unix_nano").UintString(point.time_unix_ns);
  json_.Key("service").String(point.service);
  WriteAttributes(json_.Key("labels"), batch_.Of(point.labels));
  json_.Key("resource");
  WriteResource(point.resource);
  json_.EndObject();
}

void RecordWriter::WriteResource(std::uint32_t resource) {
  if (resource == kNoIndex) {
    json_.BeginObject().EndObject();
    return;
  }
  std::string& rendered = resources_[resource];
  if (rendered.empty()) {
    wire::JsonWriter json(rendered);
    WriteAttributes(json, batch_.Of(batch_.resources[resource].attributes));
  }
  json_.Raw(rendered);
}

void RecordWriter::WriteScope(std::uint32_t scope) {
  const InstrumentationScope* found = batch_.ScopeOf(scope);
  json_.Key("scope").String(found == nullptr ? std::string_view() : found->name);
  json_.Key("scope_version").String(found == nullptr ? std::string_view() : found->version);
  if (found != nullptr && found->attributes.count > 0) {
    WriteAttributes(json_.Key("scope_attributes"), batch_.Of(found->attributes));
  }
}

}  // namespace throughline::api::links
