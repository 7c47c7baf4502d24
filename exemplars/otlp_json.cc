#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/ids.h"
#include "exemplars/buckets.h"
#include "exemplars/finish_exemplar.h"
#include "exemplars/finish_gauge.h"
#include "exemplars/gauge_filter.h"
#include "exemplars/otlp.h"
#include "otlp/json.h"
#include "otlp/json_ids.h"

namespace throughline::exemplars {
namespace {

using otlp::JsonMessage;
using otlp::JsonPath;
using wire::JsonValue;

// The kinds of data are one choice of five: the last one sent counts, as in protobuf.
struct DataKind {
  std::string_view name;
  MetricType type;
};
constexpr std::array<DataKind, 5> kDataKinds = {
    {{"gauge", MetricType::kGauge},
     {"sum", MetricType::kSum},
     {"histogram", MetricType::kHistogram},
     {"exponentialHistogram", MetricType::kExponentialHistogram},
     {"summary", MetricType::kSummary}}};

constexpr JsonMessage<2>::Names kMetricNames = {"name", "unit"};
constexpr JsonMessage<2>::Names kDataNames = {"dataPoints", "aggregationTemporality"};

// Of all types of data point.
enum PointField : std::size_t {
  kPointAttributes,
  kExplicitBounds,
  kBucketCounts,
  kScale,
  kZeroThreshold,
  kExemplars,
  kPointFields
};
constexpr JsonMessage<kPointFields>::Names kPointNames = {
    "attributes", "explicitBounds", "bucketCounts", "scale", "zeroThreshold", "exemplars"};

// Of a point that is kept.
constexpr JsonMessage<2>::Names kNumberNames = {"timeUnixNano", "flags"};

std::int64_t TemporalityNumber(std::string_view name) {
  constexpr std::array<std::string_view, 3> kNames = {"AGGREGATION_TEMPORALITY_UNSPECIFIED",
                                                      "AGGREGATION_TEMPORALITY_DELTA",
                                                      "AGGREGATION_TEMPORALITY_CUMULATIVE"};
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? -1 : found - kNames.begin();
}

enum ExemplarField : std::size_t { kFiltered, kTime, kSpanId, kTraceId, kExemplarFields };
constexpr JsonMessage<kExemplarFields>::Names kExemplarNames = {
    "filteredAttributes", "timeUnixNano", "spanId", "traceId"};

class JsonMetricReader {
 public:
  JsonMetricReader(otlp::JsonDecoder& decoder, DecodedMetrics& decoded)
      : decoder_(decoder),
        decoded_(decoded),
        finisher_(decoder.options(), decoder.batch(), decoded.exemplars),
        filter_(decoder.options().gauges) {}

  void Read(JsonValue value, const JsonPath& at, std::uint32_t resource, std::uint32_t scope) {
    const JsonMessage<2> metric(decoder_, value, kMetricNames, at);
    if (!decoder_.ok() || !value.is_object()) return;
    const DataKind* kind = nullptr;
    JsonValue data;
    for (wire::JsonMembers members(value); members.Next();) {
      for (const DataKind& candidate : kDataKinds) {
        if (candidate.name != members.key() || members.value().is_null()) continue;
        kind = &candidate;
        data = members.value();
      }
    }
    series_ = Exemplar();
    series_.resource = resource;
    series_.scope = scope;
    series_.metric = metric.KeptText(0);
    series_.unit = metric.KeptText(1);
    if (kind == nullptr) return;
    series_.metric_type = kind->type;
    const JsonPath path{.parent = &at, .name = kind->name};
    const JsonMessage<2> points(decoder_, data, kDataNames, path);
    keeps_points_ = KeepsPoints(points);
    points.ForEach(0, [this](JsonValue point, const JsonPath& point_path) {
      ReadPoint(JsonMessage<kPointFields>(decoder_, point, kPointNames, point_path), point);
      return decoder_.ok();
    });
  }

 private:
  using Point = JsonMessage<kPointFields>;

  bool KeepsPoints(const JsonMessage<2>& points) const {
    constexpr std::uint32_t kDelta = 1;
    const bool is_sum = series_.metric_type == MetricType::kSum;
    if (!is_sum && series_.metric_type != MetricType::kGauge) return false;
    return filter_.Keeps(series_.metric) &&
           !(is_sum && points.Enum(1, TemporalityNumber) == kDelta);
  }

  // Of a point that is not kept and has no exemplars nothing is read. Summaries have none.
  void ReadPoint(const Point& point, JsonValue whole) {
    ++decoded_.data_points;
    if (series_.metric_type == MetricType::kSummary) return;
    if (point.Count(kExemplars) == 0) {
      decoder_.IsList(point[kExemplars], point.at(), point.name(kExemplars));
      if (!keeps_points_) return;
    }
    decoder_.BeginRecord();
    series_.labels = point.Attributes(kPointAttributes);
    ReadBuckets(point);
    // What is wrong with the labels is wrong with all that stands on the point.
    const std::string labels_problem = decoder_.problem();
    if (keeps_points_ && labels_problem.empty()) KeepPoint(whole, point.at());
    point.ForEach(kExemplars, [&](JsonValue value, const JsonPath& at) {
      if (!finisher_.Begin()) {
        decoder_.Fail(finisher_.TooMany());
        return false;
      }
      decoder_.BeginRecord();
      if (!labels_problem.empty()) decoder_.Reject(labels_problem);
      ReadExemplar(value, at);
      return true;
    });
  }

  void KeepPoint(JsonValue value, const JsonPath& at) {
    constexpr std::uint32_t kNoRecordedValue = 1;
    const JsonMessage<2> number(decoder_, value, kNumberNames, at);
    GaugePoint gauge;
    gauge.time_unix_ns = number.Uint64(0);
    const std::uint32_t flags = number.Uint32(1);
    Exemplar read;  // Points and exemplars say their values alike.
    const bool has_value = ReadValue(value, at, read);
    if (!decoder_.ok() || !has_value || (flags & kNoRecordedValue) != 0) return;
    gauge.value = read.value();
    gauge.metric_type = series_.metric_type;
    gauge.resource = series_.resource;
    gauge.labels = series_.labels;
    gauge.metric = series_.metric;
    gauge.unit = series_.unit;
    const auto kept = AcceptGauge(gauge, decoder_.options(), decoder_.batch());
    if (!kept) {
      decoder_.Fail(kept.error());
    } else if (*kept) {
      ++decoded_.gauge_points;
      --decoded_.data_points;
    }
  }

  void ReadBuckets(const Point& point) {
    bounds_.clear();
    if (series_.metric_type == MetricType::kHistogram) {
      point.ForEach(kExplicitBounds, [&](JsonValue value, const JsonPath& at) {
        bounds_.push_back(decoder_.Double(value, at, {}));
        return true;
      });
      decoder_.IsList(point[kBucketCounts], point.at(), point.name(kBucketCounts));
      bucket_count_ = point.Count(kBucketCounts);
    } else if (series_.metric_type == MetricType::kExponentialHistogram) {
      scale_ = point.Int32(kScale);
      zero_threshold_ = point.Double(kZeroThreshold);
    }
  }

  std::optional<double> BoundOf(double value) const {
    if (series_.metric_type == MetricType::kHistogram) {
      return ExplicitBound(bounds_, bucket_count_, value);
    }
    if (series_.metric_type == MetricType::kExponentialHistogram) {
      return ExponentialBound(scale_, zero_threshold_, value);
    }
    return std::nullopt;
  }

  void ReadExemplar(JsonValue value, const JsonPath& at) {
    const JsonMessage<kExemplarFields> fields(decoder_, value, kExemplarNames, at);
    Exemplar exemplar = series_;
    exemplar.attributes = fields.Attributes(kFiltered);
    exemplar.time_unix_ns = fields.Uint64(kTime);
    ReadValue(value, at, exemplar);
    if (const std::optional<double> bound = BoundOf(exemplar.value())) {
      exemplar.le = *bound;
      exemplar.has_le = true;
    }
    const std::string_view repaired = ReadIds(fields, exemplar);
    if (!decoder_.ok()) return;
    if (decoder_.problem().empty()) {
      finisher_.Accept(exemplar, repaired);
    } else {
      finisher_.Reject(decoder_.problem());
    }
  }

  // One choice of two: the last one sent counts. False: none was.
  bool ReadValue(JsonValue value, const JsonPath& at, Exemplar& exemplar) {
    bool has_value = false;
    if (!value.is_object()) return has_value;
    for (wire::JsonMembers members(value); members.Next();) {
      if (members.value().is_null()) continue;
      if (members.key() == "asInt") {
        has_value = true;
        exemplar.is_integer = true;
        exemplar.integer = decoder_.Int64(members.value(), at, members.key());
        exemplar.number = 0;
      } else if (members.key() == "asDouble") {
        has_value = true;
        exemplar.is_integer = false;
        exemplar.integer = 0;
        exemplar.number = decoder_.Double(members.value(), at, members.key());
      }
    }
    return has_value;
  }

  // Gives the name of the id that was repaired; empty: none was.
  std::string_view ReadIds(const JsonMessage<kExemplarFields>& fields, Exemplar& exemplar) {
    const std::string_view trace_text = fields.Text(kTraceId);
    const std::string_view span_text = fields.Text(kSpanId);
    std::string_view repaired;
    if (!otlp::IsAbsentId(trace_text, otlp::kTraceIdDigits)) {
      const Resolved trace = ResolveTraceIdText(trace_text);
      if (!trace.IsValid()) Reject("traceId", trace.reason);
      if (trace.repaired) repaired = "traceId";
      exemplar.trace_id = trace.trace_id;
    }
    if (!otlp::IsAbsentId(span_text, otlp::kSpanIdDigits)) {
      const ResolvedSpan span = ResolveSpanIdText(span_text);
      if (!span.span_id.IsValid()) Reject("spanId", span.reason);
      if (span.repaired && repaired.empty()) repaired = "spanId";
      exemplar.span_id = span.span_id;
    }
    return repaired;
  }

  void Reject(std::string_view name, std::string_view reason) {
    decoder_.Reject(std::string(name).append(": ").append(reason));
  }

  otlp::JsonDecoder& decoder_;
  DecodedMetrics& decoded_;
  ExemplarFinisher finisher_;
  const GaugeFilter filter_;
  Exemplar series_;            // What the exemplars of the point at hand have in common.
  bool keeps_points_ = false;  // Of the metric at hand.
  std::vector<double> bounds_;
  std::size_t bucket_count_ = 0;
  std::int32_t scale_ = 0;
  double zero_threshold_ = 0;
};

}  // namespace

Result<DecodedMetrics> DecodeOtlpJson(std::string_view bytes, const DecodeOptions& options,
                                      Batch& batch) {
  constexpr otlp::JsonEnvelope kEnvelope = {"resourceMetrics", "scopeMetrics", "metrics"};
  DecodedMetrics decoded;
  otlp::JsonDecoder decoder(options, batch);
  TL_TRY_ASSIGN(const JsonValue request, decoder.Parse(bytes));
  JsonMetricReader reader(decoder, decoded);
  otlp::ForEachRecord(
      decoder, request, kEnvelope, [](std::size_t) {},
      [&reader](JsonValue value, const JsonPath& at, std::uint32_t resource, std::uint32_t scope) {
        reader.Read(value, at, resource, scope);
      });
  if (!decoder.ok()) return decoder.error();
  return decoded;
}

}  // namespace throughline::exemplars
