#include "store/sql/record_columns.h"

#include <array>
#include <cmath>
#include <string>

#include "correlate/hash.h"
#include "store/transfer/record_names.h"
#include "store/transfer/sqlite_texts.h"
#include "store/transfer/stated_service.h"

namespace throughline::store::sql {
namespace {

using transfer::NameIn;

// Columns that all of them have.
template <typename Record>
struct Shared {
  using Row = RecordRow<Record>;

  static void Tenant(const Row& row, ValueOut out) { out.Text(row.tenant); }
  static void TraceIdOf(const Row& row, ValueOut out) { out.Id(row.record.trace_id); }
  static void SpanIdOf(const Row& row, ValueOut out) { out.Id(row.record.span_id); }
  static void Time(const Row& row, ValueOut out) { out.TimeOrNull(row.record.time_unix_ns); }
  static void Service(const Row& row, ValueOut out) {
    if constexpr (requires { row.record.service; }) {
      out.TextOrNull(row.record.service);
    } else {
      out.TextOrNull(row.batch.ServiceOf(row.record));
    }
  }
  static void Attributes(const Row& row, ValueOut out) {
    PutAttributes(row.record.attributes, row.batch, out);
  }
  static void Resource(const Row& row, ValueOut out) {
    const auto* const from = row.batch.ResourceOf(row.record.resource);
    if (from == nullptr) return out.Null();
    std::string text;
    transfer::PutAttributesText(from->attributes, row.batch, text);
    out.Text(text);
  }
  static void ResourceService(const Row& row, ValueOut out) {
    const auto* const from = row.batch.ResourceOf(row.record.resource);
    if (from == nullptr || from->service == transfer::ServiceInAttributes(*from, row.batch)) {
      return out.Null();
    }
    out.Text(from->service);
  }
  static void ScopeName(const Row& row, ValueOut out) {
    const auto* const from = row.batch.ScopeOf(row.record.scope);
    if (from == nullptr) return out.Null();
    out.Text(from->name);
  }
  static void ScopeVersion(const Row& row, ValueOut out) {
    const auto* const from = row.batch.ScopeOf(row.record.scope);
    if (from == nullptr) return out.Null();
    out.TextOrNull(from->version);
  }
  static void ScopeAttributes(const Row& row, ValueOut out) {
    const auto* const from = row.batch.ScopeOf(row.record.scope);
    if (from == nullptr) return out.Null();
    std::string text;
    transfer::PutAttributesText(from->attributes, row.batch, text);
    out.Text(text);
  }
  static void Arrival(const Row& row, ValueOut out) { out.TimeOrNull(row.record.arrival_unix_ns); }
  static void Flags(const Row& row, ValueOut out) { out.Integer(row.record.flags); }

  static void PutAttributes(Range range, const Batch& batch, ValueOut out) {
    if (range.count == 0) return out.Null();
    std::string text;
    transfer::PutAttributesText(range, batch, text);
    out.Text(text);
  }
};

using OfSpan = Shared<Span>;
using SpanRow = RecordRow<Span>;
constexpr auto kSpanColumns = std::to_array<RecordColumn<Span>>({
    {"tenant TEXT NOT NULL", OfSpan::Tenant},
    {"trace_id TEXT NOT NULL", OfSpan::TraceIdOf},
    {"span_id TEXT NOT NULL", OfSpan::SpanIdOf},
    {"parent_span_id TEXT",
     [](const SpanRow& row, ValueOut out) { out.Id(row.record.parent_span_id); }},
    {"service TEXT", OfSpan::Service},
    {"name TEXT NOT NULL", [](const SpanRow& row, ValueOut out) { out.Text(row.record.name); }},
    {"kind INTEGER NOT NULL",
     [](const SpanRow& row, ValueOut out) { out.Integer(row.record.kind); }},
    {"start_unix_ns INTEGER NOT NULL",
     [](const SpanRow& row, ValueOut out) { out.Time(row.record.start_unix_ns); }},
    {"end_unix_ns INTEGER NOT NULL",
     [](const SpanRow& row, ValueOut out) { out.Time(row.record.end_unix_ns); }},
    {"duration_ns INTEGER NOT NULL",
     [](const SpanRow& row, ValueOut out) { out.Time(row.record.duration_ns()); }},
    {"status_code INTEGER NOT NULL",
     [](const SpanRow& row, ValueOut out) { out.Integer(row.record.status_code); }},
    {"status_message TEXT",
     [](const SpanRow& row, ValueOut out) { out.TextOrNull(row.record.status_message); }},
    {"flags INTEGER NOT NULL", OfSpan::Flags},
    {"trace_state TEXT",
     [](const SpanRow& row, ValueOut out) { out.TextOrNull(row.record.trace_state); }},
    {"attributes TEXT", OfSpan::Attributes},
    {"events TEXT",
     [](const SpanRow& row, ValueOut out) {
       std::string text;
       if (row.record.events.count > 0) transfer::PutEventsText(row.record, row.batch, text);
       out.TextOrNull(text);
     }},
    {"links TEXT",
     [](const SpanRow& row, ValueOut out) {
       std::string text;
       if (row.record.links.count > 0) transfer::PutLinksText(row.record, row.batch, text);
       out.TextOrNull(text);
     }},
    {"resource TEXT", OfSpan::Resource},
    {"resource_service TEXT", OfSpan::ResourceService},
    {"scope_name TEXT", OfSpan::ScopeName},
    {"scope_version TEXT", OfSpan::ScopeVersion},
    {"scope_attributes TEXT", OfSpan::ScopeAttributes},
    {"arrival_unix_ns INTEGER", OfSpan::Arrival},
});

using OfLine = Shared<LogLine>;
using LineRow = RecordRow<LogLine>;
constexpr auto kLogColumns = std::to_array<RecordColumn<LogLine>>({
    {"tenant TEXT NOT NULL", OfLine::Tenant},
    {"trace_id TEXT", OfLine::TraceIdOf},
    {"span_id TEXT", OfLine::SpanIdOf},
    {"time_unix_ns INTEGER", OfLine::Time},
    {"observed_unix_ns INTEGER",
     [](const LineRow& row, ValueOut out) { out.TimeOrNull(row.record.observed_unix_ns); }},
    {"service TEXT", OfLine::Service},
    {"severity_number INTEGER NOT NULL",
     [](const LineRow& row, ValueOut out) { out.Integer(row.record.severity_number); }},
    {"severity_text TEXT",
     [](const LineRow& row, ValueOut out) { out.TextOrNull(row.record.severity_text); }},
    {"event_name TEXT",
     [](const LineRow& row, ValueOut out) { out.TextOrNull(row.record.event_name); }},
    {"body TEXT",
     [](const LineRow& row, ValueOut out) {
       const auto body = transfer::BodyTextsOf(row.record);
       if (!body.is_there) return out.Null();
       out.Text(body.text);
     }},
    {"body_json TEXT",
     [](const LineRow& row, ValueOut out) {
       out.TextOrNull(transfer::BodyTextsOf(row.record).json);
     }},
    {"flags INTEGER NOT NULL", OfLine::Flags},
    {"attributes TEXT", OfLine::Attributes},
    {"found_by TEXT NOT NULL",
     [](const LineRow& row, ValueOut out) {
       out.Text(NameIn(transfer::kFoundByNames, row.record.found_by));
     }},
    {"sampled INTEGER",
     [](const LineRow& row, ValueOut out) {
       if (row.record.sampled == Sampled::kUnknown) return out.Null();
       out.Integer(row.record.sampled == Sampled::kYes ? 1 : 0);
     }},
    {"related TEXT",
     [](const LineRow& row, ValueOut out) {
       std::string text;
       if (row.record.related.count > 0) transfer::PutRelatedText(row.record, row.batch, text);
       out.TextOrNull(text);
     }},
    {"identity TEXT",
     [](const LineRow& row, ValueOut out) { out.Text(ToHex(SpanId{row.record.identity})); }},
    {"resource TEXT", OfLine::Resource},
    {"resource_service TEXT", OfLine::ResourceService},
    {"scope_name TEXT", OfLine::ScopeName},
    {"scope_version TEXT", OfLine::ScopeVersion},
    {"scope_attributes TEXT", OfLine::ScopeAttributes},
    {"arrival_unix_ns INTEGER", OfLine::Arrival},
});

using OfExemplar = Shared<Exemplar>;
using ExemplarRow = RecordRow<Exemplar>;
constexpr auto kExemplarColumns = std::to_array<RecordColumn<Exemplar>>({
    {"tenant TEXT NOT NULL", OfExemplar::Tenant},
    {"trace_id TEXT", OfExemplar::TraceIdOf},
    {"span_id TEXT", OfExemplar::SpanIdOf},
    {"time_unix_ns INTEGER", OfExemplar::Time},
    {"service TEXT", OfExemplar::Service},
    {"metric TEXT NOT NULL",
     [](const ExemplarRow& row, ValueOut out) { out.Text(row.record.metric); }},
    {"unit TEXT", [](const ExemplarRow& row, ValueOut out) { out.TextOrNull(row.record.unit); }},
    {"metric_type TEXT NOT NULL",
     [](const ExemplarRow& row, ValueOut out) {
       out.Text(NameIn(transfer::kMetricTypeNames, row.record.metric_type));
     }},
    {"value",
     [](const ExemplarRow& row, ValueOut out) {
       if (row.record.is_integer) return out.Integer(row.record.integer);
       out.Real(row.record.number);
     }},
    {"le",
     [](const ExemplarRow& row, ValueOut out) {
       if (!row.record.has_le) return out.Null();
       // NULL says that there is none.
       if (std::isnan(row.record.le)) return out.Text("NaN");
       out.Real(row.record.le);
     }},
    {"labels TEXT",
     [](const ExemplarRow& row, ValueOut out) {
       OfExemplar::PutAttributes(row.record.labels, row.batch, out);
     }},
    {"attributes TEXT", OfExemplar::Attributes},
    {"resource TEXT", OfExemplar::Resource},
    {"resource_service TEXT", OfExemplar::ResourceService},
    {"scope_name TEXT", OfExemplar::ScopeName},
    {"scope_version TEXT", OfExemplar::ScopeVersion},
    {"scope_attributes TEXT", OfExemplar::ScopeAttributes},
    {"arrival_unix_ns INTEGER", OfExemplar::Arrival},
});

constexpr std::uint64_t kRowIdSeed = 0x5351'4c52'6f77'6964;

std::uint64_t HashOf(std::string_view bytes, std::uint64_t seed) {
  return HashBytes(bytes.data(), bytes.size(), seed);
}

}  // namespace

template <>
std::span<const RecordColumn<Span>> ColumnsOf<Span>() {
  return kSpanColumns;
}
template <>
std::span<const RecordColumn<LogLine>> ColumnsOf<LogLine>() {
  return kLogColumns;
}
template <>
std::span<const RecordColumn<Exemplar>> ColumnsOf<Exemplar>() {
  return kExemplarColumns;
}

// Of scanned spans the identity is not there: making it costs more than the rest of the span.
std::int64_t RowIdOf(const RecordRow<Span>& row) {
  const Span& span = row.record;
  const std::uint64_t numbers[] = {span.trace_id.high,
                                   span.trace_id.low,
                                   span.span_id.value,
                                   span.parent_span_id.value,
                                   span.start_unix_ns,
                                   span.end_unix_ns,
                                   (std::uint64_t{span.kind} << 32U) | span.status_code,
                                   span.flags};
  std::uint64_t hash = HashOf(row.tenant, kRowIdSeed);
  hash = HashOf({reinterpret_cast<const char*>(numbers), sizeof numbers}, hash);
  for (const std::string_view text : {span.name, span.status_message, row.batch.ServiceOf(span)}) {
    hash = HashOf(text, hash);
  }
  for (const Attribute& attribute : row.batch.Of(span.attributes)) {
    hash = HashOf(attribute.bytes(), hash);
  }
  if (const Resource* const resource = row.batch.ResourceOf(span.resource)) {
    for (const Attribute& attribute : row.batch.Of(resource->attributes)) {
      hash = HashOf(attribute.bytes(), hash);
    }
  }
  return static_cast<std::int64_t>(hash);
}

std::int64_t RowIdOf(const RecordRow<LogLine>& row) {
  return static_cast<std::int64_t>(HashOf(row.tenant, row.record.identity ^ kRowIdSeed));
}

std::int64_t RowIdOf(const RecordRow<Exemplar>& row) {
  return static_cast<std::int64_t>(HashOf(row.tenant, row.record.identity ^ kRowIdSeed));
}

}  // namespace throughline::store::sql
