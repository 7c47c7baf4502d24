#include "exemplars/otlp.h"

#include <optional>
#include <string_view>
#include <vector>

#include "exemplars/buckets.h"
#include "exemplars/finish_exemplar.h"
#include "exemplars/finish_gauge.h"
#include "exemplars/gauge_filter.h"
#include "otlp/proto.h"

namespace throughline::exemplars {
namespace {

// The fields in which the kinds of data points differ.
struct PointFields {
  std::uint32_t attributes = 0;
  std::uint32_t exemplars = 0;
};

MetricType TypeOf(std::uint32_t metric_field) {
  switch (metric_field) {
    case 5: return MetricType::kGauge;
    case 7: return MetricType::kSum;
    case 9: return MetricType::kHistogram;
    case 10: return MetricType::kExponentialHistogram;
    case 11: return MetricType::kSummary;
    default: return MetricType::kUnknown;
  }
}

PointFields FieldsOf(MetricType type) {
  switch (type) {
    case MetricType::kHistogram: return {.attributes = 9, .exemplars = 8};
    case MetricType::kExponentialHistogram: return {.attributes = 1, .exemplars = 11};
    default: return {.attributes = 7, .exemplars = 5};
  }
}

class MetricReader final : public otlp::Envelope {
 public:
  MetricReader(otlp::ProtoRequest& request, DecodedMetrics& decoded)
      : request_(request),
        batch_(request.batch),
        decoded_(decoded),
        finisher_(request.options, request.batch, decoded.exemplars),
        filter_(request.options.gauges) {}

 private:
  void OnScope(std::size_t /*count*/) override {}

  void OnRestart() override { decoded_ = {}; }

  // A oneof: the last kind of data sent counts, and where it was sent in several parts in a row,
  // they are one message.
  bool OnRecord(std::string_view message, std::uint32_t resource, std::uint32_t scope) override {
    series_ = {};
    series_.resource = resource;
    series_.scope = scope;
    data_.clear();
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      const MetricType type = TypeOf(reader.field());
      if (type != MetricType::kUnknown) {
        if (type != series_.metric_type) data_.clear();
        series_.metric_type = type;
        data_.push_back(reader.Bytes());
        continue;
      }
      switch (reader.field()) {
        case 1: series_.metric = otlp::ReadText(reader); break;
        case 3: series_.unit = otlp::ReadText(reader); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return request_.Fail(reader.fault());
    keeps_points_ = KeepsPoints();
    for (const std::string_view data : data_) {
      if (!ReadData(data)) return false;
    }
    return true;
  }

  bool KeepsPoints() const {
    const bool is_sum = series_.metric_type == MetricType::kSum;
    if (!is_sum && series_.metric_type != MetricType::kGauge) return false;
    return filter_.Keeps(series_.metric) && !(is_sum && IsDelta());
  }

  // What is wrong with the bytes is left to ReadData to say.
  bool IsDelta() const {
    constexpr std::uint32_t kDelta = 1;
    std::uint32_t temporality = 0;
    for (const std::string_view data : data_) {
      for (wire::ProtoReader reader(data); reader.Next();) {
        if (reader.field() == 2) {
          temporality = reader.Varint32();
        } else {
          reader.Skip();
        }
      }
    }
    return temporality == kDelta;
  }

  bool ReadData(std::string_view message) {
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() != 1) {
        reader.Skip();
      } else if (const std::string_view point = reader.Bytes(); reader.ok()) {
        ++decoded_.data_points;
        if (series_.metric_type != MetricType::kSummary && !ReadPoint(point)) return false;
      }
    }
    return reader.ok() || request_.Fail(reader.fault());
  }

  // Attributes and exemplars are kept for later: most points are passed by, and of one with
  // exemplars the buckets must be known first.
  bool ReadPoint(std::string_view message) {
    const PointFields fields = FieldsOf(series_.metric_type);
    point_ = {};
    attributes_.clear();
    exemplars_.clear();
    bounds_.clear();
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      const std::uint32_t field = reader.field();
      if (field == fields.attributes) {
        attributes_.push_back(reader.Bytes());
      } else if (field == fields.exemplars) {
        exemplars_.push_back(reader.Bytes());
      } else if (keeps_points_ ? !ReadNumber(reader) : !ReadBuckets(reader)) {
        reader.Skip();
      }
    }
    if (!reader.ok()) return request_.Fail(reader.fault());
    if (!keeps_points_ && exemplars_.empty()) return true;
    return ReadLabels() && (!keeps_points_ || KeepPoint()) && ReadExemplars();
  }

  // Of a NumberDataPoint that is kept. False: the field is none of these.
  bool ReadNumber(wire::ProtoReader& reader) {
    switch (reader.field()) {
      case 3: point_.time_unix_ns = reader.Fixed64(); return true;
      case 4:
        point_.value = reader.Double();
        point_.has_value = true;
        return true;
      case 6:
        point_.value = static_cast<double>(reader.SFixed64());
        point_.has_value = true;
        return true;
      case 8: point_.flags = reader.Varint32(); return true;
      default: return false;
    }
  }

  bool KeepPoint() {
    constexpr std::uint32_t kNoRecordedValue = 1;
    if (!point_.has_value || (point_.flags & kNoRecordedValue) != 0) return true;
    if (!point_problem_.empty()) return true;
    GaugePoint gauge;
    gauge.time_unix_ns = point_.time_unix_ns;
    gauge.value = point_.value;
    gauge.metric_type = series_.metric_type;
    gauge.resource = series_.resource;
    gauge.labels = series_.labels;
    gauge.metric = series_.metric;
    gauge.unit = series_.unit;
    const auto kept = AcceptGauge(gauge, request_.options, batch_);
    if (!kept) return request_.Fail(kept.error());
    if (*kept) {
      ++decoded_.gauge_points;
      --decoded_.data_points;
    }
    return true;
  }

  // False: the field is none of the buckets'.
  bool ReadBuckets(wire::ProtoReader& reader) {
    if (series_.metric_type == MetricType::kHistogram) {
      switch (reader.field()) {
        case 6: reader.Fixed64s([this](std::uint64_t) { ++point_.bucket_count; }); return true;
        case 7: reader.Doubles([this](double bound) { bounds_.push_back(bound); }); return true;
        default: return false;
      }
    }
    if (series_.metric_type == MetricType::kExponentialHistogram) {
      switch (reader.field()) {
        case 6: point_.scale = reader.ZigZag32(); return true;
        case 14: point_.zero_threshold = reader.Double(); return true;
        default: return false;
      }
    }
    return false;
  }

  // The attributes of the point, which are the labels of all that stands on it.
  bool ReadLabels() {
    const std::size_t begin = batch_.attributes.size();
    request_.BeginRecord();
    for (const std::string_view attribute : attributes_) {
      if (!otlp::ReadKeyValue(attribute, request_)) return false;
    }
    series_.labels = RangeFrom(begin);
    point_problem_ = request_.problem;
    return true;
  }

  bool ReadExemplars() {
    for (const std::string_view message : exemplars_) {
      if (!finisher_.Begin()) return request_.Fail(finisher_.TooMany());
      request_.BeginRecord();
      request_.problem = point_problem_;
      if (!ReadExemplar(message)) return false;
    }
    return true;
  }

  bool ReadExemplar(std::string_view message) {
    Exemplar exemplar = series_;
    std::string_view trace_id;
    std::string_view span_id;
    const std::size_t begin = batch_.attributes.size();
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 2: exemplar.time_unix_ns = reader.Fixed64(); break;
        case 3:
          exemplar.number = reader.Double();
          exemplar.is_integer = false;
          break;
        case 4: span_id = reader.Bytes(); break;
        case 5: trace_id = reader.Bytes(); break;
        case 6:
          exemplar.integer = reader.SFixed64();
          exemplar.is_integer = true;
          break;
        case 7:
          if (const std::string_view item = reader.Bytes(); reader.ok()) {
            if (!otlp::ReadKeyValue(item, request_)) return false;
          }
          break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return request_.Fail(reader.fault());
    exemplar.attributes = RangeFrom(begin);
    SetBound(exemplar);
    Finish(trace_id, span_id, exemplar);
    return true;
  }

  void SetBound(Exemplar& exemplar) const {
    std::optional<double> bound;
    if (exemplar.metric_type == MetricType::kHistogram) {
      bound = ExplicitBound(bounds_, point_.bucket_count, exemplar.value());
    } else if (exemplar.metric_type == MetricType::kExponentialHistogram) {
      bound = ExponentialBound(point_.scale, point_.zero_threshold, exemplar.value());
    }
    exemplar.has_le = bound.has_value();
    exemplar.le = bound.value_or(0);
  }

  void Finish(std::string_view trace_id, std::string_view span_id, Exemplar& exemplar) {
    using otlp::IdState;
    bool trace_repaired = false;
    bool span_repaired = false;
    if (otlp::ReadTraceId(trace_id, exemplar.trace_id, trace_repaired) == IdState::kBroken) {
      request_.problem = otlp::IdProblem("trace_id", trace_id, sizeof(TraceId));
    } else if (otlp::ReadSpanId(span_id, exemplar.span_id, span_repaired) == IdState::kBroken) {
      request_.problem = otlp::IdProblem("span_id", span_id, sizeof(SpanId));
    }
    if (request_.problem.empty()) {
      finisher_.Accept(exemplar, trace_repaired ? "trace_id" : span_repaired ? "span_id" : "");
    } else {
      finisher_.Reject(request_.problem);
    }
  }

  Range RangeFrom(std::size_t begin) const {
    return {.begin = static_cast<std::uint32_t>(begin),
            .count = static_cast<std::uint32_t>(batch_.attributes.size() - begin)};
  }

  // The point at hand: its buckets, or its number.
  struct Point {
    std::size_t bucket_count = 0;
    std::int32_t scale = 0;
    double zero_threshold = 0;
    std::uint64_t time_unix_ns = 0;
    double value = 0;
    std::uint32_t flags = 0;
    bool has_value = false;
  };

  otlp::ProtoRequest& request_;
  Batch& batch_;
  DecodedMetrics& decoded_;
  ExemplarFinisher finisher_;
  const GaugeFilter filter_;
  Exemplar series_;  // What the exemplars of the metric, then of the point, have in common.
  bool keeps_points_ = false;  // Of the metric at hand.
  Point point_;
  std::string point_problem_;  // What is wrong with its attributes, and so with all that is on it.
  std::vector<double> bounds_;
  std::vector<std::string_view> data_;
  std::vector<std::string_view> attributes_;
  std::vector<std::string_view> exemplars_;
};

}  // namespace

Result<DecodedMetrics> DecodeOtlp(std::string_view bytes, const DecodeOptions& options,
                                  Batch& batch) {
  DecodedMetrics decoded;
  otlp::ProtoRequest request(bytes, options, batch);
  MetricReader reader(request, decoded);
  if (!reader.Read(request)) return request.ErrorOf();
  return decoded;
}

}  // namespace throughline::exemplars
