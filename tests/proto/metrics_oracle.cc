#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include <google/protobuf/stubs/logging.h>

#include "correlate/check.h"
#include "exemplars/otlp.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "tests/proto/oracle.h"

namespace throughline::oracle {
namespace {

namespace metrics = opentelemetry::proto::metrics::v1;
using Request = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;

// What stands around the exemplars at hand.
struct Around {
  const metrics::ResourceMetrics* group = nullptr;
  const metrics::ScopeMetrics* scope_group = nullptr;
  const metrics::Metric* metric = nullptr;
  MetricType type = MetricType::kUnknown;
};

class Checker {
 public:
  Checker(const exemplars::DecodedMetrics& decoded, const Batch& batch)
      : decoded_(decoded), batch_(batch) {}

  void CheckAll(const Request& request) {
    Around around;
    for (const auto& group : request.resource_metrics()) {
      around.group = &group;
      for (const auto& scope_group : group.scope_metrics()) {
        around.scope_group = &scope_group;
        for (const auto& metric : scope_group.metrics()) {
          around.metric = &metric;
          CheckMetric(around);
        }
      }
    }
    const Decoded& counts = decoded_.exemplars;
    TL_CHECK(counts.received == received_ && batch_.exemplars.size() == kept_);
    TL_CHECK(counts.rejected == received_ - kept_);
    TL_CHECK(counts.accepted + counts.unlinked == kept_);
    TL_CHECK(decoded_.gauge_points == gauges_ && batch_.gauges.size() == gauges_);
    TL_CHECK(decoded_.data_points == points_ - gauges_);
  }

 private:
  void CheckMetric(Around around) {
    const metrics::Metric& metric = *around.metric;
    around.type = MetricType::kGauge;
    const bool is_named = IsNamed(metric.name());
    for (const auto& point : metric.gauge().data_points()) {
      CheckPoint(around, point);
      if (is_named) CheckGauge(around, point);
    }
    around.type = MetricType::kSum;
    const bool is_delta =
        metric.sum().aggregation_temporality() == metrics::AGGREGATION_TEMPORALITY_DELTA;
    for (const auto& point : metric.sum().data_points()) {
      CheckPoint(around, point);
      if (is_named && !is_delta) CheckGauge(around, point);
    }
    around.type = MetricType::kHistogram;
    for (const auto& point : metric.histogram().data_points()) CheckPoint(around, point);
    around.type = MetricType::kExponentialHistogram;
    for (const auto& point : metric.exponential_histogram().data_points()) {
      CheckPoint(around, point);
    }
    points_ += static_cast<std::size_t>(metric.summary().data_points_size());
  }

  template <typename Point>
  void CheckPoint(const Around& around, const Point& point) {
    ++points_;
    for (const metrics::Exemplar& wanted : point.exemplars()) {
      ++received_;
      if (KindOf(wanted.trace_id(), 16) == IdKind::kBroken) continue;
      if (KindOf(wanted.span_id(), 8) == IdKind::kBroken) continue;
      TL_CHECK(kept_ < batch_.exemplars.size());
      const Exemplar& exemplar = batch_.exemplars[kept_++];
      TL_CHECK(exemplar.metric_type == around.type);
      TL_CHECK(exemplar.metric == around.metric->name());
      TL_CHECK(exemplar.unit == around.metric->unit());
      CheckSame(around.group->has_resource() ? &around.group->resource() : nullptr,
                exemplar.resource, batch_);
      CheckSame(around.scope_group->has_scope() ? &around.scope_group->scope() : nullptr,
                exemplar.scope, batch_);
      CheckSame(point.attributes(), exemplar.labels, batch_);
      CheckExemplar(wanted, exemplar);
      CheckBound(point, exemplar);
    }
  }

  // The patterns of ComparedOptions, said independently of the decoder.
  static bool IsNamed(std::string name) {
    for (char& c : name) {
      if (c == '.' || c == '-' || c == '/') c = '_';
    }
    return name == "depth" || name.rfind("k8s_pod_cpu_", 0) == 0;
  }

  void CheckGauge(const Around& around, const metrics::NumberDataPoint& point) {
    const bool has_value = point.value_case() != metrics::NumberDataPoint::VALUE_NOT_SET;
    const double value =
        point.has_as_int() ? static_cast<double>(point.as_int()) : point.as_double();
    if (!has_value || (point.flags() & 1U) != 0) return;
    if (point.time_unix_nano() == 0 || std::isnan(value)) return;
    TL_CHECK(gauges_ < batch_.gauges.size());
    const GaugePoint& gauge = batch_.gauges[gauges_++];
    TL_CHECK(gauge.time_unix_ns == point.time_unix_nano());
    TL_CHECK(std::bit_cast<std::uint64_t>(gauge.value) == std::bit_cast<std::uint64_t>(value));
    TL_CHECK(gauge.metric_type == around.type);
    TL_CHECK(gauge.metric == around.metric->name());
    TL_CHECK(gauge.unit == around.metric->unit());
    CheckSame(around.group->has_resource() ? &around.group->resource() : nullptr, gauge.resource,
              batch_);
    CheckSame(point.attributes(), gauge.labels, batch_);
  }

  void CheckExemplar(const metrics::Exemplar& wanted, const Exemplar& exemplar) {
    if (KindOf(wanted.trace_id(), 16) == IdKind::kAbsent) {
      TL_CHECK(!exemplar.trace_id.IsValid());
    } else {
      TL_CHECK(ToHex(exemplar.trace_id) == HexOf(wanted.trace_id(), 16));
    }
    if (KindOf(wanted.span_id(), 8) == IdKind::kAbsent) {
      TL_CHECK(!exemplar.span_id.IsValid());
    } else {
      TL_CHECK(ToHex(exemplar.span_id) == HexOf(wanted.span_id(), 8));
    }
    TL_CHECK(exemplar.time_unix_ns == wanted.time_unix_nano());
    TL_CHECK(exemplar.is_integer == wanted.has_as_int());
    if (wanted.has_as_int()) {
      TL_CHECK(exemplar.integer == wanted.as_int());
    } else {
      TL_CHECK(std::bit_cast<std::uint64_t>(exemplar.number) ==
               std::bit_cast<std::uint64_t>(wanted.as_double()));
    }
    CheckSame(wanted.filtered_attributes(), exemplar.attributes, batch_);
  }

  static void CheckBound(const metrics::NumberDataPoint& /*point*/, const Exemplar& exemplar) {
    TL_CHECK(!exemplar.has_le);
  }

  // By walking the buckets one after the other.
  static void CheckBound(const metrics::HistogramDataPoint& point, const Exemplar& exemplar) {
    bool usable = point.bucket_counts_size() == point.explicit_bounds_size() + 1 &&
                  !std::isnan(exemplar.value());
    double le = std::numeric_limits<double>::infinity();
    for (int i = point.explicit_bounds_size() - 1; i >= 0; --i) {
      if (std::isnan(point.explicit_bounds(i))) usable = false;
      if (i > 0 && point.explicit_bounds(i - 1) >= point.explicit_bounds(i)) usable = false;
      if (exemplar.value() <= point.explicit_bounds(i)) le = point.explicit_bounds(i);
    }
    TL_CHECK(exemplar.has_le == usable);
    if (usable) TL_CHECK(exemplar.le == le);
  }

  // By the definition of the bound, without computing an index.
  static void CheckBound(const metrics::ExponentialHistogramDataPoint& point,
                         const Exemplar& exemplar) {
    const double value = exemplar.value();
    TL_CHECK(exemplar.has_le == std::isfinite(value));
    if (!exemplar.has_le) return;
    TL_CHECK(exemplar.le >= value);
    if (point.zero_threshold() > 0 && std::abs(value) <= point.zero_threshold()) {
      TL_CHECK(exemplar.le == point.zero_threshold());
    } else if (value > 0 && point.scale() >= 0 && point.scale() <= 20) {
      const double base = std::exp2(std::exp2(-point.scale()));
      TL_CHECK(exemplar.le <=
               value * base * (1 + 1e-9) + std::numeric_limits<double>::denorm_min());
    }
  }

  const exemplars::DecodedMetrics& decoded_;
  const Batch& batch_;
  std::size_t received_ = 0;
  std::size_t kept_ = 0;
  std::size_t points_ = 0;
  std::size_t gauges_ = 0;
};

}  // namespace

bool CompareMetrics(std::string_view bytes) {
  Batch batch;
  const auto decoded = exemplars::DecodeOtlp(bytes, ComparedOptions(), batch);
  Batch again;  // Decoding is a pure function of the bytes.
  TL_CHECK(exemplars::DecodeOtlp(bytes, ComparedOptions(), again).has_value() ==
           decoded.has_value());
  const google::protobuf::LogSilencer silencer;
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (!decoded) {
    TL_CHECK(IsStricter(decoded.error()));
    return true;
  }
  Checker(*decoded, batch).CheckAll(request);
  for (std::size_t i = 0; i < batch.exemplars.size(); ++i) {
    TL_CHECK(batch.exemplars[i].identity == again.exemplars[i].identity);
  }
  for (std::size_t i = 0; i < batch.gauges.size(); ++i) {
    TL_CHECK(batch.gauges[i].identity == again.gauges[i].identity);
  }
  return true;
}

}  // namespace throughline::oracle
