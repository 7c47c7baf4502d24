#include "tests/proto/prometheus/exposition_oracle.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include "correlate/check.h"
#include "exemplars/buckets.h"
#include "exemplars/exposition.h"
#include "prometheus/client.pb.h"
#include "tests/proto/prometheus/plain_series.h"

namespace throughline::oracle {
namespace {

namespace client = ::io::prometheus::client;

constexpr std::uint64_t kScraped = 1'700'000'000'000'000'005U;

bool IsStricter(const Error& error) {
  for (const std::string_view text : {"want wire type", "varint is over 64 bits",
                                      "field number is over", "field number 0", "not UTF-8"}) {
    if (error.message.find(text) != std::string::npos) return true;
  }
  return false;
}

// Fewest digits that read back as the same number; from 1e6 and below 1e-4 with an exponent.
std::string BoundText(double bound) {
  if (std::isnan(bound)) return "NaN";
  if (std::isinf(bound)) return bound > 0 ? "+Inf" : "-Inf";
  char text[400];
  int precision = 0;
  do {
    std::snprintf(text, sizeof text, "%.*e", precision, bound);
  } while (std::strtod(text, nullptr) != bound && ++precision < 17);
  const int exponent = std::atoi(std::string(text).substr(std::string(text).find('e') + 1).c_str());
  if (exponent >= -4 && exponent < 6) {
    std::snprintf(text, sizeof text, "%.*f", precision > exponent ? precision - exponent : 0,
                  bound);
  }
  std::string bound_text = text;
  if (bound_text.find_first_of(".e") == std::string::npos) bound_text += ".0";
  return bound_text;
}

std::uint64_t NanosOf(const client::Timestamp& time) {
  const long double nanos =
      static_cast<long double>(time.seconds()) * 1e9L + static_cast<long double>(time.nanos());
  if (nanos < 0) return 1;
  if (nanos >= 18446744073709551616.0L) return UINT64_MAX;
  return static_cast<std::uint64_t>(time.seconds()) * 1'000'000'000U +
         static_cast<std::uint64_t>(static_cast<std::int64_t>(time.nanos()));
}

PlainLabels LabelsOf(const google::protobuf::RepeatedPtrField<client::LabelPair>& labels) {
  PlainLabels plain;
  for (const client::LabelPair& label : labels) plain.emplace_back(label.name(), label.value());
  return plain;
}

PlainExemplar ExemplarOf(const client::Exemplar& exemplar) {
  return {.labels = LabelsOf(exemplar.label()),
          .broken = false,
          .value = exemplar.value(),
          .time_unix_ns = NanosOf(exemplar.timestamp()),
          .bound = {}};
}

class Checker {
 public:
  explicit Checker(const Batch& batch) : check_(batch) {}

  void Take(const client::MetricFamily& family) {
    for (const client::Metric& metric : family.metric()) {
      samples_ += (metric.has_gauge() ? 1U : 0U) + (metric.has_untyped() ? 1U : 0U);
      if (metric.has_counter()) TakeCounter(family, metric);
      if (metric.has_summary()) {
        samples_ += 2 + static_cast<std::size_t>(metric.summary().quantile_size());
      }
      if (metric.has_histogram()) TakeHistogram(family, metric);
      if (metric.has_gauge()) TakePoint(family, metric, MetricType::kGauge, metric.gauge().value());
      if (metric.has_counter()) {
        TakePoint(family, metric, MetricType::kSum, metric.counter().value());
      }
      if (metric.has_untyped()) {
        TakePoint(family, metric, MetricType::kUnknown, metric.untyped().value());
      }
    }
  }

  void End(const exemplars::DecodedExposition& decoded) const {
    check_.End(decoded.exemplars, decoded.gauge_points);
    TL_CHECK(decoded.samples == samples_);
  }

 private:
  static PlainSeries SeriesOf(const client::MetricFamily& family, const client::Metric& metric,
                              const std::string& suffix, MetricType type) {
    PlainSeries series;
    series.labels = LabelsOf(metric.label());
    series.labels.insert(series.labels.begin(), {"__name__", family.name() + suffix});
    series.type = type;
    series.unit = family.unit();
    return series;
  }

  void TakePoint(const client::MetricFamily& family, const client::Metric& metric, MetricType type,
                 double value) {
    PlainSeries series = SeriesOf(family, metric, "", type);
    client::Timestamp time;
    time.set_seconds(metric.timestamp_ms() / 1000);
    time.set_nanos(static_cast<std::int32_t>(metric.timestamp_ms() % 1000 * 1'000'000));
    series.points.push_back(
        {.value = value, .time_unix_ns = metric.timestamp_ms() == 0 ? kScraped : NanosOf(time)});
    check_.Take(series);
  }

  void TakeCounter(const client::MetricFamily& family, const client::Metric& metric) {
    ++samples_;
    if (!metric.counter().has_exemplar()) return;
    PlainSeries series = SeriesOf(family, metric, "", MetricType::kSum);
    series.exemplars.push_back(ExemplarOf(metric.counter().exemplar()));
    check_.Take(series);
  }

  void TakeHistogram(const client::MetricFamily& family, const client::Metric& metric) {
    const client::Histogram& histogram = metric.histogram();
    samples_ += 3;
    for (const client::Bucket& bucket : histogram.bucket()) {
      if (bucket.upper_bound() != HUGE_VAL) ++samples_;
      if (!bucket.has_exemplar()) continue;
      PlainSeries series = SeriesOf(family, metric, "_bucket", MetricType::kHistogram);
      series.labels.emplace_back("le", BoundText(bucket.upper_bound()));
      series.exemplars.push_back(ExemplarOf(bucket.exemplar()));
      check_.Take(series);
    }
    const bool custom = histogram.schema() == -53;
    PlainSeries native = SeriesOf(
        family, metric, "", custom ? MetricType::kHistogram : MetricType::kExponentialHistogram);
    for (const client::Exemplar& exemplar : histogram.exemplars()) {
      native.exemplars.push_back(ExemplarOf(exemplar));
      PlainExemplar& added = native.exemplars.back();
      if (!custom) {
        added.bound = exemplars::ExponentialBound(histogram.schema(), histogram.zero_threshold(),
                                                  added.value);
      } else if (!std::isnan(added.value)) {
        added.bound = HUGE_VAL;
      }
    }
    check_.Take(native);
  }

  PlainCheck check_;
  std::size_t samples_ = 0;
};

}  // namespace

bool CompareExposition(std::string_view bytes) {
  Batch batch;
  const auto decoded = DecodeExposition(bytes, exemplars::ExpositionFormat::kProtobuf,
                                        {.time_unix_ns = kScraped}, PlainOptions(), batch);
  const google::protobuf::LogSilencer silencer;
  std::vector<client::MetricFamily> families;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  while (stream.CurrentPosition() < static_cast<int>(bytes.size())) {
    std::uint64_t size = 0;
    if (!stream.ReadVarint64(&size)) return false;
    const auto at = static_cast<std::size_t>(stream.CurrentPosition());
    if (size > bytes.size() - at) return false;
    if (!families.emplace_back().ParseFromArray(bytes.data() + at, static_cast<int>(size))) {
      return false;
    }
    stream.Skip(static_cast<int>(size));
  }
  if (!decoded) {
    TL_CHECK(IsStricter(decoded.error()));
    return true;
  }
  Checker checker(batch);
  for (const client::MetricFamily& family : families) checker.Take(family);
  checker.End(*decoded);
  return true;
}

}  // namespace throughline::oracle
