#include "store/transfer/otlp_request.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "wire/protobuf_writer.h"

namespace throughline::store::transfer {
namespace {

using wire::ProtoWriter;

// Fields that the envelopes of all signals have in common.
constexpr std::uint32_t kResourceGroups = 1;
constexpr std::uint32_t kResource = 1;
constexpr std::uint32_t kScopeGroups = 2;
constexpr std::uint32_t kScope = 1;
constexpr std::uint32_t kRecords = 2;

constexpr std::uint64_t kNoRecordedValue = 1;
constexpr std::uint64_t kCumulative = 2;

void PutAttributes(std::uint32_t field, Range range, const Batch& batch, ProtoWriter& proto) {
  for (const Attribute& attribute : batch.Of(range)) proto.Bytes(field, attribute.bytes());
}

void PutId(std::uint32_t field, TraceId id, ProtoWriter& proto) {
  if (!id.IsValid()) return;
  char bytes[16];
  for (int i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(id.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<char>(id.low >> (56 - 8 * i));
  }
  proto.Bytes(field, {bytes, sizeof bytes});
}

void PutId(std::uint32_t field, SpanId id, ProtoWriter& proto) {
  if (!id.IsValid()) return;
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(id.value >> (56 - 8 * i));
  proto.Bytes(field, {bytes, sizeof bytes});
}

void Put(const Span& span, const Batch& batch, ProtoWriter& proto) {
  PutId(1, span.trace_id, proto);
  PutId(2, span.span_id, proto);
  proto.Text(3, span.trace_state);
  PutId(4, span.parent_span_id, proto);
  proto.Text(5, span.name);
  proto.Enum(6, span.kind);
  proto.Fixed64(7, span.start_unix_ns);
  proto.Fixed64(8, span.end_unix_ns);
  PutAttributes(9, span.attributes, batch, proto);
  for (const SpanEvent& event : batch.EventsOf(span)) {
    const std::size_t begin = proto.Begin(11);
    proto.Fixed64(1, event.time_unix_ns);
    proto.Text(2, event.name);
    PutAttributes(3, event.attributes, batch, proto);
    proto.End(begin);
  }
  for (const SpanLink& link : batch.LinksOf(span)) {
    const std::size_t begin = proto.Begin(13);
    PutId(1, link.trace_id, proto);
    PutId(2, link.span_id, proto);
    proto.Text(3, link.trace_state);
    PutAttributes(4, link.attributes, batch, proto);
    proto.Fixed32(6, link.flags);
    proto.End(begin);
  }
  if (span.status_code != 0 || !span.status_message.empty()) {
    const std::size_t begin = proto.Begin(15);
    proto.Text(2, span.status_message);
    proto.Enum(3, span.status_code);
    proto.End(begin);
  }
  proto.Fixed32(16, span.flags);
  PutExtra(span, proto);
}

void Put(const LogLine& line, const Batch& batch, ProtoWriter& proto) {
  proto.Fixed64(1, line.time_unix_ns);
  proto.Enum(2, line.severity_number);
  proto.Text(3, line.severity_text);
  if (!line.body.empty()) proto.Bytes(5, line.body);
  PutAttributes(6, line.attributes, batch, proto);
  proto.Fixed32(8, line.flags);
  PutId(9, line.trace_id, proto);
  PutId(10, line.span_id, proto);
  proto.Fixed64(11, line.observed_unix_ns);
  proto.Text(12, line.event_name);
  PutExtra(line, batch, proto);
}

// --- metrics ------------------------------------------------------------------------------------

// The fields in which the kinds of metrics and of their points differ; 0: it has none such.
struct Layout {
  std::uint32_t data = 5;  // In Metric.
  std::uint32_t attributes = 7;
  std::uint32_t exemplars = 5;
  std::uint32_t flags = 8;
  std::uint32_t temporality = 0;  // In the data.
};

Layout LayoutOf(MetricType type) {
  switch (type) {
    case MetricType::kSum: return {.data = 7, .temporality = 2};
    case MetricType::kHistogram:
      return {.data = 9, .attributes = 9, .exemplars = 8, .flags = 10, .temporality = 2};
    case MetricType::kExponentialHistogram:
      return {.data = 10, .attributes = 1, .exemplars = 11, .flags = 10, .temporality = 2};
    default: return {};
  }
}

// Opens Metric and its data, calls `put_point` for what stands in a data point, closes all.
template <typename Record, typename PutPoint>
void PutMetric(const Record& record, MetricType type, ProtoWriter& proto, PutPoint put_point) {
  const Layout layout = LayoutOf(type);
  proto.Text(1, record.metric);
  proto.Text(3, record.unit);
  const std::size_t data = proto.Begin(layout.data);
  if (layout.temporality != 0) proto.Varint(layout.temporality, kCumulative);
  const std::size_t point = proto.Begin(1);
  put_point(layout);
  proto.End(point);
  proto.End(data);
}

// A bucket that ends at the exemplar's bound, and one behind it. Both are empty: what they counted
// is not stored.
void PutBucket(const Exemplar& exemplar, ProtoWriter& proto) {
  if (!exemplar.has_le || exemplar.metric_type != MetricType::kHistogram) return;
  const bool is_last = std::isinf(exemplar.le) && exemplar.le > 0;
  proto.Bytes(6, std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", is_last ? 8 : 16));
  if (is_last) return;
  const std::size_t bounds = proto.Begin(7);
  proto.PackedDouble(exemplar.le);
  proto.End(bounds);
}

void Put(const Exemplar& exemplar, const Batch& batch, ProtoWriter& proto) {
  PutMetric(exemplar, exemplar.metric_type, proto, [&](const Layout& layout) {
    PutAttributes(layout.attributes, exemplar.labels, batch, proto);
    proto.Fixed64(3, exemplar.time_unix_ns);
    PutBucket(exemplar, proto);
    const std::size_t begin = proto.Begin(layout.exemplars);
    proto.Fixed64(2, exemplar.time_unix_ns);
    if (exemplar.is_integer) {
      proto.Fixed64Always(6, static_cast<std::uint64_t>(exemplar.integer));
    } else {
      proto.Double(3, exemplar.number);
    }
    PutId(4, exemplar.span_id, proto);
    PutId(5, exemplar.trace_id, proto);
    PutAttributes(7, exemplar.attributes, batch, proto);
    PutExtra(exemplar, batch, proto);
    proto.End(begin);
    proto.Varint(layout.flags, kNoRecordedValue);
  });
}

void Put(const GaugePoint& point, const Batch& batch, ProtoWriter& proto) {
  const bool is_sum = point.metric_type == MetricType::kSum;
  PutMetric(point, is_sum ? MetricType::kSum : MetricType::kGauge, proto,
            [&](const Layout& layout) {
              PutAttributes(layout.attributes, point.labels, batch, proto);
              proto.Fixed64(3, point.time_unix_ns);
              proto.Double(4, point.value);
              PutExtra(point, batch, proto);
            });
}

// --- envelopes ----------------------------------------------------------------------------------

class Pieces {
 public:
  Pieces(const Batch& batch, std::size_t piece_bytes, const TakePiece& take)
      : batch_(batch), piece_bytes_(piece_bytes), take_(take) {}

  template <typename Record>
  Result<void> Write(Signal signal, const std::vector<Record>& records) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::uint32_t>> groups;
    for (std::uint32_t i = 0; i < records.size(); ++i) {
      groups[{records[i].resource, ScopeOf(records[i])}].push_back(i);
    }
    for (const auto& [origin, indices] : groups) {
      std::size_t next = 0;
      while (next < indices.size()) {
        piece_.clear();
        next = WritePiece(origin.first, origin.second, records, indices, next);
        TL_TRY(take_(signal, piece_));
      }
    }
    return {};
  }

 private:
  static std::uint32_t ScopeOf(const GaugePoint&) { return kNoIndex; }
  template <typename Record>
  static std::uint32_t ScopeOf(const Record& record) {
    return record.scope;
  }

  // Appends a group with records from `next` on, and gives the first that it did not take.
  template <typename Record>
  std::size_t WritePiece(std::uint32_t resource, std::uint32_t scope,
                         const std::vector<Record>& records,
                         const std::vector<std::uint32_t>& indices, std::size_t next) {
    ProtoWriter proto(piece_);
    const std::size_t resource_group = proto.Begin(kResourceGroups);
    if (const Resource* const from = batch_.ResourceOf(resource)) {
      const std::size_t begin = proto.Begin(kResource);
      PutAttributes(1, from->attributes, batch_, proto);
      PutExtra(*from, batch_, proto);
      proto.End(begin);
    }
    const std::size_t scope_group = proto.Begin(kScopeGroups);
    if (const InstrumentationScope* const from = batch_.ScopeOf(scope)) {
      const std::size_t begin = proto.Begin(kScope);
      proto.Text(1, from->name);
      proto.Text(2, from->version);
      PutAttributes(3, from->attributes, batch_, proto);
      proto.End(begin);
    }
    do {
      const std::size_t begin = proto.Begin(kRecords);
      Put(records[indices[next]], batch_, proto);
      proto.End(begin);
      ++next;
    } while (next < indices.size() && piece_.size() < piece_bytes_);
    proto.End(scope_group);
    proto.End(resource_group);
    return next;
  }

  const Batch& batch_;
  const std::size_t piece_bytes_;
  const TakePiece& take_;
  std::string piece_;
};

}  // namespace

Result<void> WriteOtlp(const Batch& batch, std::size_t piece_bytes, const TakePiece& take) {
  Pieces pieces(batch, piece_bytes, take);
  TL_TRY(pieces.Write(Signal::kTraces, batch.spans));
  TL_TRY(pieces.Write(Signal::kLogs, batch.logs));
  TL_TRY(pieces.Write(Signal::kMetrics, batch.exemplars));
  return pieces.Write(Signal::kMetrics, batch.gauges);
}

}  // namespace throughline::store::transfer
