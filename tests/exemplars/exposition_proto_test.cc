#include "exemplars/exposition_proto.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/attribute.h"
#include "prometheus/client.pb.h"
#include "tests/proto/prometheus/exposition_oracle.h"
#include "tests/proto/truncation.h"

namespace throughline::exemplars {
namespace {

namespace client = io::prometheus::client;

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string Delimited(const std::string& message) {
  std::string out;
  AppendVarint(message.size(), out);
  return out + message;
}

void AddLabel(const std::string& name, const std::string& value,
              google::protobuf::RepeatedPtrField<client::LabelPair>& labels) {
  client::LabelPair& label = *labels.Add();
  label.set_name(name);
  label.set_value(value);
}

void Fill(client::Exemplar& exemplar, double value) {
  AddLabel("trace_id", kTrace, *exemplar.mutable_label());
  AddLabel("span_id", kSpan, *exemplar.mutable_label());
  AddLabel("user", "ann", *exemplar.mutable_label());
  exemplar.set_value(value);
  exemplar.mutable_timestamp()->set_seconds(1'700'000'000);
  exemplar.mutable_timestamp()->set_nanos(123'456'789);
}

// A counter, a histogram with buckets of both kinds, and what has no exemplars.
std::string Sample() {
  client::MetricFamily counter;
  counter.set_name("orders_total");
  counter.set_unit("orders");
  client::Metric& orders = *counter.add_metric();
  AddLabel("kind", "a", *orders.mutable_label());
  Fill(*orders.mutable_counter()->mutable_exemplar(), 1);
  counter.add_metric()->mutable_counter();
  client::MetricFamily histogram;
  histogram.set_name("rpc_seconds");
  histogram.set_type(4);
  client::Metric& rpc = *histogram.add_metric();
  AddLabel("method", "Get", *rpc.mutable_label());
  rpc.mutable_histogram()->set_schema(0);
  for (const double bound : {0.5, 1.0, kInfinity}) {
    client::Bucket& bucket = *rpc.mutable_histogram()->add_bucket();
    bucket.set_upper_bound(bound);
    if (bound != 0.5) Fill(*bucket.mutable_exemplar(), bound == 1 ? 0.75 : 9);
  }
  Fill(*rpc.mutable_histogram()->add_exemplars(), 3);
  client::MetricFamily others;
  others.set_name("others");
  others.add_metric()->mutable_gauge()->set_value(1);
  others.add_metric()->mutable_untyped()->set_value(1);
  others.add_metric()->mutable_summary()->add_quantile();
  return Delimited(counter.SerializeAsString()) + Delimited(histogram.SerializeAsString()) +
         Delimited(others.SerializeAsString());
}

Result<DecodedExposition> Decode(std::string_view bytes, Batch& batch,
                                 const ScrapeTarget& target = {},
                                 const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(bytes);
  EXPECT_TRUE(oracle::CompareExposition(bytes));
  return DecodeExpositionProto(batch.body.view(), target, options, batch);
}

Pairs LabelsOf(Range range, const Batch& batch) {
  Pairs pairs;
  for (const Attribute& attribute : batch.Of(range)) {
    pairs.emplace_back(attribute.key(), StringOf(attribute.value()));
  }
  return pairs;
}

TEST(ExpositionProto, ReadsTheSample) {
  Batch batch;
  const auto decoded = Decode(Sample(), batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->samples, 2U + 5U + 2U + 3U);
  EXPECT_EQ(decoded->exemplars.accepted, 4U);
  ASSERT_EQ(batch.exemplars.size(), 4U);

  const Exemplar& counter = batch.exemplars[0];
  EXPECT_EQ(counter.metric, "orders_total");
  EXPECT_EQ(counter.metric_type, MetricType::kSum);
  EXPECT_EQ(counter.unit, "orders");
  EXPECT_EQ(ToHex(counter.trace_id), kTrace);
  EXPECT_EQ(ToHex(counter.span_id), kSpan);
  EXPECT_EQ(counter.time_unix_ns, 1'700'000'000'123'456'789U);
  EXPECT_EQ(LabelsOf(counter.labels, batch), (Pairs{{"kind", "a"}}));
  EXPECT_EQ(LabelsOf(counter.attributes, batch), (Pairs{{"user", "ann"}}));

  const Exemplar& bucket = batch.exemplars[1];
  EXPECT_EQ(bucket.metric, "rpc_seconds_bucket");
  EXPECT_EQ(bucket.metric_type, MetricType::kHistogram);
  EXPECT_EQ(bucket.le, 1);
  EXPECT_EQ(LabelsOf(bucket.labels, batch), (Pairs{{"method", "Get"}, {"le", "1.0"}}));
  EXPECT_EQ(LabelsOf(batch.exemplars[2].labels, batch), (Pairs{{"method", "Get"}, {"le", "+Inf"}}));
  EXPECT_EQ(batch.exemplars[2].le, kInfinity);

  const Exemplar& native = batch.exemplars[3];
  EXPECT_EQ(native.metric, "rpc_seconds");
  EXPECT_EQ(native.metric_type, MetricType::kExponentialHistogram);
  EXPECT_EQ(native.le, 4);
  EXPECT_EQ(LabelsOf(native.labels, batch), (Pairs{{"method", "Get"}}));
}

TEST(ExpositionProto, BoundsAreSpeltAsInOpenMetrics) {
  const std::pair<double, const char*> bounds[] = {{0.005, "0.005"},     {1, "1.0"},
                                                   {10, "10.0"},         {100'000, "100000.0"},
                                                   {1'000'000, "1e+06"}, {1234567, "1.234567e+06"},
                                                   {0.0001, "0.0001"},   {0.00001, "1e-05"},
                                                   {-2.5, "-2.5"},       {0, "0.0"},
                                                   {-kInfinity, "-Inf"}};
  for (const auto& [bound, text] : bounds) {
    client::MetricFamily family;
    family.set_name("x");
    client::Bucket& bucket = *family.add_metric()->mutable_histogram()->add_bucket();
    bucket.set_upper_bound(bound);
    Fill(*bucket.mutable_exemplar(), 1);
    Batch batch;
    ASSERT_TRUE(Decode(Delimited(family.SerializeAsString()), batch));
    EXPECT_EQ(LabelsOf(batch.exemplars.at(0).labels, batch), (Pairs{{"le", text}}));
    EXPECT_EQ(batch.exemplars.at(0).le, bound);
  }
}

TEST(ExpositionProto, TruncationAtEveryByteAgrees) {
  samples::ForEachPrefix(Sample(), [](std::string_view prefix) {
    if (oracle::CompareExposition(prefix)) return;
    Batch batch;
    EXPECT_FALSE(DecodeExpositionProto(prefix, {}, {}, batch)) << prefix.size();
  });
}

TEST(ExpositionProto, SaysWhereItIsBroken) {
  Batch batch;
  const auto truncated = DecodeExpositionProto(std::string_view("\x05\x0a", 2), {}, {}, batch);
  ASSERT_FALSE(truncated);
  EXPECT_EQ(truncated.error().message, "byte 0: length runs past the end");
  const auto text = DecodeExpositionProto(std::string_view("\x03\x0a\x01\xff", 4), {}, {}, batch);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "byte 1: field 1: text is not UTF-8");
}

// A message field that is not repeated, sent in parts, is one.
TEST(ExpositionProto, PartsAreMerged) {
  client::MetricFamily first;
  first.set_name("x_total");
  client::Metric& metric = *first.add_metric();
  AddLabel("trace_id", kTrace, *metric.mutable_counter()->mutable_exemplar()->mutable_label());
  client::Metric second;
  second.mutable_counter()->mutable_exemplar()->set_value(7);
  second.mutable_counter()->mutable_exemplar()->mutable_timestamp()->set_seconds(5);
  client::Metric third;
  third.mutable_counter()->mutable_exemplar()->mutable_timestamp()->set_nanos(6);
  const std::string merged =
      metric.SerializeAsString() + second.SerializeAsString() + third.SerializeAsString();
  first.clear_metric();
  std::string family = first.SerializeAsString();
  family += '\x22';
  family += Delimited(merged);
  Batch batch;
  const auto decoded = Decode(Delimited(family), batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->samples, 1U);
  ASSERT_EQ(batch.exemplars.size(), 1U);
  EXPECT_EQ(batch.exemplars[0].number, 7);
  EXPECT_EQ(batch.exemplars[0].time_unix_ns, 5'000'000'006U);
}

TEST(ExpositionProto, TimesOutsideOfNanosecondsBecomeTheNearest) {
  struct Time {
    std::int64_t seconds;
    std::int32_t nanos;
    std::uint64_t unix_ns;
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  for (const Time& time : {Time{0, 0, 0}, Time{1, -1, 999'999'999}, Time{-1, 0, 1}, Time{0, -1, 1},
                           Time{kMost, 0, UINT64_MAX}, Time{-kMost, 5, 1},
                           Time{18'446'744'073, 709'551'615, UINT64_MAX},
                           Time{18'446'744'073, 709'551'616, UINT64_MAX}}) {
    client::MetricFamily family;
    family.set_name("x_total");
    client::Exemplar& exemplar = *family.add_metric()->mutable_counter()->mutable_exemplar();
    Fill(exemplar, 1);
    exemplar.mutable_timestamp()->set_seconds(time.seconds);
    exemplar.mutable_timestamp()->set_nanos(time.nanos);
    Batch batch;
    ASSERT_TRUE(Decode(Delimited(family.SerializeAsString()), batch));
    EXPECT_EQ(batch.exemplars.at(0).time_unix_ns, time.unix_ns) << time.seconds;
  }
}

TEST(ExpositionProto, ASeriesThatIsNoneCostsItsExemplars) {
  client::MetricFamily family;
  family.set_name("x_total");
  for (const bool twice : {true, false}) {
    client::Metric& metric = *family.add_metric();
    AddLabel("job", "a", *metric.mutable_label());
    if (twice) AddLabel("job", "a", *metric.mutable_label());
    Fill(*metric.mutable_counter()->mutable_exemplar(), 1);
  }
  Batch batch;
  const auto decoded = Decode(Delimited(family.SerializeAsString()), batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->exemplars.accepted, 1U);
  EXPECT_EQ(decoded->exemplars.first_rejection, "exemplar 0: two labels have the same name");
}

TEST(ExpositionProto, LimitsHold) {
  Batch batch;
  EXPECT_TRUE(Decode(Sample(), batch, {}, {.records_per_request = 4}));
  const auto decoded = Decode(Sample(), batch, {}, {.records_per_request = 3});
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
  EXPECT_EQ(Decode(Sample(), batch, {}, {.attributes_per_record = 3})->exemplars.rejected, 0U);
  EXPECT_EQ(Decode(Sample(), batch, {}, {.attributes_per_record = 2})->exemplars.rejected, 4U);
}

// A gauge, one without a type, a counter, and a gauge that has a time and is no number.
std::string Gauges() {
  client::MetricFamily family;
  family.set_name("process_cpu_use");
  family.set_unit("ratio");
  client::Metric& gauge = *family.add_metric();
  AddLabel("job", "own", *gauge.mutable_label());
  gauge.mutable_gauge()->set_value(0.5);
  gauge.set_timestamp_ms(1'500);
  family.add_metric()->mutable_untyped()->set_value(2);
  family.add_metric()->mutable_counter()->set_value(3);
  family.add_metric()->mutable_gauge()->set_value(std::numeric_limits<double>::quiet_NaN());
  client::MetricFamily other;
  other.set_name("width");
  other.add_metric()->mutable_gauge()->set_value(4);
  return Delimited(family.SerializeAsString()) + Delimited(other.SerializeAsString());
}

TEST(ExpositionProto, NamedGaugesAreKept) {
  const Label labels[] = {{"job", "crane"}, {"instance", "10.0.0.7:80"}};
  const DecodeOptions options = {.hash_seed = 7, .gauges = {"process.cpu.*"}};
  const ScrapeTarget target = {.labels = labels, .time_unix_ns = 1'700'000'000'000'000'000};
  Batch batch;
  const auto decoded = Decode(Gauges(), batch, target, options);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->samples, 5U);
  EXPECT_EQ(decoded->gauge_points, 3U);
  ASSERT_EQ(batch.gauges.size(), 3U);
  const GaugePoint& gauge = batch.gauges[0];
  EXPECT_EQ(gauge.metric, "process_cpu_use");
  EXPECT_EQ(gauge.metric_type, MetricType::kGauge);
  EXPECT_EQ(gauge.unit, "ratio");
  EXPECT_EQ(gauge.service, "crane");
  EXPECT_EQ(gauge.value, 0.5);
  EXPECT_EQ(gauge.time_unix_ns, 1'500'000'000U) << "its own";
  EXPECT_EQ(LabelsOf(gauge.labels, batch),
            (Pairs{{"exported_job", "own"}, {"job", "crane"}, {"instance", "10.0.0.7:80"}}));
  EXPECT_EQ(batch.gauges[1].metric_type, MetricType::kUnknown);
  EXPECT_EQ(batch.gauges[1].value, 2);
  EXPECT_EQ(batch.gauges[1].time_unix_ns, target.time_unix_ns);
  EXPECT_EQ(batch.gauges[2].metric_type, MetricType::kSum);
  EXPECT_EQ(batch.gauges[2].value, 3);
  EXPECT_EQ(Decode(Gauges(), batch, target)->gauge_points, 0U);
  EXPECT_EQ(Decode(Gauges(), batch, {}, options)->gauge_points, 1U) << "without a time";
  EXPECT_TRUE(
      Decode(Gauges(), batch, target, {.records_per_request = 3, .gauges = {"process.cpu.*"}}));
  EXPECT_EQ(Decode(Gauges(), batch, target, {.records_per_request = 2, .gauges = {"process.cpu.*"}})
                .error()
                .code,
            Errc::kTooLarge);
}

TEST(ExpositionProto, GaugesInPartsAreMerged) {
  client::MetricFamily first;
  first.set_name("process_cpu_use");
  std::string family = first.SerializeAsString();
  client::Metric one;
  one.mutable_gauge()->set_value(1);
  client::Metric two;
  two.mutable_gauge()->set_value(2);
  family += '"';
  family += Delimited(one.SerializeAsString() + two.SerializeAsString());
  Batch batch;
  const auto decoded = Decode(Delimited(family), batch, {.time_unix_ns = 5}, {.gauges = {"*"}});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->samples, 1U);
  ASSERT_EQ(batch.gauges.size(), 1U);
  EXPECT_EQ(batch.gauges[0].value, 2);
}

TEST(ExpositionProto, TheTargetsLabelsAreAddedToEachSeries) {
  const Label labels[] = {{"job", "crane"}, {"method", "scrape"}};
  Batch batch;
  ASSERT_TRUE(Decode(Sample(), batch, {.labels = labels}));
  EXPECT_EQ(LabelsOf(batch.exemplars.at(0).labels, batch),
            (Pairs{{"kind", "a"}, {"job", "crane"}, {"method", "scrape"}}));
  for (const std::size_t bucket : {1U, 2U}) {
    EXPECT_EQ(LabelsOf(batch.exemplars.at(bucket).labels, batch),
              (Pairs{{"exported_method", "Get"},
                     {"le", bucket == 1 ? "1.0" : "+Inf"},
                     {"job", "crane"},
                     {"method", "scrape"}}));
  }
  EXPECT_EQ(LabelsOf(batch.exemplars.at(3).labels, batch),
            (Pairs{{"exported_method", "Get"}, {"job", "crane"}, {"method", "scrape"}}));
  EXPECT_EQ(batch.exemplars.at(3).service, "crane");
}

}  // namespace
}  // namespace throughline::exemplars
