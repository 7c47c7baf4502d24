#include "store/transfer/otlp_extra.h"

#include <cmath>
#include <string>

#include "correlate/identity.h"
#include "store/transfer/stated_service.h"

namespace throughline::store::transfer {
namespace {

// Fields of the message. Enumerators are written plus one, since zero is left out.
enum Field : std::uint32_t {
  kArrival = 1,
  kIdentity = 2,
  kFoundBy = 3,
  kSampled = 4,
  kService = 5,
  kRelated = 6,   // 24 bytes: trace id, span id.
  kSpanId = 7,    // Of a line without a trace id.
  kHasBound = 8,  // Of an exemplar.
  kBound = 9,
  kMetricType = 10,
};

void AppendBigEndian(std::uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void PutService(std::string_view service, std::uint32_t resource, const Batch& batch,
                wire::ProtoWriter& proto) {
  if (service != ServiceOfResource(resource, batch)) proto.Bytes(kService, service);
}

// Extras as they were written; each has its default where it was not.
struct Extra {
  std::uint64_t arrival_unix_ns = 0;
  std::uint64_t identity = 0;
  bool has_identity = false;
  std::uint32_t found_by = 0;  // As the next three, plus one.
  std::uint32_t sampled = 0;
  std::uint32_t has_bound = 0;
  std::uint32_t metric_type = 0;
  double bound = 0;
  std::uint64_t span_id = 0;
  std::string_view service;
  bool has_service = false;
  std::vector<std::string_view> related;
};

bool ReadExtra(std::string_view message, Extra& extra) {
  wire::ProtoReader reader(message);
  while (reader.Next()) {
    switch (reader.field()) {
      case kArrival: extra.arrival_unix_ns = reader.Fixed64(); break;
      case kIdentity:
        extra.identity = reader.Fixed64();
        extra.has_identity = true;
        break;
      case kFoundBy: extra.found_by = reader.Varint32(); break;
      case kSampled: extra.sampled = reader.Varint32(); break;
      case kService:
        extra.service = reader.Bytes();
        extra.has_service = true;
        break;
      case kRelated: extra.related.push_back(reader.Bytes()); break;
      case kSpanId: extra.span_id = reader.Fixed64(); break;
      case kHasBound: extra.has_bound = reader.Varint32(); break;
      case kBound: extra.bound = reader.Double(); break;
      case kMetricType: extra.metric_type = reader.Varint32(); break;
      default: reader.Skip();
    }
  }
  return reader.ok();
}

// An enumerator that was written plus one; `fallback` where none of them was.
template <typename Enum>
Enum Enumerator(std::uint32_t written, Enum last, Enum fallback) {
  return written == 0 || written > static_cast<std::uint32_t>(last) + 1
             ? fallback
             : static_cast<Enum>(written - 1);
}

void Apply(const Extra& extra, Span& span) { span.arrival_unix_ns = extra.arrival_unix_ns; }

void Apply(const Extra& extra, LogLine& line, Batch& batch) {
  line.arrival_unix_ns = extra.arrival_unix_ns;
  line.found_by = Enumerator(extra.found_by, FoundBy::kKnown, line.found_by);
  if (line.found_by == FoundBy::kNone) {
    // The decoder looks for an id where the record has none; that was done when the line came in.
    line.trace_id = {};
    line.span_id = SpanId{extra.span_id};
  } else if (!line.trace_id.IsValid()) {
    line.found_by = FoundBy::kNone;
  }
  line.sampled = Enumerator(extra.sampled, Sampled::kYes, Sampled::kUnknown);
  line.related = {.begin = static_cast<std::uint32_t>(batch.related.size()), .count = 0};
  for (const std::string_view id : extra.related) {
    if (id.size() != 24) continue;
    batch.related.push_back(
        {.trace_id = TraceIdFromBytes(id.data()), .span_id = SpanIdFromBytes(id.data() + 16)});
    ++line.related.count;
  }
  line.service = extra.has_service ? extra.service : ServiceOfResource(line.resource, batch);
  if (extra.has_identity) line.identity = extra.identity;
}

void Apply(const Extra& extra, const Batch& batch, Exemplar& exemplar) {
  exemplar.arrival_unix_ns = extra.arrival_unix_ns;
  exemplar.metric_type = Enumerator(extra.metric_type, MetricType::kSummary, exemplar.metric_type);
  if (extra.has_bound != 0) {
    exemplar.has_le = extra.has_bound == 2;
    exemplar.le = exemplar.has_le ? extra.bound : 0;
  }
  exemplar.service =
      extra.has_service ? extra.service : ServiceOfResource(exemplar.resource, batch);
}

void Apply(const Extra& extra, std::uint64_t hash_seed, const Batch& batch, GaugePoint& point) {
  point.arrival_unix_ns = extra.arrival_unix_ns;
  point.metric_type = Enumerator(extra.metric_type, MetricType::kSummary, point.metric_type);
  point.service = extra.has_service ? extra.service : ServiceOfResource(point.resource, batch);
  point.identity = IdentityOf(point, batch, hash_seed);
}

// Walks a request as a decoder does, from extra to extra. What is wrong with the bytes is the
// decoder's to say, which read them before.
class Walk {
 public:
  Walk(Signal signal, std::uint64_t hash_seed, Batch& batch)
      : signal_(signal), hash_seed_(hash_seed), batch_(batch) {}

  Result<void> Request(std::string_view bytes) {
    Each(bytes, 1, [this](std::string_view resources) {
      Each(resources, 1, [this](std::string_view resource) { OnResource(resource); });
      Each(resources, 2, [this](std::string_view scopes) {
        Each(scopes, 2, [this](std::string_view record) { OnRecord(record); });
      });
    });
    if (found_ == 0) return {};
    if (records_ != Total() || gauges_ != batch_.gauges.size() || broken_) {
      return InvalidArgument("the fields of export in it do not fit its records");
    }
    return {};
  }

 private:
  std::size_t Total() const {
    switch (signal_) {
      case Signal::kTraces: return batch_.spans.size();
      case Signal::kLogs: return batch_.logs.size();
      default: return batch_.exemplars.size();
    }
  }

  template <typename OnField>
  void Each(std::string_view message, std::uint32_t field, OnField on_field) {
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() == field) {
        on_field(reader.Bytes());
      } else {
        reader.Skip();
      }
    }
  }

  void OnResource(std::string_view resource) {
    const std::size_t index = resources_++;
    Each(resource, kExtraField, [&](std::string_view bytes) {
      const Extra* const extra = Read(bytes);
      if (extra == nullptr || index >= batch_.resources.size()) return;
      if (extra->has_service) batch_.resources[index].service = extra->service;
    });
  }

  void OnRecord(std::string_view record) {
    if (signal_ == Signal::kMetrics) {
      OnMetric(record);
      return;
    }
    const std::size_t index = records_++;
    Each(record, kExtraField, [&](std::string_view bytes) {
      const Extra* const extra = Read(bytes);
      if (extra == nullptr || index >= Total()) return;
      if (signal_ == Signal::kTraces) {
        Apply(*extra, batch_.spans[index]);
      } else {
        Apply(*extra, batch_.logs[index], batch_);
      }
    });
  }

  void OnMetric(std::string_view metric) {
    wire::ProtoReader reader(metric);
    is_named_ = false;
    while (reader.Next()) {
      std::uint32_t exemplars = 0;
      switch (reader.field()) {
        case 1: is_named_ = !reader.Bytes().empty(); continue;
        case 5:
        case 7: exemplars = 5; break;
        case 9: exemplars = 8; break;
        case 10: exemplars = 11; break;
        default: break;
      }
      if (exemplars == 0) {
        reader.Skip();
        continue;
      }
      Each(reader.Bytes(), 1, [&](std::string_view point) { OnPoint(point, exemplars); });
    }
  }

  void OnPoint(std::string_view point, std::uint32_t exemplars) {
    if (IsKept(point, exemplars)) {
      const std::size_t index = gauges_++;
      Each(point, kExtraField, [&](std::string_view bytes) {
        const Extra* const extra = Read(bytes);
        if (extra == nullptr || index >= batch_.gauges.size()) return;
        Apply(*extra, hash_seed_, batch_, batch_.gauges[index]);
      });
    }
    Each(point, exemplars, [&](std::string_view exemplar) {
      const std::size_t index = records_++;
      Each(exemplar, kExtraField, [&](std::string_view bytes) {
        const Extra* const extra = Read(bytes);
        if (extra != nullptr && index < Total()) Apply(*extra, batch_, batch_.exemplars[index]);
      });
    });
  }

  // True for what the decoder keeps as a gauge point.
  bool IsKept(std::string_view point, std::uint32_t exemplars) const {
    constexpr std::uint32_t kOfNumbers = 5;
    if (exemplars != kOfNumbers || !is_named_) return false;
    bool has_time = false;
    bool has_value = false;
    wire::ProtoReader reader(point);
    while (reader.Next()) {
      switch (reader.field()) {
        case 3: has_time = reader.Fixed64() != 0; break;
        case 4: has_value = !std::isnan(reader.Double()); break;
        default: reader.Skip();
      }
    }
    return has_time && has_value;
  }

  const Extra* Read(std::string_view bytes) {
    ++found_;
    extra_ = {};
    if (ReadExtra(bytes, extra_)) return &extra_;
    broken_ = true;
    return nullptr;
  }

  const Signal signal_;
  const std::uint64_t hash_seed_;
  Batch& batch_;
  Extra extra_;
  std::size_t found_ = 0;
  std::size_t resources_ = 0;
  std::size_t records_ = 0;
  std::size_t gauges_ = 0;
  bool is_named_ = false;  // The metric at hand: its name comes first.
  bool broken_ = false;
};

}  // namespace

void PutExtra(const Resource& resource, const Batch& batch, wire::ProtoWriter& proto) {
  if (resource.service == ServiceInAttributes(resource, batch)) return;
  const std::size_t begin = proto.Begin(kExtraField);
  proto.Bytes(kService, resource.service);
  proto.End(begin);
}

void PutExtra(const Span& span, wire::ProtoWriter& proto) {
  if (span.arrival_unix_ns == 0) return;
  const std::size_t begin = proto.Begin(kExtraField);
  proto.Fixed64(kArrival, span.arrival_unix_ns);
  proto.End(begin);
}

void PutExtra(const LogLine& line, const Batch& batch, wire::ProtoWriter& proto) {
  const std::size_t begin = proto.Begin(kExtraField);
  proto.Fixed64(kArrival, line.arrival_unix_ns);
  proto.Fixed64Always(kIdentity, line.identity);
  proto.VarintAlways(kFoundBy, static_cast<std::uint64_t>(line.found_by) + 1);
  if (line.sampled != Sampled::kUnknown) {
    proto.VarintAlways(kSampled, static_cast<std::uint64_t>(line.sampled) + 1);
  }
  PutService(line.service, line.resource, batch, proto);
  for (const RelatedId& id : batch.RelatedOf(line)) {
    std::string bytes;
    AppendBigEndian(id.trace_id.high, bytes);
    AppendBigEndian(id.trace_id.low, bytes);
    AppendBigEndian(id.span_id.value, bytes);
    proto.Bytes(kRelated, bytes);
  }
  if (!line.trace_id.IsValid()) proto.Fixed64(kSpanId, line.span_id.value);
  proto.End(begin);
}

void PutExtra(const Exemplar& exemplar, const Batch& batch, wire::ProtoWriter& proto) {
  const std::size_t begin = proto.Begin(kExtraField);
  proto.Fixed64(kArrival, exemplar.arrival_unix_ns);
  PutService(exemplar.service, exemplar.resource, batch, proto);
  proto.VarintAlways(kHasBound, exemplar.has_le ? 2 : 1);
  if (exemplar.has_le) proto.Double(kBound, exemplar.le);
  if (exemplar.metric_type == MetricType::kUnknown ||
      exemplar.metric_type == MetricType::kSummary) {
    proto.VarintAlways(kMetricType, static_cast<std::uint64_t>(exemplar.metric_type) + 1);
  }
  proto.End(begin);
}

void PutExtra(const GaugePoint& point, const Batch& batch, wire::ProtoWriter& proto) {
  const std::size_t begin = proto.Begin(kExtraField);
  proto.Fixed64(kArrival, point.arrival_unix_ns);
  PutService(point.service, point.resource, batch, proto);
  if (point.metric_type != MetricType::kGauge && point.metric_type != MetricType::kSum) {
    proto.VarintAlways(kMetricType, static_cast<std::uint64_t>(point.metric_type) + 1);
  }
  proto.End(begin);
}

Result<void> ApplyExtras(Signal signal, std::string_view request, std::uint64_t hash_seed,
                         Batch& batch) {
  return Walk(signal, hash_seed, batch).Request(request);
}

}  // namespace throughline::store::transfer
