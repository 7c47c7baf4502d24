#include "store/sqlite/record.h"

#include <algorithm>

#include "correlate/hash.h"
#include "store/sqlite/gauge_record.h"
#include "store/sqlite/record_bytes.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::sqlite {
namespace {

char* PutTraceId(TraceId id, char* to) { return Put(id.low, Put(id.high, to)); }

// The part of the fixed header that all kinds share.
char* PutFixed(RecordKind kind, TraceId trace_id, SpanId span_id, std::uint64_t identity,
               char* to) {
  std::memset(to, 0, 12);
  to[8] = static_cast<char>(kind);
  char* at = PutTraceId(trace_id, to + 12);
  at = Put(span_id.value, at);
  return Put(identity, at);
}

Cursor VaryingPart(RecordView record) {
  return {record.data() + kFixedBytes, record.data() + record.size()};
}

void AppendVarintTo(std::uint64_t value, std::string& out) {
  char bytes[10];
  out.append(bytes, PutVarint(value, bytes));
}

void AppendKeyValues(std::span<const Attribute> attributes, std::string& out) {
  for (const Attribute& attribute : attributes) {
    out += '\x0a';
    AppendVarintTo(attribute.size, out);
    out += attribute.bytes();
  }
}

}  // namespace

RecordWriter::RecordWriter(Dictionary& dictionary, const Batch& batch)
    : dictionary_(dictionary),
      batch_(batch),
      resource_ids_(batch.resources.size(), kNotInterned),
      service_ids_(batch.resources.size(), kNotInterned),
      scope_ids_(batch.scopes.size(), kNotInterned) {}

std::size_t RecordWriter::AttributesBound(Range range) const {
  std::size_t bytes = 10;
  for (const Attribute& attribute : batch_.Of(range)) bytes += attribute.size + 8;
  return bytes;
}

std::size_t RecordWriter::Bound(const Span& span) const {
  constexpr std::size_t kVarints = 90;  // Nine of ten bytes.
  std::size_t bytes = kFixedBytes + kVarints + AttributesBound(span.attributes);
  for (const SpanEvent& event : batch_.EventsOf(span))
    bytes += 20 + AttributesBound(event.attributes);
  for (const SpanLink& link : batch_.LinksOf(span)) bytes += 50 + AttributesBound(link.attributes);
  return bytes + 8;
}

std::size_t RecordWriter::Bound(const LogLine& line) const {
  constexpr std::size_t kVarints = 90;  // Nine of ten bytes.
  return kFixedBytes + kVarints + AttributesBound(line.attributes) + 10 +
         std::size_t{line.related.count} * 24 + 10 + line.body.size() + 8;
}

std::size_t RecordWriter::Bound(const Exemplar& exemplar) const {
  constexpr std::size_t kVarints = 80;  // Eight of ten bytes.
  return kFixedBytes + kVarints + AttributesBound(exemplar.labels) +
         AttributesBound(exemplar.attributes) + 8;
}

std::size_t RecordWriter::DictionaryBound() const {
  constexpr std::size_t kOverhead = 8;  // Size and padding of an entry.
  std::size_t bytes = 0;
  for (const Attribute& attribute : batch_.attributes)
    bytes += 2 * (attribute.size + kOverhead + 4);
  for (const Resource& resource : batch_.resources)
    bytes += resource.service.size() + 2 * kOverhead;
  for (const InstrumentationScope& scope : batch_.scopes) {
    bytes += scope.name.size() + scope.version.size() + 2 * kOverhead + 20;
  }
  for (const Span& span : batch_.spans) {
    bytes +=
        span.name.size() + span.status_message.size() + span.trace_state.size() + 3 * kOverhead;
  }
  for (const SpanEvent& event : batch_.events) bytes += event.name.size() + kOverhead;
  for (const SpanLink& link : batch_.span_links) bytes += link.trace_state.size() + kOverhead;
  for (const LogLine& line : batch_.logs) {
    bytes +=
        line.service.size() + line.severity_text.size() + line.event_name.size() + 3 * kOverhead;
  }
  for (const Exemplar& exemplar : batch_.exemplars) {
    bytes +=
        exemplar.metric.size() + exemplar.unit.size() + exemplar.service.size() + 3 * kOverhead;
  }
  for (const GaugePoint& point : batch_.gauges) {
    bytes += point.metric.size() + point.unit.size() + point.service.size() + 4 * kOverhead +
             SeriesBound(point, batch_);
  }
  return bytes;
}

char* RecordWriter::PutAttributes(Range range, char* to) {
  to = PutVarint(range.count, to);
  for (const Attribute& attribute : batch_.Of(range)) {
    const std::uint32_t id = dictionary_.Intern(attribute);
    if (id != kNotInterned) {
      to = PutVarint(id + 1ULL, to);
    } else {
      *to++ = 0;
      to = PutBytes(attribute.bytes(), to);
    }
  }
  return to;
}

std::uint32_t RecordWriter::ResourceId(std::uint32_t index) {
  std::uint32_t& id = resource_ids_[index];
  if (id == kNotInterned) {
    std::string bytes;
    AppendKeyValues(batch_.Of(batch_.resources[index].attributes), bytes);
    id = dictionary_.Intern(bytes);
  }
  return id;
}

std::uint32_t RecordWriter::ServiceId(std::uint32_t index) {
  std::uint32_t& id = service_ids_[index];
  const std::string_view service = batch_.resources[index].service;
  if (id == kNotInterned && !service.empty()) id = dictionary_.Intern(service);
  return id;
}

std::uint32_t RecordWriter::ScopeId(std::uint32_t index) {
  std::uint32_t& id = scope_ids_[index];
  if (id == kNotInterned) {
    const InstrumentationScope& scope = batch_.scopes[index];
    std::string bytes;
    AppendVarintTo(scope.name.size(), bytes);
    bytes += scope.name;
    AppendVarintTo(scope.version.size(), bytes);
    bytes += scope.version;
    AppendKeyValues(batch_.Of(scope.attributes), bytes);
    id = dictionary_.Intern(bytes);
  }
  return id;
}

char* RecordWriter::PutEvents(const Span& span, char* to) {
  to = PutVarint(span.events.count, to);
  for (const SpanEvent& event : batch_.EventsOf(span)) {
    to = Put(event.time_unix_ns, to);
    to = PutString(TextId(event.name), to);
    to = PutAttributes(event.attributes, to);
  }
  return to;
}

char* RecordWriter::PutLinks(const Span& span, char* to) {
  to = PutVarint(span.links.count, to);
  for (const SpanLink& link : batch_.LinksOf(span)) {
    to = Put(link.span_id.value, PutTraceId(link.trace_id, to));
    to = PutVarint(link.flags, to);
    to = PutString(TextId(link.trace_state), to);
    to = PutAttributes(link.attributes, to);
  }
  return to;
}

std::size_t RecordWriter::Write(const Span& span, char* to, Written& written) {
  char* at = PutFixed(RecordKind::kSpan, span.trace_id, span.span_id, span.identity, to);
  at = Put(span.start_unix_ns, at);
  at = Put(span.parent_span_id.value, at);
  const bool small = span.kind < 15 && span.status_code < 15;
  const bool has_resource = span.resource != kNoIndex;
  const bool has_scope = span.scope != kNoIndex;
  unsigned parts = 0;
  if (!span.status_message.empty()) parts |= kStatusMessage;
  if (!span.trace_state.empty()) parts |= kTraceState;
  if (span.events.count > 0) parts |= kEvents;
  if (span.links.count > 0) parts |= kLinks;
  if (!has_resource) parts |= kNoResource;
  if (!has_scope) parts |= kNoScope;
  to[9] = static_cast<char>(small ? span.kind | (span.status_code << 4U) : kFollows);
  to[10] = static_cast<char>(parts);

  at = PutVarint(span.end_unix_ns - span.start_unix_ns, at);
  if (!small) at = PutVarint(span.status_code, PutVarint(span.kind, at));
  at = PutVarint(span.flags, at);
  written.name = TextId(span.name);
  at = PutString(written.name, at);
  if (has_resource) {
    written.service = ServiceId(span.resource);
    at = PutString(written.service, PutString(ResourceId(span.resource), at));
  }
  if (has_scope) at = PutString(ScopeId(span.scope), at);
  at = PutAttributes(span.attributes, at);
  if (parts & kStatusMessage) at = PutString(dictionary_.Intern(span.status_message), at);
  if (parts & kTraceState) at = PutString(dictionary_.Intern(span.trace_state), at);
  if (parts & kEvents) at = PutEvents(span, at);
  if (parts & kLinks) at = PutLinks(span, at);
  return FinishRecord(to, at);
}

std::size_t RecordWriter::Write(const LogLine& line, char* to, Written& written) {
  char* at = PutFixed(RecordKind::kLine, line.trace_id, line.span_id, line.identity, to);
  at = Put(line.time_unix_ns, at);
  at = Put(line.observed_unix_ns, at);
  const bool small = line.severity_number < kFollows;
  const bool has_resource = line.resource != kNoIndex;
  const bool has_scope = line.scope != kNoIndex;
  const bool own_service =
      !line.service.empty() &&
      !(has_resource && batch_.resources[line.resource].service == line.service);
  unsigned parts = 0;
  if (!line.event_name.empty()) parts |= kEventName;
  if (line.related.count > 0) parts |= kRelated;
  if (own_service) parts |= kOwnService;
  if (!has_resource) parts |= kNoResource;
  if (!has_scope) parts |= kNoScope;
  to[9] = static_cast<char>(small ? line.severity_number : kFollows);
  to[10] = static_cast<char>(static_cast<unsigned>(line.found_by) |
                             (static_cast<unsigned>(line.sampled) << 3U) |
                             (line.identity_follows ? kIdentityFollows : 0U));
  to[11] = static_cast<char>(parts);

  if (!small) at = PutVarint(line.severity_number, at);
  at = PutVarint(line.flags, at);
  at = PutString(TextId(line.severity_text), at);
  if (has_resource)
    at = PutString(ServiceId(line.resource), PutString(ResourceId(line.resource), at));
  if (has_scope) at = PutString(ScopeId(line.scope), at);
  at = PutAttributes(line.attributes, at);
  if (parts & kEventName) at = PutString(dictionary_.Intern(line.event_name), at);
  if (parts & kRelated) {
    at = PutVarint(line.related.count, at);
    for (const RelatedId& related : batch_.RelatedOf(line)) {
      at = Put(related.span_id.value, PutTraceId(related.trace_id, at));
    }
  }
  if (own_service) {
    written.service = dictionary_.Intern(line.service);
    at = PutString(written.service, at);
  } else if (has_resource) {
    written.service = ServiceId(line.resource);
  }
  at = PutBytes(line.body, at);
  return FinishRecord(to, at);
}

std::size_t RecordWriter::Write(const Exemplar& exemplar, char* to, Written& written) {
  char* at =
      PutFixed(RecordKind::kExemplar, exemplar.trace_id, exemplar.span_id, exemplar.identity, to);
  at = Put(exemplar.time_unix_ns, at);
  at = exemplar.is_integer ? Put(exemplar.integer, at) : Put(exemplar.number, at);
  const bool has_resource = exemplar.resource != kNoIndex;
  const bool has_scope = exemplar.scope != kNoIndex;
  const bool own_service =
      !exemplar.service.empty() &&
      !(has_resource && batch_.resources[exemplar.resource].service == exemplar.service);
  to[9] =
      static_cast<char>((exemplar.is_integer ? kInteger : 0U) | (exemplar.has_le ? kHasLe : 0U) |
                        (static_cast<unsigned>(exemplar.metric_type) << 4U));
  to[10] = static_cast<char>((has_resource ? 0U : kNoResource) | (has_scope ? 0U : kNoScope));
  to[11] = static_cast<char>(own_service ? kExemplarService : 0U);

  if (exemplar.has_le) at = Put(exemplar.le, at);
  at = PutString(TextId(exemplar.metric), at);
  at = PutString(TextId(exemplar.unit), at);
  if (has_resource) {
    at = PutString(ServiceId(exemplar.resource), PutString(ResourceId(exemplar.resource), at));
  }
  if (has_scope) at = PutString(ScopeId(exemplar.scope), at);
  at = PutAttributes(exemplar.labels, at);
  at = PutAttributes(exemplar.attributes, at);
  if (own_service) {
    written.service = dictionary_.Intern(exemplar.service);
    at = PutString(written.service, at);
  } else if (has_resource) {
    written.service = ServiceId(exemplar.resource);
  }
  return FinishRecord(to, at);
}

void RecordReader::Read(RecordView record, std::uint64_t arrival_unix_ns) {
  switch (record.kind()) {
    case RecordKind::kSpan: ReadSpan(record, arrival_unix_ns); return;
    case RecordKind::kLine: ReadLine(record, arrival_unix_ns); return;
    case RecordKind::kExemplar: ReadExemplar(record, arrival_unix_ns); return;
    case RecordKind::kGauges: return;  // gauge_record.h.
  }
}

std::string_view RecordReader::Text(std::uint64_t string) const {
  return string == 0 ? std::string_view() : dictionary_.At(static_cast<std::uint32_t>(string - 1));
}

Range RecordReader::Attributes(Cursor& cursor) {
  Range range{.begin = static_cast<std::uint32_t>(batch_.attributes.size()), .count = 0};
  std::uint64_t left = cursor.Varint();
  for (; left > 0 && !cursor.done(); --left) {
    const std::uint64_t string = cursor.Varint();
    const std::string_view bytes = string == 0 ? cursor.Bytes() : Text(string);
    batch_.attributes.push_back(parts_.Over(bytes));
    ++range.count;
  }
  return range;
}

std::uint32_t RecordReader::ResourceIndex(Cursor& cursor) {
  const std::uint64_t string = cursor.Varint();
  const std::uint64_t service = cursor.Varint();
  return parts_.ResourceOf((string << 32U) | service, [&] { return Text(string); },
                           [&] { return Text(service); });
}

std::uint32_t RecordReader::ScopeIndex(std::uint64_t string) {
  return parts_.ScopeOf(string, [&] { return Text(string); });
}

void RecordReader::ReadEvents(Cursor& cursor, Span& span) {
  std::vector<SpanEvent> events;
  for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
    SpanEvent event;
    event.time_unix_ns = cursor.Fixed<std::uint64_t>();
    event.name = Text(cursor.Varint());
    event.attributes = Attributes(cursor);
    events.push_back(event);
  }
  span.events = {static_cast<std::uint32_t>(batch_.events.size()),
                 static_cast<std::uint32_t>(events.size())};
  batch_.events.insert(batch_.events.end(), events.begin(), events.end());
}

void RecordReader::ReadLinks(Cursor& cursor, Span& span) {
  std::vector<SpanLink> links;
  for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
    SpanLink link;
    link.trace_id = cursor.ReadTraceId();
    link.span_id.value = cursor.Fixed<std::uint64_t>();
    link.flags = static_cast<std::uint32_t>(cursor.Varint());
    link.trace_state = Text(cursor.Varint());
    link.attributes = Attributes(cursor);
    links.push_back(link);
  }
  span.links = {static_cast<std::uint32_t>(batch_.span_links.size()),
                static_cast<std::uint32_t>(links.size())};
  batch_.span_links.insert(batch_.span_links.end(), links.begin(), links.end());
}

void RecordReader::ReadSpan(RecordView record, std::uint64_t arrival_unix_ns) {
  Cursor cursor = VaryingPart(record);
  Span span;
  span.trace_id = record.trace_id();
  span.span_id = record.span_id();
  span.identity = record.identity();
  span.arrival_unix_ns = arrival_unix_ns;
  span.start_unix_ns = record.time_unix_ns();
  std::memcpy(&span.parent_span_id.value, record.data() + 52, 8);
  const auto packed = static_cast<unsigned char>(record.data()[9]);
  const auto parts = unsigned{static_cast<unsigned char>(record.data()[10])};
  span.end_unix_ns = span.start_unix_ns + cursor.Varint();
  span.kind = packed == kFollows ? static_cast<std::uint32_t>(cursor.Varint()) : packed & 15U;
  span.status_code =
      packed == kFollows ? static_cast<std::uint32_t>(cursor.Varint()) : packed >> 4U;
  span.flags = static_cast<std::uint32_t>(cursor.Varint());
  span.name = Text(cursor.Varint());
  if (!(parts & kNoResource)) span.resource = ResourceIndex(cursor);
  if (!(parts & kNoScope)) span.scope = ScopeIndex(cursor.Varint());
  span.attributes = Attributes(cursor);
  if (parts & kStatusMessage) span.status_message = Text(cursor.Varint());
  if (parts & kTraceState) span.trace_state = Text(cursor.Varint());
  if (parts & kEvents) ReadEvents(cursor, span);
  if (parts & kLinks) ReadLinks(cursor, span);
  batch_.spans.push_back(span);
}

void RecordReader::ReadLine(RecordView record, std::uint64_t arrival_unix_ns) {
  Cursor cursor = VaryingPart(record);
  LogLine line;
  line.trace_id = record.trace_id();
  line.span_id = record.span_id();
  line.identity = record.identity();
  line.arrival_unix_ns = arrival_unix_ns;
  line.time_unix_ns = record.time_unix_ns();
  line.observed_unix_ns = record.observed_unix_ns();
  const auto severity = static_cast<unsigned char>(record.data()[9]);
  const auto how = unsigned{static_cast<unsigned char>(record.data()[10])};
  const auto parts = unsigned{static_cast<unsigned char>(record.data()[11])};
  line.found_by = static_cast<FoundBy>(how & 7U);
  line.sampled = static_cast<Sampled>((how >> 3U) & 3U);
  line.identity_follows = (how & kIdentityFollows) != 0;
  line.severity_number =
      severity == kFollows ? static_cast<std::uint32_t>(cursor.Varint()) : severity;
  line.flags = static_cast<std::uint32_t>(cursor.Varint());
  line.severity_text = Text(cursor.Varint());
  if (!(parts & kNoResource)) {
    line.resource = ResourceIndex(cursor);
    line.service = batch_.resources[line.resource].service;
  }
  if (!(parts & kNoScope)) line.scope = ScopeIndex(cursor.Varint());
  line.attributes = Attributes(cursor);
  if (parts & kEventName) line.event_name = Text(cursor.Varint());
  if (parts & kRelated) {
    line.related.begin = static_cast<std::uint32_t>(batch_.related.size());
    for (std::uint64_t left = cursor.Varint(); left > 0 && !cursor.done(); --left) {
      const TraceId trace_id = cursor.ReadTraceId();
      batch_.related.push_back({trace_id, {cursor.Fixed<std::uint64_t>()}});
      ++line.related.count;
    }
  }
  if (parts & kOwnService) line.service = Text(cursor.Varint());
  line.body = cursor.Bytes();
  batch_.logs.push_back(line);
}

void RecordReader::ReadExemplar(RecordView record, std::uint64_t arrival_unix_ns) {
  Cursor cursor = VaryingPart(record);
  Exemplar exemplar;
  exemplar.trace_id = record.trace_id();
  exemplar.span_id = record.span_id();
  exemplar.identity = record.identity();
  exemplar.arrival_unix_ns = arrival_unix_ns;
  exemplar.time_unix_ns = record.time_unix_ns();
  const auto flags = static_cast<unsigned char>(record.data()[9]);
  const auto missing = unsigned{static_cast<unsigned char>(record.data()[10])};
  exemplar.is_integer = (flags & kInteger) != 0;
  exemplar.has_le = (flags & kHasLe) != 0;
  exemplar.metric_type = static_cast<MetricType>(flags >> 4U);
  if (exemplar.is_integer) {
    std::memcpy(&exemplar.integer, record.data() + 52, 8);
  } else {
    std::memcpy(&exemplar.number, record.data() + 52, 8);
  }
  if (exemplar.has_le) exemplar.le = cursor.Fixed<double>();
  exemplar.metric = Text(cursor.Varint());
  exemplar.unit = Text(cursor.Varint());
  if (!(missing & kNoResource)) {
    exemplar.resource = ResourceIndex(cursor);
    exemplar.service = batch_.resources[exemplar.resource].service;
  }
  if (!(missing & kNoScope)) exemplar.scope = ScopeIndex(cursor.Varint());
  exemplar.labels = Attributes(cursor);
  exemplar.attributes = Attributes(cursor);
  if (unsigned{static_cast<unsigned char>(record.data()[11])} & kExemplarService)
    exemplar.service = Text(cursor.Varint());
  batch_.exemplars.push_back(exemplar);
}

}  // namespace throughline::store::sqlite
