// A series as Prometheus names it, and what is kept of it: what remote write and the expositions
// share once labels are read.
//
//  - `metric` is the label __name__. The other labels are kept in the order sent, `le` too; one
//    with an empty value is left out, which in Prometheus' data model says the same.
//  - The service is what `service_name`, else `service`, else `job` states. A job is
//    OpenTelemetry's service.namespace, "/" and service.name, or the name alone.
//  - On a series `..._bucket`, `le` is the bound of the bucket; on a native histogram the bound
//    follows from its schema.
//  - Of an exemplar's labels, trace_id, traceID, TraceID, traceId and the configured ones give the
//    trace id, span_id, spanID, SpanID, spanId the span id. Those that became ids are no attributes
//    any more, the others are. A trace id that is absent (empty, all zero, "none") leaves the
//    exemplar unlinked, one that is misspelt rejects it; a misspelt span id stays an attribute.
//  - Samples are kept as points where options.gauges names the metric and its type is gauge,
//    counter (cumulative: the CPU seconds of cAdvisor) or not stated; a classic bucket is none.
//
// Sources: Prometheus remote write 1.0 and 2.0, "Labels"; OpenMetrics 1.0, "Exemplars";
// OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", resource attributes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "exemplars/finish_exemplar.h"
#include "exemplars/gauge_filter.h"

namespace throughline::exemplars {

inline constexpr std::string_view kMetricName = "__name__";
inline constexpr std::string_view kBucketLabel = "le";
inline constexpr std::string_view kBucketSuffix = "_bucket";

// Views of UTF-8 text.
struct Label {
  std::string_view name;
  std::string_view value;
};

// Milliseconds of the Unix epoch as Prometheus sends them; 0: not sent. A time that unsigned
// nanoseconds do not hold becomes the nearest that they do, which is then suspect.
std::uint64_t NanosOfMillis(std::int64_t millis);

// The buckets of a native histogram: powers of 2^(2^-schema), or bounds of its own.
// Source: Prometheus, "Native Histograms", Schema.
struct NativeBuckets {
  static constexpr std::int32_t kCustomSchema = -53;

  std::int32_t schema = 0;
  double zero_threshold = 0;
  std::vector<double> custom_bounds;  // Of kCustomSchema.

  MetricType type() const {
    return schema == kCustomSchema ? MetricType::kHistogram : MetricType::kExponentialHistogram;
  }
  // As buckets.h.
  std::optional<double> BoundOf(double value) const;
};

// Says which series are none. Keeps what it views between calls: labels must outlive it, as those
// of a request do. Not thread-safe.
class SeriesCheck {
 public:
  explicit SeriesCheck(const DecodeOptions& options) : options_(options) {}

  // Why a series with these labels is refused: no name, a name twice, ...; empty: it is not. Labels
  // out of order are none of the reasons.
  std::string Problem(std::span<const Label> labels);
  // The name of the series that was asked for last, which had no problem.
  std::string_view MetricOf(std::span<const Label> labels) const {
    return labels[metric_name_at_].value;
  }

 private:
  bool HasLastNames(std::span<const Label> labels) const;
  bool HasDuplicate(std::span<const Label> labels);

  const DecodeOptions& options_;
  std::vector<std::string_view> last_names_;  // Of the last good series; empty: none.
  std::size_t metric_name_at_ = 0;            // In last_names_.
  std::vector<std::string_view> names_;
};

// What all on a series has in common. What it views must outlive the batch; `labels` and `native`
// need only outlive the calls of Add and AddPoint.
struct Series {
  std::span<const Label> labels = {};  // Checked by SeriesCheck.
  MetricType type = MetricType::kUnknown;
  std::string_view unit = {};
  const NativeBuckets* native = nullptr;  // Null: none known.
};

// Takes the exemplars and the named gauges of one request into a batch, series by series. A series
// of which nothing is kept costs nothing, and labels that a series has in common with the one
// before are copied and hashed once. Not thread-safe; options, batch and `decoded` must outlive it.
class SeriesRecords {
 public:
  SeriesRecords(const DecodeOptions& options, Batch& batch, Decoded& decoded)
      : options_(options),
        batch_(batch),
        finisher_(options, batch, decoded),
        filter_(options.gauges) {}

  void BeginSeries(const Series& series) {
    series_ = series;
    made_ = false;
  }

  // One exemplar of the series begun, or one that is refused; it is counted either way. False: over
  // options.records_per_request, see TooMany().
  bool Add(std::span<const Label> labels, double value, std::uint64_t time_unix_ns);
  bool Refuse(std::string_view problem);
  Error TooMany() const { return finisher_.TooMany(); }

  // Whether options.gauges names it: to be asked once a series, before its samples are read.
  bool NamesGauge(std::string_view metric) const { return filter_.Keeps(metric); }
  // One sample of the series begun, whose metric is so named. False: passed by, because the series
  // is no gauge, or as AcceptGauge says.
  Result<bool> AddPoint(double value, std::uint64_t time_unix_ns);

 private:
  struct Ids;
  struct KnownLabel {
    Label label;
    Attribute attribute;
  };

  Ids IdsOf(std::span<const Label> labels) const;
  bool IsTraceLabel(std::string_view name) const;
  void MakeSeries();
  void SetBound(Exemplar& exemplar) const;
  Attribute AttributeOf(const Label& label, std::size_t position);

  const DecodeOptions& options_;
  Batch& batch_;
  ExemplarFinisher finisher_;
  const GaugeFilter filter_;
  Series series_;
  bool made_ = false;              // Whether common_ is the series begun.
  Exemplar common_;                // What its exemplars and points have in common.
  std::vector<KnownLabel> known_;  // By position, of series before.
};

}  // namespace throughline::exemplars
