#include "tests/proto/prometheus/remote_write_oracle.h"

#include <cmath>
#include <string>

#include <google/protobuf/stubs/logging.h>

#include "correlate/check.h"
#include "exemplars/buckets.h"
#include "otlp/utf8.h"
#include "prometheus/remote_write_1.pb.h"
#include "prometheus/remote_write_2.pb.h"
#include "tests/proto/prometheus/plain_series.h"

namespace throughline::oracle {
namespace {

namespace v1 = ::prometheus;
namespace v2 = ::io::prometheus::write::v2;
using exemplars::DecodedWrite;
using exemplars::WriteVersion;

bool IsStricter(const Error& error) {
  for (const std::string_view text :
       {"want wire type", "varint is over 64 bits", "field number is over", "field number 0",
        "belongs to", "symbols[0] is not empty"}) {
    if (error.message.find(text) != std::string::npos) return true;
  }
  return false;
}

std::uint64_t NanosOf(std::int64_t millis) {
  if (millis < 0) return 1;
  const double nanos = static_cast<double>(millis) * 1e6;
  return nanos > 1.8e19 && millis > 18'446'744'073'709
             ? UINT64_MAX
             : static_cast<std::uint64_t>(millis) * 1'000'000;
}

std::optional<double> BoundOf(const v1::Histogram& histogram, double value) {
  if (histogram.schema() != -53) {
    return exemplars::ExponentialBound(histogram.schema(), histogram.zero_threshold(), value);
  }
  const std::vector<double> bounds(histogram.custom_values().begin(),
                                   histogram.custom_values().end());
  return exemplars::ExplicitBound(bounds, bounds.size() + 1, value);
}

// What follows from the native histograms on a series.
template <typename Series>
void AddHistogram(const Series& series, PlainSeries& plain) {
  if (series.histograms().empty()) return;
  const v1::Histogram& last = *series.histograms().rbegin();
  std::string metric;
  bool bucket = false;
  for (const auto& [name, value] : plain.labels) {
    if (name == "__name__") metric = value;
    if (name == "le") bucket = true;
  }
  for (PlainExemplar& exemplar : plain.exemplars) exemplar.bound = BoundOf(last, exemplar.value);
  const bool classic = bucket && metric.ends_with("_bucket");
  if (!classic) {
    plain.type = last.schema() == -53 ? MetricType::kHistogram : MetricType::kExponentialHistogram;
  }
}

class Checker {
 public:
  Checker(const DecodedWrite& decoded, const Batch& batch) : decoded_(decoded), check_(batch) {}

  void CheckAll(const v1::WriteRequest& request) {
    for (const v1::TimeSeries& series : request.timeseries()) {
      PlainSeries plain;
      plain.broken = !Add(series.labels(), plain.labels);
      for (const v1::Exemplar& exemplar : series.exemplars()) {
        PlainExemplar& added = AddExemplar(exemplar, plain);
        added.broken = !Add(exemplar.labels(), added.labels);
      }
      Take(series, plain);
    }
    End();
  }

  void CheckAll(const v2::Request& request) {
    symbols_ = &request.symbols();
    for (const v2::TimeSeries& series : request.timeseries()) {
      PlainSeries plain;
      plain.broken = !Add(series.labels_refs(), plain.labels);
      std::string help;
      if (series.has_metadata()) {
        const v2::Metadata& metadata = series.metadata();
        // A reference to symbol 0 that is not sent needs no symbols.
        if (metadata.help_ref() != 0 && !At(metadata.help_ref(), help)) plain.broken = true;
        if (metadata.unit_ref() != 0 && !At(metadata.unit_ref(), plain.unit)) plain.broken = true;
        constexpr MetricType kTypes[] = {MetricType::kUnknown,   MetricType::kSum,
                                         MetricType::kGauge,     MetricType::kHistogram,
                                         MetricType::kHistogram, MetricType::kSummary,
                                         MetricType::kGauge,     MetricType::kGauge};
        if (metadata.type() > 0 && metadata.type() < 8) plain.type = kTypes[metadata.type()];
      }
      for (const v2::Exemplar& exemplar : series.exemplars()) {
        PlainExemplar& added = AddExemplar(exemplar, plain);
        added.broken = !Add(exemplar.labels_refs(), added.labels);
      }
      Take(series, plain);
    }
    End();
  }

 private:
  template <typename Message>
  static PlainExemplar& AddExemplar(const Message& exemplar, PlainSeries& plain) {
    plain.exemplars.push_back({.labels = {},
                               .broken = false,
                               .value = exemplar.value(),
                               .time_unix_ns = NanosOf(exemplar.timestamp()),
                               .bound = {}});
    return plain.exemplars.back();
  }

  // False: something is wrong with them that their names and values do not show.
  static bool Add(const google::protobuf::RepeatedPtrField<v1::Label>& labels, PlainLabels& plain) {
    bool good = true;
    for (const v1::Label& label : labels) {
      if (!otlp::IsUtf8(label.name()) || !otlp::IsUtf8(label.value())) good = false;
      plain.emplace_back(label.name(), label.value());
    }
    return good;
  }
  bool Add(const google::protobuf::RepeatedField<std::uint32_t>& refs, PlainLabels& plain) const {
    bool good = refs.size() % 2 == 0;
    for (int i = 0; i + 1 < refs.size(); i += 2) {
      plain.emplace_back();
      if (!At(refs[i], plain.back().first)) good = false;
      if (!At(refs[i + 1], plain.back().second)) good = false;
    }
    return good;
  }
  bool At(std::uint32_t ref, std::string& text) const {
    if (ref >= static_cast<std::uint32_t>(symbols_->size())) return false;
    text = (*symbols_)[static_cast<int>(ref)];
    return otlp::IsUtf8(text);
  }

  template <typename Series>
  void Take(const Series& series, PlainSeries& plain) {
    AddHistogram(series, plain);
    for (const v1::Sample& sample : series.samples()) {
      plain.points.push_back(
          {.value = sample.value(), .time_unix_ns = NanosOf(sample.timestamp())});
    }
    const bool whole = check_.Take(plain);
    if (!whole) ++rejected_;
    PlainSeries alone = plain;  // Whether the series itself is good.
    alone.exemplars.clear();
    alone.points.clear();
    if (check_.Take(alone)) {
      samples_ += static_cast<std::size_t>(series.samples_size());
      histograms_ += static_cast<std::size_t>(series.histograms_size());
    }
  }

  void End() const {
    check_.End(decoded_.exemplars, decoded_.gauge_points);
    TL_CHECK(decoded_.samples == samples_ && decoded_.histograms == histograms_);
    TL_CHECK(decoded_.rejected_series == rejected_);
    TL_CHECK(decoded_.first_bad_series.empty() == (rejected_ == 0));
    TL_CHECK(decoded_.written_exemplars ==
             decoded_.exemplars.accepted + decoded_.exemplars.unlinked);
  }

  const DecodedWrite& decoded_;
  PlainCheck check_;
  const google::protobuf::RepeatedPtrField<std::string>* symbols_ = nullptr;
  std::size_t samples_ = 0;
  std::size_t histograms_ = 0;
  std::size_t rejected_ = 0;
};

template <typename Request>
bool Compare(std::string_view bytes, WriteVersion version) {
  const DecodeOptions options = PlainOptions();
  Batch batch;
  const auto decoded = DecodeRemoteWrite(bytes, version, options, batch);
  const google::protobuf::LogSilencer silencer;
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (!decoded) {
    TL_CHECK(IsStricter(decoded.error()));
  } else {
    Checker(*decoded, batch).CheckAll(request);
  }
  return true;
}

}  // namespace

bool CompareRemoteWrite(std::string_view bytes, WriteVersion version) {
  return version == WriteVersion::k1 ? Compare<v1::WriteRequest>(bytes, version)
                                     : Compare<v2::Request>(bytes, version);
}

}  // namespace throughline::oracle
