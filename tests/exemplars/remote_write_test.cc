#include "exemplars/remote_write.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/attribute.h"
#include "prometheus/remote_write_1.pb.h"
#include "prometheus/remote_write_2.pb.h"
#include "tests/proto/prometheus/remote_write_oracle.h"
#include "tests/proto/truncation.h"

namespace throughline::exemplars {
namespace {

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";
constexpr std::int64_t kMillis = 1'700'000'000'123;

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Request1 = prometheus::WriteRequest;
using Request2 = io::prometheus::write::v2::Request;

void AddLabels(const Pairs& pairs, google::protobuf::RepeatedPtrField<prometheus::Label>& labels) {
  for (const auto& [name, value] : pairs) {
    prometheus::Label& label = *labels.Add();
    label.set_name(name);
    label.set_value(value);
  }
}

prometheus::TimeSeries& AddSeries(const Pairs& labels, Request1& request) {
  prometheus::TimeSeries& series = *request.add_timeseries();
  AddLabels(labels, *series.mutable_labels());
  return series;
}

void AddExemplar(const Pairs& labels, double value, std::int64_t millis,
                 prometheus::TimeSeries& series) {
  prometheus::Exemplar& exemplar = *series.add_exemplars();
  AddLabels(labels, *exemplar.mutable_labels());
  exemplar.set_value(value);
  exemplar.set_timestamp(millis);
}

// Builds a Request of 2.0 from the one of 1.0, each text once.
class Symbolizer {
 public:
  Symbolizer() { request_.add_symbols(""); }

  Request2 Of(const Request1& request) {
    for (const prometheus::TimeSeries& from : request.timeseries()) {
      io::prometheus::write::v2::TimeSeries& to = *request_.add_timeseries();
      Add(from.labels(), *to.mutable_labels_refs());
      *to.mutable_samples() = from.samples();
      *to.mutable_histograms() = from.histograms();
      for (const prometheus::Exemplar& exemplar : from.exemplars()) {
        io::prometheus::write::v2::Exemplar& added = *to.add_exemplars();
        Add(exemplar.labels(), *added.mutable_labels_refs());
        added.set_value(exemplar.value());
        added.set_timestamp(exemplar.timestamp());
      }
    }
    return request_;
  }

  std::uint32_t Ref(const std::string& text) {
    for (int i = 0; i < request_.symbols_size(); ++i) {
      if (request_.symbols(i) == text) return static_cast<std::uint32_t>(i);
    }
    request_.add_symbols(text);
    return static_cast<std::uint32_t>(request_.symbols_size() - 1);
  }

 private:
  void Add(const google::protobuf::RepeatedPtrField<prometheus::Label>& labels,
           google::protobuf::RepeatedField<std::uint32_t>& refs) {
    for (const prometheus::Label& label : labels) {
      refs.Add(Ref(label.name()));
      refs.Add(Ref(label.value()));
    }
  }

  Request2 request_;
};

Request2 Symbolized(const Request1& request) { return Symbolizer().Of(request); }

Result<DecodedWrite> Decode(const Request1& request, Batch& batch,
                            const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(request.SerializeAsString());
  EXPECT_TRUE(oracle::CompareRemoteWrite(batch.body.view(), WriteVersion::k1));
  return DecodeRemoteWrite(batch.body.view(), WriteVersion::k1, options, batch);
}

Result<DecodedWrite> Decode(const Request2& request, Batch& batch,
                            const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(request.SerializeAsString());
  EXPECT_TRUE(oracle::CompareRemoteWrite(batch.body.view(), WriteVersion::k2));
  return DecodeRemoteWrite(batch.body.view(), WriteVersion::k2, options, batch);
}

Pairs LabelsOf(Range range, const Batch& batch) {
  Pairs pairs;
  for (const Attribute& attribute : batch.Of(range)) {
    pairs.emplace_back(attribute.key(), StringOf(attribute.value()));
  }
  return pairs;
}

// A series of samples, its exemplars in a series of their own, a native histogram and a series
// without exemplars: what Prometheus sends.
Request1 Sample() {
  const Pairs bucket = {{"__name__", "rpc_seconds_bucket"},
                        {"instance", "10.0.0.7:8080"},
                        {"job", "harbour/berths"},
                        {"le", "0.5"}};
  Request1 request;
  prometheus::Sample& sample = *AddSeries(bucket, request).add_samples();
  sample.set_value(12);
  sample.set_timestamp(kMillis);
  prometheus::TimeSeries& exemplars = AddSeries(bucket, request);
  AddExemplar({{"span_id", kSpan}, {"trace_id", kTrace}, {"user", "ann"}}, 0.25, kMillis,
              exemplars);
  AddExemplar({{"order", "7"}}, 0.5, 0, exemplars);
  AddExemplar({{"traceID", "not one"}}, 0.5, 0, exemplars);
  prometheus::TimeSeries& native = AddSeries(
      {{"__name__", "rpc_seconds"}, {"empty", ""}, {"job", "berths"}, {"service", "pier"}},
      request);
  prometheus::Histogram& histogram = *native.add_histograms();
  histogram.set_schema(0);
  histogram.set_count_int(3);
  histogram.add_positive_deltas(1);
  histogram.add_positive_spans()->set_length(1);
  AddExemplar({{"TraceID", "1234567890abcdef"}}, 3, -1, native);
  AddSeries({{"__name__", "up"}, {"job", "berths"}}, request)
      .add_samples()
      ->set_value(std::numeric_limits<double>::quiet_NaN());
  prometheus::MetricMetadata& metadata = *request.add_metadata();
  metadata.set_metric_family_name("rpc_seconds");
  metadata.set_help("how long it takes");
  return request;
}

template <typename Request>
void ExpectSample(const Request& request) {
  Batch batch;
  const auto decoded = Decode(request, batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->samples, 2U);
  EXPECT_EQ(decoded->histograms, 1U);
  EXPECT_EQ(decoded->written_exemplars, 3U);
  EXPECT_EQ(decoded->exemplars.received, 4U);
  EXPECT_EQ(decoded->exemplars.accepted, 2U);
  EXPECT_EQ(decoded->exemplars.unlinked, 1U);
  EXPECT_EQ(decoded->exemplars.rejected, 1U);
  EXPECT_EQ(decoded->rejected_series, 1U);
  EXPECT_EQ(decoded->first_bad_series,
            "series 1: exemplar 2: traceID: not a trace id in any spelling");
  ASSERT_EQ(batch.exemplars.size(), 2U);

  const Exemplar& bucket = batch.exemplars[0];
  EXPECT_EQ(bucket.metric, "rpc_seconds_bucket");
  EXPECT_EQ(bucket.metric_type, MetricType::kHistogram);
  EXPECT_EQ(bucket.service, "berths");
  EXPECT_EQ(ToHex(bucket.trace_id), kTrace);
  EXPECT_EQ(ToHex(bucket.span_id), kSpan);
  EXPECT_EQ(bucket.time_unix_ns, 1'700'000'000'123'000'000U);
  EXPECT_EQ(bucket.value(), 0.25);
  EXPECT_TRUE(bucket.has_le);
  EXPECT_EQ(bucket.le, 0.5);
  EXPECT_EQ(LabelsOf(bucket.labels, batch),
            (Pairs{{"instance", "10.0.0.7:8080"}, {"job", "harbour/berths"}, {"le", "0.5"}}));
  EXPECT_EQ(LabelsOf(bucket.attributes, batch), (Pairs{{"user", "ann"}}));

  const Exemplar& native = batch.exemplars[1];
  EXPECT_EQ(native.metric_type, MetricType::kExponentialHistogram);
  EXPECT_EQ(native.service, "pier");
  EXPECT_EQ(native.trace_id.low, 0x1234567890abcdefU);
  EXPECT_EQ(native.le, 4);
  EXPECT_EQ(native.time_unix_ns, 1U);
  EXPECT_EQ(LabelsOf(native.labels, batch), (Pairs{{"job", "berths"}, {"service", "pier"}}));
  EXPECT_EQ(native.attributes.count, 0U);
}

TEST(RemoteWrite, ReadsTheSampleOfBothVersions) {
  ExpectSample(Sample());
  ExpectSample(Symbolized(Sample()));
}

TEST(RemoteWrite, BothVersionsGiveTheSameIdentities) {
  Batch first;
  Batch second;
  ASSERT_TRUE(Decode(Sample(), first));
  ASSERT_TRUE(Decode(Symbolized(Sample()), second));
  ASSERT_EQ(first.exemplars.size(), second.exemplars.size());
  for (std::size_t i = 0; i < first.exemplars.size(); ++i) {
    EXPECT_EQ(first.exemplars[i].identity, second.exemplars[i].identity);
  }
}

TEST(RemoteWrite, TruncationAtEveryByteAgrees) {
  const std::string bytes1 = Sample().SerializeAsString();
  const std::string bytes2 = Symbolized(Sample()).SerializeAsString();
  const std::pair<WriteVersion, const std::string*> versions[] = {{WriteVersion::k1, &bytes1},
                                                                  {WriteVersion::k2, &bytes2}};
  for (const auto& [version, bytes] : versions) {
    samples::ForEachPrefix(*bytes, [version = version](std::string_view prefix) {
      if (oracle::CompareRemoteWrite(prefix, version)) return;
      Batch batch;
      EXPECT_FALSE(DecodeRemoteWrite(prefix, version, {}, batch)) << prefix.size();
    });
  }
}

TEST(RemoteWrite, EmptyRequestsAndMetadataAloneAreFine) {
  Batch batch;
  EXPECT_TRUE(Decode(Request1(), batch));
  EXPECT_TRUE(Decode(Request2(), batch));
  Request1 metadata;
  metadata.add_metadata()->set_metric_family_name("up");
  const auto decoded = Decode(metadata, batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->rejected_series, 0U);
}

TEST(RemoteWrite, TheOtherVersionIsRefused) {
  Batch batch;
  const std::string bytes1 = Sample().SerializeAsString();
  const auto as2 = DecodeRemoteWrite(bytes1, WriteVersion::k2, {}, batch);
  ASSERT_FALSE(as2);
  EXPECT_EQ(as2.error().message, "byte 0: field 1: belongs to prometheus.WriteRequest");
  const std::string bytes2 = Symbolized(Sample()).SerializeAsString();
  const auto as1 = DecodeRemoteWrite(bytes2, WriteVersion::k1, {}, batch);
  ASSERT_FALSE(as1);
  EXPECT_EQ(as1.error().message, "byte 0: field 4: belongs to io.prometheus.write.v2.Request");
}

struct BadSeries {
  const char* name;
  Pairs labels;
  std::string reason;  // Empty: it is none.
};

class RemoteWriteSeries : public testing::TestWithParam<BadSeries> {};

// One bad series costs only itself, with its samples and exemplars.
TEST_P(RemoteWriteSeries, IsRefusedAlone) {
  Request1 request;
  AddSeries(GetParam().labels, request).add_samples();
  AddExemplar({{"trace_id", kTrace}}, 1, kMillis, *request.mutable_timeseries(0));
  AddSeries({{"__name__", "good"}}, request).add_samples();
  AddExemplar({{"trace_id", kTrace}}, 1, kMillis, *request.mutable_timeseries(1));
  const bool bad = !GetParam().reason.empty();
  for (const bool symbols : {false, true}) {
    Batch batch;
    const auto decoded = symbols ? Decode(Symbolized(request), batch) : Decode(request, batch);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->rejected_series, bad ? 1U : 0U);
    EXPECT_EQ(decoded->first_bad_series, bad ? "series 0: " + GetParam().reason : "");
    EXPECT_EQ(decoded->samples, bad ? 1U : 2U);
    EXPECT_EQ(decoded->exemplars.received, 2U);
    EXPECT_EQ(decoded->exemplars.rejected, bad ? 1U : 0U);
    EXPECT_EQ(decoded->written_exemplars, bad ? 1U : 2U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Labels, RemoteWriteSeries,
    testing::Values(
        BadSeries{.name = "None", .labels = {}, .reason = "no metric name"},
        BadSeries{.name = "NoName", .labels = {{"job", "j"}}, .reason = "no metric name"},
        BadSeries{.name = "EmptyName", .labels = {{"__name__", ""}}, .reason = "no metric name"},
        BadSeries{.name = "EmptyLabel",
                  .labels = {{"", "x"}, {"__name__", "up"}},
                  .reason = "label 0 has no name"},
        BadSeries{.name = "Twice",
                  .labels = {{"__name__", "up"}, {"job", "a"}, {"job", "a"}},
                  .reason = "two labels have the same name"},
        BadSeries{.name = "TwiceApart",
                  .labels = {{"job", "a"}, {"__name__", "up"}, {"job", "b"}},
                  .reason = "two labels have the same name"},
        BadSeries{.name = "NotUtf8",
                  .labels = {{"__name__", "up"}, {"job", "\xff"}},
                  .reason = "a label is not UTF-8"},
        BadSeries{.name = "NameNotUtf8",
                  .labels = {{"__name__", "up"}, {"j\xc0", "a"}},
                  .reason = "a label is not UTF-8"},
        BadSeries{.name = "LongName",
                  .labels = {{"__name__", "up"}, {std::string((1U << 20U) + 1, 'n'), "a"}},
                  .reason = "label 1 has a name of 1048577 bytes, at most 1048576 are allowed"},
        BadSeries{.name = "Unsorted",
                  .labels = {{"job", "a"}, {"__name__", "up"}, {"age", "b"}},
                  .reason = ""},
        BadSeries{.name = "Utf8", .labels = {{"__name__", "größe"}, {"é.b", "ü"}}, .reason = ""}),
    [](const auto& param) { return param.param.name; });

TEST(RemoteWrite, TooManyLabelsCostTheirSeriesOrExemplar) {
  Request1 request;
  for (const int labels : {2, 3}) {
    prometheus::TimeSeries& series = AddSeries({{"__name__", "up"}, {"a", "b"}}, request);
    for (int i = 2; i < labels; ++i)
      AddLabels({{"l" + std::to_string(i), "x"}}, *series.mutable_labels());
    AddExemplar({{"trace_id", kTrace}, {"user", "ann"}}, 1, kMillis, series);
  }
  AddExemplar({{"trace_id", kTrace}, {"a", "x"}, {"b", "x"}}, 1, kMillis,
              *request.mutable_timeseries(0));
  Batch batch;
  const auto decoded = Decode(request, batch, {.attributes_per_record = 2});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->exemplars.accepted, 1U);
  EXPECT_EQ(decoded->exemplars.first_rejection,
            "exemplar 1: more than 2 labels; exemplar 2: more than 2 labels");
  EXPECT_EQ(decoded->rejected_series, 2U);
}

TEST(RemoteWrite, ExemplarsOfARequestAreBounded) {
  for (const bool one_series : {false, true}) {
    Request1 request;
    AddSeries({{"__name__", "up"}}, request);
    for (int i = 0; i < 4; ++i) {
      prometheus::TimeSeries& series =
          one_series ? *request.mutable_timeseries(0) : AddSeries({{"__name__", "up"}}, request);
      AddExemplar({{"trace_id", kTrace}}, i, kMillis, series);
    }
    Batch batch;
    EXPECT_TRUE(Decode(request, batch, {.records_per_request = 4}));
    const auto decoded = Decode(request, batch, {.records_per_request = 3});
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
  }
}

TEST(RemoteWrite, SymbolsAreBounded) {
  std::string bytes;
  for (std::size_t i = 0; i < kMaxSymbols; ++i) bytes.append("\x22\x00", 2);
  Batch batch;
  EXPECT_TRUE(DecodeRemoteWrite(bytes, WriteVersion::k2, {}, batch));
  bytes.append("\x22\x00", 2);
  const auto decoded = DecodeRemoteWrite(bytes, WriteVersion::k2, {}, batch);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
}

void AddSample(double value, std::int64_t millis, prometheus::TimeSeries& series) {
  prometheus::Sample& sample = *series.add_samples();
  sample.set_value(value);
  sample.set_timestamp(millis);
}

// Prometheus' staleness marker.
const double kStale = std::bit_cast<double>(std::uint64_t{0x7ff0000000000002});

const DecodeOptions kNamed = {.hash_seed = 7, .gauges = {"process.cpu.*", "depth"}};

Request1 Gauges() {
  Request1 request;
  prometheus::TimeSeries& depth = AddSeries(
      {{"__name__", "depth"}, {"empty", ""}, {"job", "harbour/berths"}, {"pod", "b-0"}}, request);
  AddSample(4, kMillis, depth);
  AddSample(kStale, kMillis + 1, depth);
  AddSample(5, 0, depth);  // No time to stand at.
  AddSample(-6.5, kMillis + 2, depth);
  AddExemplar({{"trace_id", kTrace}}, 4, kMillis, depth);
  AddSample(7, kMillis, AddSeries({{"__name__", "process_cpu_seconds_total"}}, request));
  AddSample(8, kMillis, AddSeries({{"__name__", "depths"}, {"job", "berths"}}, request));
  AddSample(9, kMillis, AddSeries({{"__name__", "depth"}, {"a", "1"}, {"a", "1"}}, request));
  return request;
}

TEST(RemoteWrite, NamedGaugesAreKept) {
  Batch one;
  Batch two;
  const auto decoded = Decode(Gauges(), one, kNamed);
  const auto symbolized = Decode(Symbolized(Gauges()), two, kNamed);
  ASSERT_TRUE(decoded && symbolized);
  for (const DecodedWrite& write : {*decoded, *symbolized}) {
    EXPECT_EQ(write.samples, 6U);
    EXPECT_EQ(write.gauge_points, 3U);
    EXPECT_EQ(write.exemplars.received, 1U);
    EXPECT_EQ(write.rejected_series, 1U);
  }
  ASSERT_EQ(one.gauges.size(), 3U);
  const GaugePoint& depth = one.gauges[0];
  EXPECT_EQ(depth.metric, "depth");
  EXPECT_EQ(depth.metric_type, MetricType::kUnknown);
  EXPECT_EQ(depth.service, "berths");
  EXPECT_EQ(depth.value, 4);
  EXPECT_EQ(depth.time_unix_ns, 1'700'000'000'123'000'000U);
  EXPECT_EQ(LabelsOf(depth.labels, one), (Pairs{{"job", "harbour/berths"}, {"pod", "b-0"}}));
  EXPECT_EQ(one.gauges[1].value, -6.5);
  EXPECT_EQ(one.gauges[1].labels.begin, depth.labels.begin) << "copied once";
  EXPECT_EQ(one.exemplars.at(0).labels.begin, depth.labels.begin);
  EXPECT_EQ(one.gauges[2].metric, "process_cpu_seconds_total");
  ASSERT_EQ(two.gauges.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(one.gauges[i].identity, two.gauges[i].identity);
  EXPECT_EQ(one.gauges[0].identity, one.gauges[1].identity) << "the same ten seconds";
}

struct NamedSeries {
  const char* name;
  Pairs labels;
  int type;        // Of 2.0.
  bool kept_of_1;  // Which says no type.
  bool kept_of_2;
};

class RemoteWriteGauges : public testing::TestWithParam<NamedSeries> {};

TEST_P(RemoteWriteGauges, AreThoseThatNothingSaysAreNone) {
  Request1 request;
  AddSample(1, kMillis, AddSeries(GetParam().labels, request));
  Batch batch;
  EXPECT_EQ(Decode(request, batch, {.gauges = {"depth*"}})->gauge_points, GetParam().kept_of_1);
  Request2 typed = Symbolized(request);
  typed.mutable_timeseries(0)->mutable_metadata()->set_type(GetParam().type);
  EXPECT_EQ(Decode(typed, batch, {.gauges = {"depth*"}})->gauge_points, GetParam().kept_of_2);
  EXPECT_EQ(Decode(typed, batch, {.gauges = {"width*"}})->gauge_points, 0U);
  EXPECT_EQ(Decode(typed, batch)->gauge_points, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Types, RemoteWriteGauges,
    testing::Values(
        NamedSeries{"Untyped", {{"__name__", "depth"}}, 0, true, true},
        NamedSeries{"Counter", {{"__name__", "depth_total"}}, 1, true, true},
        NamedSeries{"Gauge", {{"__name__", "depth"}}, 2, true, true},
        NamedSeries{"Histogram", {{"__name__", "depth_sum"}}, 3, true, false},
        NamedSeries{"Summary", {{"__name__", "depth"}, {"quantile", "0.5"}}, 5, true, false},
        NamedSeries{"Bucket", {{"__name__", "depth_bucket"}, {"le", "1"}}, 3, false, false},
        NamedSeries{"UntypedBucket", {{"__name__", "depth_bucket"}, {"le", "1"}}, 0, false, false},
        NamedSeries{"NameLast", {{"job", "a"}, {"__name__", "depth"}}, 2, true, true}),
    [](const auto& param) { return param.param.name; });

// What is said behind the samples counts as well.
TEST(RemoteWrite, SamplesMayStandBeforeTheLabels) {
  Request1 samples;
  AddSample(1, kMillis, *samples.add_timeseries());
  Request1 labels;
  AddSeries({{"__name__", "depth"}}, labels);
  const std::string series =
      samples.timeseries(0).SerializeAsString() + labels.timeseries(0).SerializeAsString();
  const std::string bytes = "\x0a" + std::string(1, static_cast<char>(series.size())) + series;
  EXPECT_TRUE(oracle::CompareRemoteWrite(bytes, WriteVersion::k1));
  Batch batch;
  EXPECT_EQ(DecodeRemoteWrite(bytes, WriteVersion::k1, kNamed, batch)->gauge_points, 1U);
}

TEST(RemoteWrite, GaugePointsOfARequestAreBounded) {
  Request1 request;
  for (int i = 0; i < 3; ++i) {
    AddSample(i, kMillis, AddSeries({{"__name__", "depth"}, {"n", std::to_string(i)}}, request));
  }
  Batch batch;
  EXPECT_TRUE(Decode(request, batch, {.records_per_request = 3, .gauges = {"depth"}}));
  const auto decoded = Decode(request, batch, {.records_per_request = 2, .gauges = {"depth"}});
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
}

TEST(RemoteWrite2, ANativeHistogramIsNoGauge) {
  Request1 request;
  prometheus::TimeSeries& series = AddSeries({{"__name__", "depth"}}, request);
  AddSample(1, kMillis, series);
  series.add_histograms()->set_schema(0);
  Batch batch;
  EXPECT_EQ(Decode(Symbolized(request), batch, kNamed)->gauge_points, 0U);
}

// A request of one series with these references.
Request2 RequestOf(const std::vector<std::uint32_t>& labels,
                   const std::vector<std::uint32_t>& exemplar = {}) {
  Request2 request;
  for (const char* symbol : {"", "__name__", "up", "trace_id", kTrace, "\xff"}) {
    request.add_symbols(symbol);
  }
  auto& series = *request.add_timeseries();
  series.add_samples();
  series.mutable_labels_refs()->Add(labels.begin(), labels.end());
  series.add_exemplars()->mutable_labels_refs()->Add(exemplar.begin(), exemplar.end());
  return request;
}

TEST(RemoteWrite2, ReferencesAreChecked) {
  const auto problem = [](const Request2& request) {
    Batch batch;
    const auto decoded = Decode(request, batch);
    EXPECT_TRUE(decoded);
    EXPECT_EQ(decoded->rejected_series, decoded->first_bad_series.empty() ? 0U : 1U);
    return decoded->first_bad_series;
  };
  EXPECT_EQ(problem(RequestOf({1, 2}, {3, 4})), "");
  EXPECT_EQ(problem(RequestOf({1, 2, 3})), "series 0: an odd number of label references");
  EXPECT_EQ(problem(RequestOf({1, 6})), "series 0: a reference outside of the symbols");
  EXPECT_EQ(problem(RequestOf({1, 0xffffffff})), "series 0: a reference outside of the symbols");
  EXPECT_EQ(problem(RequestOf({1, 2, 3, 5})), "series 0: a label is not UTF-8");
  EXPECT_EQ(problem(RequestOf({1, 2}, {3, 77})),
            "series 0: exemplar 0: a reference outside of the symbols");
  EXPECT_EQ(problem(RequestOf({1, 2}, {3})),
            "series 0: exemplar 0: an odd number of label references");
  Request2 unit = RequestOf({1, 2}, {3, 4});
  unit.mutable_timeseries(0)->mutable_metadata()->set_unit_ref(9);
  EXPECT_EQ(problem(unit), "series 0: a reference outside of the symbols");
}

// An odd number in one exemplar is none in the next.
TEST(RemoteWrite2, AnOddExemplarCostsOnlyItself) {
  Request2 request = RequestOf({1, 2}, {3});
  request.mutable_timeseries(0)->add_exemplars()->add_labels_refs(3);
  request.mutable_timeseries(0)->mutable_exemplars(1)->add_labels_refs(4);
  Batch batch;
  const auto decoded = Decode(request, batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->exemplars.accepted, 1U);
  EXPECT_EQ(decoded->exemplars.rejected, 1U);
  EXPECT_EQ(decoded->samples, 1U);
}

TEST(RemoteWrite2, SymbolsBeginWithTheEmptyText) {
  Request2 request = RequestOf({1, 2});
  request.set_symbols(0, "x");
  Batch batch;
  const auto decoded = Decode(request, batch);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message, "symbols[0] is not empty");
}

TEST(RemoteWrite2, SymbolsMayStandBehindTheSeries) {
  Request2 series = RequestOf({1, 2}, {3, 4});
  Request2 symbols = series;
  series.clear_symbols();
  symbols.clear_timeseries();
  const std::string bytes = series.SerializeAsString() + symbols.SerializeAsString();
  EXPECT_TRUE(oracle::CompareRemoteWrite(bytes, WriteVersion::k2));
  Batch batch;
  EXPECT_EQ(DecodeRemoteWrite(bytes, WriteVersion::k2, {}, batch)->exemplars.accepted, 1U);
}

TEST(RemoteWrite2, MetadataGivesTypeAndUnit) {
  const MetricType wanted[] = {
      MetricType::kUnknown,   MetricType::kSum,       MetricType::kGauge,
      MetricType::kHistogram, MetricType::kHistogram, MetricType::kSummary,
      MetricType::kGauge,     MetricType::kGauge,     MetricType::kUnknown};
  for (int type = 0; type <= 8; ++type) {
    Request2 request = RequestOf({1, 2}, {3, 4});
    request.mutable_timeseries(0)->mutable_metadata()->set_type(type);
    request.mutable_timeseries(0)->mutable_metadata()->set_unit_ref(2);
    Batch batch;
    ASSERT_TRUE(Decode(request, batch));
    EXPECT_EQ(batch.exemplars[0].metric_type, wanted[type]);
    EXPECT_EQ(batch.exemplars[0].unit, "up");
  }
}

struct IdCase {
  const char* name;
  Pairs labels;
  std::string trace = {};  // Empty: none.
  std::string span = {};
  Pairs attributes = {};
  bool rejected = false;
  bool repaired = false;
};

class ExemplarIds : public testing::TestWithParam<IdCase> {};

TEST_P(ExemplarIds, ComeFromTheLabels) {
  const IdCase& wanted = GetParam();
  Request1 request;
  AddExemplar(wanted.labels, 1, kMillis, AddSeries({{"__name__", "up"}}, request));
  Batch batch;
  const auto decoded =
      Decode(request, batch, {.keep_unlinked = true, .exemplar_trace_labels = {"tid"}});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->exemplars.rejected, wanted.rejected ? 1U : 0U);
  EXPECT_EQ(decoded->exemplars.repaired, wanted.repaired ? 1U : 0U);
  if (wanted.rejected) return;
  EXPECT_EQ(decoded->exemplars.unlinked, wanted.trace.empty() ? 1U : 0U);
  ASSERT_EQ(batch.exemplars.size(), 1U);
  const Exemplar& exemplar = batch.exemplars[0];
  EXPECT_EQ(exemplar.trace_id.IsValid() ? ToHex(exemplar.trace_id) : "", wanted.trace);
  EXPECT_EQ(exemplar.span_id.IsValid() ? ToHex(exemplar.span_id) : "", wanted.span);
  EXPECT_EQ(LabelsOf(exemplar.attributes, batch), wanted.attributes);
}

INSTANTIATE_TEST_SUITE_P(
    Labels, ExemplarIds,
    testing::Values(
        IdCase{.name = "Underscore",
               .labels = {{"trace_id", kTrace}, {"span_id", kSpan}},
               .trace = kTrace,
               .span = kSpan},
        IdCase{.name = "UpperD",
               .labels = {{"traceID", kTrace}, {"spanID", kSpan}},
               .trace = kTrace,
               .span = kSpan},
        IdCase{.name = "Pascal",
               .labels = {{"SpanID", kSpan}, {"TraceID", kTrace}},
               .trace = kTrace,
               .span = kSpan},
        IdCase{.name = "Camel",
               .labels = {{"a", "b"}, {"traceId", kTrace}, {"spanId", kSpan}},
               .trace = kTrace,
               .span = kSpan,
               .attributes = {{"a", "b"}}},
        IdCase{.name = "Configured", .labels = {{"tid", kTrace}}, .trace = kTrace},
        IdCase{.name = "NotConfigured",
               .labels = {{"tid2", kTrace}},
               .attributes = {{"tid2", kTrace}}},
        IdCase{.name = "SixtyFourBits",
               .labels = {{"trace_id", "1234567890abcdef"}},
               .trace = "00000000000000001234567890abcdef"},
        IdCase{.name = "Base64IsRepaired",
               .labels = {{"trace_id", "xBPVtf6jZXMl/2YzIMf9EA=="}},
               .trace = "c413d5b5fea3657325ff663320c7fd10",
               .repaired = true},
        IdCase{.name = "FirstWins",
               .labels = {{"traceId", kTrace}, {"trace_id", "1234567890abcdef"}},
               .trace = kTrace,
               .attributes = {{"trace_id", "1234567890abcdef"}}},
        IdCase{.name = "GoodAfterMisspelt",
               .labels = {{"traceId", "?"}, {"trace_id", kTrace}},
               .trace = kTrace,
               .attributes = {{"traceId", "?"}}},
        IdCase{.name = "None", .labels = {{"order", "7"}}, .attributes = {{"order", "7"}}},
        IdCase{.name = "NoLabels", .labels = {}},
        IdCase{.name = "Empty", .labels = {{"trace_id", ""}}},
        IdCase{.name = "AllZero",
               .labels = {{"trace_id", "00000000000000000000000000000000"}},
               .attributes = {{"trace_id", "00000000000000000000000000000000"}}},
        IdCase{.name = "SaysNone",
               .labels = {{"trace_id", "none"}},
               .attributes = {{"trace_id", "none"}}},
        IdCase{.name = "WrongSize", .labels = {{"trace_id", "abcdef"}}, .rejected = true},
        IdCase{.name = "TwoHundred",
               .labels = {{"trace_id", std::string(200, 'f')}},
               .rejected = true},
        IdCase{
            .name = "NamelessLabel", .labels = {{"", "x"}, {"trace_id", kTrace}}, .rejected = true},
        IdCase{.name = "MisspeltSpanStays",
               .labels = {{"span_id", "none"}, {"trace_id", kTrace}},
               .trace = kTrace,
               .attributes = {{"span_id", "none"}}}),
    [](const auto& param) { return param.param.name; });

TEST(RemoteWrite, ServiceIsStatedByItsLabelsElseByTheJob) {
  const auto service = [](const Pairs& labels) {
    Request1 request;
    prometheus::TimeSeries& series = AddSeries(labels, request);
    AddLabels({{"__name__", "up"}}, *series.mutable_labels());
    AddExemplar({{"trace_id", kTrace}}, 1, kMillis, series);
    Batch batch;
    EXPECT_TRUE(Decode(request, batch));
    return std::string(batch.exemplars.at(0).service);
  };
  EXPECT_EQ(service({}), "");
  EXPECT_EQ(service({{"job", "crane"}}), "crane");
  EXPECT_EQ(service({{"job", "harbour/crane"}}), "crane");
  EXPECT_EQ(service({{"job", "harbour/"}}), "harbour/");
  EXPECT_EQ(service({{"job", "a"}, {"service", "b"}}), "b");
  EXPECT_EQ(service({{"service_name", "c"}, {"job", "a"}, {"service", "b"}}), "c");
  EXPECT_EQ(service({{"job", "a"}, {"service_name", ""}}), "a");
}

TEST(RemoteWrite, BoundsAreOfBucketsOnly) {
  const auto bound = [](const std::string& metric, const std::string& le) -> double {
    Request1 request;
    AddExemplar({{"trace_id", kTrace}}, 1, kMillis,
                AddSeries({{"__name__", metric}, {"le", le}}, request));
    Batch batch;
    EXPECT_TRUE(Decode(request, batch));
    return batch.exemplars.at(0).has_le ? batch.exemplars[0].le : -1;
  };
  EXPECT_EQ(bound("x_bucket", "0.005"), 0.005);
  EXPECT_EQ(bound("x_bucket", "1.0"), 1);
  EXPECT_EQ(bound("x_bucket", "1e+06"), 1e6);
  EXPECT_EQ(bound("x_bucket", "+Inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(bound("x_bucket", "Inf"), std::numeric_limits<double>::infinity());
  for (const char* le : {"", "wide", "NaN", "1 ", " 1", "1x", "+-1", "nan(1)", "0x10", "1e999"}) {
    EXPECT_EQ(bound("x_bucket", le), -1) << le;
  }
  EXPECT_EQ(bound("x", "1"), -1);
}

TEST(RemoteWrite, NativeBucketsGiveBounds) {
  Request1 request;
  prometheus::TimeSeries& series = AddSeries({{"__name__", "x"}}, request);
  prometheus::Histogram& custom = *series.add_histograms();
  custom.set_schema(-53);
  for (const double bound : {0.5, 2.0}) custom.add_custom_values(bound);
  AddExemplar({{"trace_id", kTrace}}, 1, kMillis, series);
  AddExemplar({{"trace_id", kTrace}}, 3, kMillis, series);
  Batch batch;
  ASSERT_TRUE(Decode(request, batch));
  EXPECT_EQ(batch.exemplars.at(0).metric_type, MetricType::kHistogram);
  EXPECT_EQ(batch.exemplars.at(0).le, 2);
  EXPECT_EQ(batch.exemplars.at(1).le, std::numeric_limits<double>::infinity());
  *series.add_histograms() = prometheus::Histogram();  // The last one counts.
  ASSERT_TRUE(Decode(request, batch));
  EXPECT_EQ(batch.exemplars.at(0).metric_type, MetricType::kExponentialHistogram);
  EXPECT_EQ(batch.exemplars.at(0).le, 1);
}

TEST(RemoteWrite, TimesOutsideOfNanosecondsBecomeTheNearest) {
  const std::pair<std::int64_t, std::uint64_t> times[] = {
      {0, 0},
      {1, 1'000'000},
      {-1, 1},
      {std::numeric_limits<std::int64_t>::min(), 1},
      {18'446'744'073'709, 18'446'744'073'709'000'000U},
      {18'446'744'073'710, UINT64_MAX},
      {std::numeric_limits<std::int64_t>::max(), UINT64_MAX}};
  for (const auto& [millis, nanos] : times) {
    Request1 request;
    AddExemplar({{"trace_id", kTrace}}, 1, millis, AddSeries({{"__name__", "up"}}, request));
    Batch batch;
    ASSERT_TRUE(Decode(request, batch));
    EXPECT_EQ(batch.exemplars.at(0).time_unix_ns, nanos) << millis;
  }
}

// Series that share labels share their bytes, and unlinked exemplars leave nothing behind.
TEST(RemoteWrite, RepeatedLabelsAreKeptOnce) {
  Request1 request;
  for (int i = 0; i < 3; ++i) {
    prometheus::TimeSeries& series =
        AddSeries({{"__name__", "up"}, {"instance", std::to_string(i)}, {"job", "crane"}}, request);
    AddExemplar({{"trace_id", kTrace}}, 1, kMillis, series);
    AddExemplar({{"trace_id", kTrace}}, 2, kMillis, series);
  }
  AddExemplar({{"order", "1"}}, 1, kMillis,
              AddSeries({{"__name__", "up"}, {"zone", "1"}}, request));
  Batch batch;
  ASSERT_TRUE(Decode(request, batch));
  ASSERT_EQ(batch.exemplars.size(), 6U);
  EXPECT_EQ(batch.attributes.size(), 6U);
  const auto job = [&batch](std::size_t i) { return batch.Of(batch.exemplars[i].labels)[1].data; };
  EXPECT_EQ(batch.exemplars[0].labels.begin, batch.exemplars[1].labels.begin);
  EXPECT_EQ(job(0), job(2));
  EXPECT_EQ(job(0), job(4));
}

}  // namespace
}  // namespace throughline::exemplars
