#include "store/transfer/ndjson_line.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "correlate/scope.h"
#include "otlp/json.h"
#include "store/transfer/batch_mark.h"
#include "store/transfer/finish_record.h"
#include "store/transfer/hex_ids.h"
#include "store/transfer/record_names.h"
#include "store/transfer/stated_service.h"

namespace throughline::store::transfer {
namespace {

using otlp::JsonDecoder;
using otlp::JsonMessage;
using otlp::JsonPath;
using wire::JsonValue;

std::uint32_t Size(const auto& list) { return static_cast<std::uint32_t>(list.size()); }

// All that a line of any kind may hold.
enum Field : std::size_t {
  kKind,
  kTenant,
  kArrival,
  kTraceId,
  kSpanId,
  kParentSpanId,
  kName,
  kSpanKind,
  kStart,
  kEnd,
  kStatus,
  kFlags,
  kTraceState,
  kAttributes,
  kEvents,
  kLinks,
  kTime,
  kObserved,
  kSeverityNumber,
  kSeverityText,
  kEventName,
  kBody,
  kFoundBy,
  kSampled,
  kRelated,
  kIdentity,
  kMetric,
  kUnit,
  kMetricType,
  kAsInt,
  kAsDouble,
  kLe,
  kLabels,
  kFilteredAttributes,
  kService,
  kResource,
  kResourceService,
  kScope,
  kFieldCount
};
constexpr JsonMessage<kFieldCount>::Names kNames = {"kind",
                                                    "tenant",
                                                    "arrivalTimeUnixNano",
                                                    "traceId",
                                                    "spanId",
                                                    "parentSpanId",
                                                    "name",
                                                    "spanKind",
                                                    "startTimeUnixNano",
                                                    "endTimeUnixNano",
                                                    "status",
                                                    "flags",
                                                    "traceState",
                                                    "attributes",
                                                    "events",
                                                    "links",
                                                    "timeUnixNano",
                                                    "observedTimeUnixNano",
                                                    "severityNumber",
                                                    "severityText",
                                                    "eventName",
                                                    "body",
                                                    "foundBy",
                                                    "sampled",
                                                    "related",
                                                    "identity",
                                                    "metric",
                                                    "unit",
                                                    "metricType",
                                                    "asInt",
                                                    "asDouble",
                                                    "le",
                                                    "labels",
                                                    "filteredAttributes",
                                                    "service",
                                                    "resource",
                                                    "resourceService",
                                                    "scope"};

std::int64_t NoEnumName(std::string_view /*name*/) { return -1; }

bool SameAttributes(Range a, Range b, const Batch& batch) {
  const auto left = batch.Of(a);
  const auto right = batch.Of(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Attribute& x, const Attribute& y) { return x.bytes() == y.bytes(); });
}

}  // namespace

// One line on its way into the batch.
class NdjsonLines::Record {
 public:
  Record(NdjsonLines& lines, JsonDecoder& decoder, const JsonMessage<kFieldCount>& message)
      : lines_(lines), batch_(lines.batch_), decoder_(decoder), message_(message) {}

  // Why the line is no record; empty: its record stands in the batch.
  std::string Append(std::uint64_t place) {
    const std::string_view kind = message_.Text(kKind);
    if (kind == "span") return AppendSpan();
    if (kind == "log") return AppendLine(place);
    if (kind == "exemplar") return AppendExemplar();
    if (kind == "gauge") return AppendGauge();
    std::string problem = "kind is \"";
    problem.append(kind.substr(0, 20)).append("\", want span, log, exemplar or gauge");
    return problem;
  }

 private:
  template <typename Id>
  void ReadId(JsonValue value, const JsonPath& at, std::string_view name, Id& id) {
    const std::string_view text = decoder_.Text(value, at, name);
    if (text.empty() || ReadHex(text, id)) return;
    std::string problem(name);
    decoder_.Reject(problem + " has " + std::to_string(text.size()) + " characters, want " +
                    std::to_string(2 * sizeof(Id)) + " hexadecimal digits");
  }
  template <typename Id>
  void ReadId(Field field, Id& id) {
    ReadId(message_[field], message_.at(), kNames[field], id);
  }

  template <typename Enum, std::size_t kCount>
  Enum Word(Field field, const std::array<std::string_view, kCount>& names, Enum absent) {
    if (!message_.Has(field)) return absent;
    const auto found = NamedIn<Enum>(names, message_.Text(field));
    if (!found) decoder_.Reject(std::string(kNames[field]) + " is no word of this format");
    return found.value_or(absent);
  }

  // Resource and scope come before the rest: the decoder bounds their attributes by themselves, and
  // those that the batch has already go again.
  template <typename Kind>
  void ReadOrigin(Kind& record) {
    record.arrival_unix_ns = message_.Uint64(kArrival);
    const std::size_t before = batch_.attributes.size();
    record.resource = decoder_.Resource(message_[kResource], message_.at(), kNames[kResource]);
    if (record.resource != kNoIndex && message_.Has(kResourceService)) {
      batch_.resources[record.resource].service = message_.KeptText(kResourceService);
    }
    record.resource = lines_.Share(record.resource, before);
    if constexpr (requires { record.scope; }) {
      const std::size_t at = batch_.attributes.size();
      record.scope = decoder_.Scope(message_[kScope], message_.at(), kNames[kScope]);
      record.scope = lines_.ShareScope(record.scope, at);
    }
    decoder_.BeginRecord();
  }
  template <typename Kind>
  void ReadService(Kind& record) {
    record.service = message_.Has(kService) ? message_.KeptText(kService)
                                            : ServiceOfResource(record.resource, batch_);
  }

  // Empty: nothing of the record failed.
  template <typename Kind>
  std::string Problem(Kind& record) {
    if constexpr (requires { record.service; }) ReadService(record);
    if (!decoder_.ok()) return decoder_.error().message;
    return decoder_.problem();
  }

  std::string AppendSpan() {
    Span span;
    ReadOrigin(span);
    ReadId(kTraceId, span.trace_id);
    ReadId(kSpanId, span.span_id);
    ReadId(kParentSpanId, span.parent_span_id);
    span.name = message_.KeptText(kName);
    span.kind = message_.Enum(kSpanKind, NoEnumName);
    span.start_unix_ns = message_.Uint64(kStart);
    span.end_unix_ns = message_.Uint64(kEnd);
    span.flags = message_.Uint32(kFlags);
    span.trace_state = message_.KeptText(kTraceState);
    span.attributes = message_.Attributes(kAttributes);
    ReadStatus(span);
    ReadEvents(span);
    ReadLinks(span);
    const std::string problem = Problem(span);
    return problem.empty() ? Finish(span, lines_.options_, batch_) : problem;
  }

  void ReadStatus(Span& span) {
    static constexpr JsonMessage<2>::Names kStatusNames = {"code", "message"};
    const JsonPath path = message_.Child(kStatus);
    const JsonMessage<2> status(decoder_, message_[kStatus], kStatusNames, path);
    span.status_code = status.Enum(0, NoEnumName);
    span.status_message = status.KeptText(1);
  }

  void ReadEvents(Span& span) {
    static constexpr JsonMessage<3>::Names kEventNames = {"timeUnixNano", "name", "attributes"};
    span.events.begin = Size(batch_.events);
    message_.ForEach(kEvents, [&](JsonValue value, const JsonPath& path) {
      const JsonMessage<3> item(decoder_, value, kEventNames, path);
      batch_.events.push_back({.time_unix_ns = item.Uint64(0),
                               .name = item.KeptText(1),
                               .attributes = item.Attributes(2)});
      return true;
    });
    span.events.count = Size(batch_.events) - span.events.begin;
  }

  void ReadLinks(Span& span) {
    static constexpr JsonMessage<5>::Names kLinkNames = {"traceId", "spanId", "flags", "traceState",
                                                         "attributes"};
    span.links.begin = Size(batch_.span_links);
    message_.ForEach(kLinks, [&](JsonValue value, const JsonPath& path) {
      const JsonMessage<5> item(decoder_, value, kLinkNames, path);
      SpanLink link;
      ReadId(item[0], path, item.name(0), link.trace_id);
      ReadId(item[1], path, item.name(1), link.span_id);
      link.flags = item.Uint32(2);
      link.trace_state = item.KeptText(3);
      link.attributes = item.Attributes(4);
      batch_.span_links.push_back(link);
      return true;
    });
    span.links.count = Size(batch_.span_links) - span.links.begin;
  }

  std::string AppendLine(std::uint64_t place) {
    LogLine line;
    ReadOrigin(line);
    ReadId(kTraceId, line.trace_id);
    ReadId(kSpanId, line.span_id);
    line.time_unix_ns = message_.Uint64(kTime);
    line.observed_unix_ns = message_.Uint64(kObserved);
    line.severity_number = message_.Enum(kSeverityNumber, NoEnumName);
    line.severity_text = message_.KeptText(kSeverityText);
    line.event_name = message_.KeptText(kEventName);
    line.body = decoder_.AnyValue(message_[kBody], message_.at(), kNames[kBody]);
    line.flags = message_.Uint32(kFlags);
    line.attributes = message_.Attributes(kAttributes);
    line.found_by = Word(kFoundBy, kFoundByNames, FoundBy::kNone);
    if (message_.Has(kSampled)) {
      line.sampled = message_.Bool(kSampled) ? Sampled::kYes : Sampled::kNo;
    }
    ReadRelated(line);
    SpanId identity;
    ReadId(kIdentity, identity);
    const std::string problem = Problem(line);
    if (!problem.empty()) return problem;
    const auto stated =
        message_.Has(kIdentity) ? std::optional<std::uint64_t>(identity.value) : std::nullopt;
    return Finish(line, stated, place, lines_.options_, batch_);
  }

  void ReadRelated(LogLine& line) {
    static constexpr JsonMessage<2>::Names kRelatedNames = {"traceId", "spanId"};
    line.related.begin = Size(batch_.related);
    message_.ForEach(kRelated, [&](JsonValue value, const JsonPath& path) {
      const JsonMessage<2> item(decoder_, value, kRelatedNames, path);
      RelatedId id;
      ReadId(item[0], path, item.name(0), id.trace_id);
      ReadId(item[1], path, item.name(1), id.span_id);
      batch_.related.push_back(id);
      return true;
    });
    line.related.count = Size(batch_.related) - line.related.begin;
  }

  std::string AppendExemplar() {
    Exemplar exemplar;
    ReadOrigin(exemplar);
    ReadId(kTraceId, exemplar.trace_id);
    ReadId(kSpanId, exemplar.span_id);
    exemplar.time_unix_ns = message_.Uint64(kTime);
    exemplar.metric = message_.KeptText(kMetric);
    exemplar.unit = message_.KeptText(kUnit);
    exemplar.metric_type = Word(kMetricType, kMetricTypeNames, MetricType::kUnknown);
    exemplar.is_integer = message_.Has(kAsInt);
    exemplar.integer = message_.Int64(kAsInt);
    if (!exemplar.is_integer) exemplar.number = message_.Double(kAsDouble);
    exemplar.has_le = message_.Has(kLe);
    exemplar.le = message_.Double(kLe);
    exemplar.labels = message_.Attributes(kLabels);
    exemplar.attributes = message_.Attributes(kFilteredAttributes);
    const std::string problem = Problem(exemplar);
    return problem.empty() ? Finish(exemplar, lines_.options_, batch_) : problem;
  }

  std::string AppendGauge() {
    GaugePoint point;
    ReadOrigin(point);
    point.time_unix_ns = message_.Uint64(kTime);
    point.metric = message_.KeptText(kMetric);
    point.unit = message_.KeptText(kUnit);
    point.metric_type = Word(kMetricType, kMetricTypeNames, MetricType::kGauge);
    point.value = message_.Double(kAsDouble);
    point.labels = message_.Attributes(kLabels);
    const std::string problem = Problem(point);
    return problem.empty() ? Finish(point, lines_.options_, batch_) : problem;
  }

  NdjsonLines& lines_;
  Batch& batch_;
  JsonDecoder& decoder_;
  const JsonMessage<kFieldCount>& message_;
};

Result<bool> NdjsonLines::Append(std::string_view line, std::uint64_t place, std::string& tenant) {
  JsonDecoder decoder(options_, batch_);
  TL_TRY_ASSIGN(const JsonValue root, decoder.Parse(line));
  const JsonPath path;
  const JsonMessage<kFieldCount> message(decoder, root, kNames, path);
  auto stated = TenantFromHeader(message.Text(kTenant));
  if (!stated) return InvalidArgument("tenant is no name of a tenant");
  if (!tenant.empty() && tenant != *stated) return false;
  const BatchMark mark(batch_);
  std::string problem = Record(*this, decoder, message).Append(place);
  if (!problem.empty()) {
    mark.Restore(batch_);
    return InvalidArgument(std::move(problem));
  }
  tenant = std::move(*stated);
  return true;
}

std::uint32_t NdjsonLines::Share(std::uint32_t index, std::size_t attributes) {
  if (index == kNoIndex) return kNoIndex;
  const Resource& resource = batch_.resources[index];
  std::uint32_t& known_index = resources_.try_emplace(resource.hash, index).first->second;
  // A place behind the end is that of a record that turned out to be none.
  if (known_index >= index) return known_index = index;
  const Resource& known = batch_.resources[known_index];
  if (known.service != resource.service ||
      !SameAttributes(known.attributes, resource.attributes, batch_)) {
    return index;
  }
  batch_.resources.pop_back();
  batch_.attributes.resize(attributes);
  return known_index;
}

std::uint32_t NdjsonLines::ShareScope(std::uint32_t index, std::size_t attributes) {
  if (index == kNoIndex) return kNoIndex;
  const InstrumentationScope& scope = batch_.scopes[index];
  std::uint32_t& known_index = scopes_.try_emplace(scope.hash, index).first->second;
  if (known_index >= index) return known_index = index;
  const InstrumentationScope& known = batch_.scopes[known_index];
  if (known.name != scope.name || known.version != scope.version ||
      !SameAttributes(known.attributes, scope.attributes, batch_)) {
    return index;
  }
  batch_.scopes.pop_back();
  batch_.attributes.resize(attributes);
  return known_index;
}

}  // namespace throughline::store::transfer
