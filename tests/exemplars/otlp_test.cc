#include "exemplars/otlp.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "correlate/identity.h"
#include "exemplars/buckets.h"
#include "tests/proto/oracle.h"
#include "tests/proto/samples.h"
#include "tests/proto/truncation.h"

namespace throughline::exemplars {
namespace {

using samples::ExportMetricsServiceRequest;
using samples::Id;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Result<DecodedMetrics> Decode(std::string_view bytes, Batch& batch,
                              const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(bytes);
  return DecodeOtlp(batch.body.view(), options, batch);
}

TEST(DecodeOtlpMetrics, AgreesWithTheOfficialClasses) {
  EXPECT_TRUE(oracle::CompareMetrics(""));
  EXPECT_TRUE(oracle::CompareMetrics(samples::Metrics().SerializeAsString()));
  EXPECT_TRUE(oracle::CompareMetrics(samples::Gauges().SerializeAsString()));
}

TEST(DecodeOtlpMetrics, ReadsTheSample) {
  Batch batch;
  const auto decoded = Decode(samples::Metrics().SerializeAsString(), batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->data_points, 7U);
  const Decoded& counts = decoded->exemplars;
  EXPECT_EQ(counts.received, 25U);
  EXPECT_EQ(counts.accepted, 15U);
  EXPECT_EQ(counts.unlinked, 5U);
  EXPECT_EQ(counts.rejected, 5U);
  EXPECT_EQ(counts.repaired, 5U);
  EXPECT_EQ(counts.first_rejection,
            "exemplar 3: trace_id has 7 bytes, want 16; exemplar 8: trace_id has 7 bytes, want 16; "
            "exemplar 13: trace_id has 7 bytes, want 16");
  ASSERT_EQ(batch.exemplars.size(), 15U);
  const Exemplar& gauge = batch.exemplars[0];
  EXPECT_EQ(gauge.metric, "depth");
  EXPECT_EQ(gauge.metric_type, MetricType::kGauge);
  EXPECT_EQ(gauge.service, "harbour");
  EXPECT_EQ(gauge.value(), 0.25);
  EXPECT_FALSE(gauge.has_le);
  EXPECT_EQ(gauge.labels.count, 15U);
  EXPECT_EQ(batch.Of(gauge.attributes)[0].key(), "user");
  EXPECT_TRUE(batch.exemplars[1].is_integer);
  EXPECT_EQ(batch.exemplars[1].integer, -7);
  const Exemplar& histogram = batch.exemplars[6];
  EXPECT_EQ(histogram.unit, "s");
  EXPECT_TRUE(histogram.has_le);
  EXPECT_EQ(histogram.le, 0.25);
  EXPECT_FALSE(batch.exemplars[9].has_le);  // No buckets.
  EXPECT_TRUE(batch.exemplars[12].has_le);
}

TEST(DecodeOtlpMetrics, TruncationAtEveryByteAgrees) {
  for (const std::string& bytes :
       {samples::Metrics().SerializeAsString(), samples::Gauges().SerializeAsString()}) {
    std::size_t refused = 0;
    samples::ForEachPrefix(bytes, [&](std::string_view prefix) {
      if (oracle::CompareMetrics(prefix)) return;
      ++refused;
      Batch batch;
      EXPECT_FALSE(DecodeOtlp(prefix, oracle::ComparedOptions(), batch)) << prefix.size();
    });
    EXPECT_EQ(refused, bytes.size() - 1);
  }
}

TEST(DecodeOtlpMetrics, KeepsThePointsOfNamedGauges) {
  Batch batch;
  const std::string bytes = samples::Gauges().SerializeAsString();
  const auto none = Decode(bytes, batch);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->gauge_points, 0U);
  EXPECT_EQ(none->data_points, 10U);
  EXPECT_TRUE(batch.gauges.empty());

  const auto decoded = Decode(bytes, batch, {.hash_seed = 7, .gauges = {"k8s.pod.cpu.*"}});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->gauge_points, 3U);
  EXPECT_EQ(decoded->data_points, 7U);
  EXPECT_EQ(decoded->exemplars.received, none->exemplars.received);
  ASSERT_EQ(batch.gauges.size(), 3U);
  const GaugePoint& usage = batch.gauges[0];
  EXPECT_EQ(usage.metric, "k8s.pod.cpu.usage");
  EXPECT_EQ(usage.unit, "{cpu}");
  EXPECT_EQ(usage.value, 0.25);
  EXPECT_EQ(usage.metric_type, MetricType::kGauge);
  EXPECT_EQ(usage.service, "harbour");
  EXPECT_EQ(batch.Of(usage.labels)[0].key(), "berth");
  EXPECT_EQ(usage.identity, IdentityOf(usage, batch, 7));
  EXPECT_EQ(batch.gauges[1].value, -4);
  EXPECT_EQ(batch.gauges[2].metric, "k8s_pod_cpu_time_seconds_total");
  EXPECT_EQ(batch.gauges[2].metric_type, MetricType::kSum);
}

TEST(DecodeOtlpMetrics, GaugePointsOfARequestAreBounded) {
  ExportMetricsServiceRequest request;
  auto& metric = *request.add_resource_metrics()->add_scope_metrics()->add_metrics();
  metric.set_name("a");
  for (std::uint64_t time = 1; time <= 3; ++time) {
    auto& point = *metric.mutable_gauge()->add_data_points();
    point.set_as_int(1);
    point.set_time_unix_nano(time);
  }
  Batch batch;
  const std::string bytes = request.SerializeAsString();
  EXPECT_TRUE(Decode(bytes, batch, {.records_per_request = 3, .gauges = {"*"}}));
  const auto decoded = Decode(bytes, batch, {.records_per_request = 2, .gauges = {"*"}});
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
}

TEST(DecodeOtlpMetrics, TooManyLabelsCostTheGaugePoint) {
  ExportMetricsServiceRequest request;
  auto& metric = *request.add_resource_metrics()->add_scope_metrics()->add_metrics();
  metric.set_name("a");
  for (const int labels : {3, 1}) {
    auto& point = *metric.mutable_gauge()->add_data_points();
    point.set_as_int(labels);
    point.set_time_unix_nano(1);
    for (int i = 0; i < labels; ++i) point.add_attributes()->set_key("k");
  }
  Batch batch;
  const auto decoded =
      Decode(request.SerializeAsString(), batch, {.attributes_per_record = 2, .gauges = {"a"}});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->gauge_points, 1U);
  EXPECT_EQ(decoded->data_points, 1U);
  EXPECT_EQ(batch.gauges[0].value, 1);
}

// The temporality of a sum may stand behind its points, or in another part of the message.
TEST(DecodeOtlpMetrics, ASumSentInPartsIsOne) {
  opentelemetry::proto::metrics::v1::Metric points;
  points.set_name("a");
  auto& point = *points.mutable_sum()->add_data_points();
  point.set_as_int(1);
  point.set_time_unix_nano(1);
  opentelemetry::proto::metrics::v1::Metric delta;
  delta.mutable_sum()->set_aggregation_temporality(
      opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_DELTA);
  const auto kept = [](const std::string& metric) {
    ExportMetricsServiceRequest request;
    const bool parsed =
        request.add_resource_metrics()->add_scope_metrics()->add_metrics()->ParseFromString(metric);
    EXPECT_TRUE(parsed);
    std::string bytes = metric;
    for (const char tag : {'\x12', '\x12', '\x0a'}) {
      std::string outer(1, tag);
      AppendVarint(bytes.size(), outer);
      bytes = outer + bytes;
    }
    Batch batch;
    return Decode(bytes, batch, {.gauges = {"a"}})->gauge_points;
  };
  EXPECT_EQ(kept(points.SerializeAsString()), 1U);
  EXPECT_EQ(kept(points.SerializeAsString() + delta.SerializeAsString()), 0U);
  EXPECT_EQ(kept(delta.SerializeAsString() + points.SerializeAsString()), 0U);
}

// The scope behind its records: the request is read twice.
TEST(DecodeOtlpMetrics, AScopeThatComesLateDoublesNoGauge) {
  auto request = samples::Gauges();
  auto& group = *request.mutable_resource_metrics(0)->mutable_scope_metrics(0);
  opentelemetry::proto::metrics::v1::ScopeMetrics scope;
  scope.mutable_scope()->set_name("late");
  std::string inner = group.SerializeAsString() + scope.SerializeAsString();
  for (const char tag : {'\x12', '\x0a'}) {
    std::string outer(1, tag);
    AppendVarint(inner.size(), outer);
    inner = outer + inner;
  }
  Batch batch;
  const auto decoded = Decode(inner, batch, {.gauges = {"k8s.pod.cpu.*"}});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->gauge_points, 3U);
  EXPECT_EQ(batch.gauges.size(), 3U);
}

// The last kind of data counts, and parts of the same kind are one.
TEST(DecodeOtlpMetrics, DataIsAOneof) {
  opentelemetry::proto::metrics::v1::Metric gauge;
  auto& exemplar = *gauge.mutable_gauge()->add_data_points()->add_exemplars();
  exemplar.set_trace_id(Id(16));
  exemplar.set_as_int(1);
  opentelemetry::proto::metrics::v1::Metric sum;
  *sum.mutable_sum()->add_data_points()->add_exemplars() = exemplar;
  const auto request_of = [](std::string bytes) {
    for (const char tag : {'\x12', '\x12', '\x0a'}) {
      std::string outer(1, tag);
      AppendVarint(bytes.size(), outer);
      bytes = outer + bytes;
    }
    return bytes;
  };
  const std::string g = gauge.SerializeAsString();
  const std::string s = sum.SerializeAsString();
  const auto accepted = [&](const std::string& metric) {
    EXPECT_TRUE(oracle::CompareMetrics(request_of(metric)));
    Batch batch;
    return Decode(request_of(metric), batch)->exemplars.accepted;
  };
  EXPECT_EQ(accepted(g), 1U);
  EXPECT_EQ(accepted(g + g), 2U);
  EXPECT_EQ(accepted(g + s), 1U);
  EXPECT_EQ(accepted(g + s + g + g), 2U);
}

TEST(DecodeOtlpMetrics, ExemplarsOfARequestAreBounded) {
  const std::string bytes = samples::Metrics().SerializeAsString();
  Batch batch;
  EXPECT_TRUE(Decode(bytes, batch, {.records_per_request = 25}));
  const auto decoded = Decode(bytes, batch, {.records_per_request = 24});
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kTooLarge);
}

TEST(DecodeOtlpMetrics, TooManyLabelsCostTheExemplarsOfTheirPoint) {
  ExportMetricsServiceRequest request;
  auto& gauge =
      *request.add_resource_metrics()->add_scope_metrics()->add_metrics()->mutable_gauge();
  for (const int labels : {2, 3, 1}) {
    auto& point = *gauge.add_data_points();
    for (int i = 0; i < labels; ++i) point.add_attributes()->set_key("k");
    point.add_exemplars()->set_trace_id(Id(16));
  }
  Batch batch;
  const auto decoded = Decode(request.SerializeAsString(), batch, {.attributes_per_record = 2});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->exemplars.accepted, 2U);
  EXPECT_EQ(decoded->exemplars.first_rejection, "exemplar 1: more than 2 attributes");
}

TEST(DecodeOtlpMetrics, UnlinkedExemplarsAreKeptWhereAsked) {
  ExportMetricsServiceRequest request;
  auto& metric = *request.add_resource_metrics()->add_scope_metrics()->add_metrics();
  metric.mutable_sum()->add_data_points()->add_exemplars()->set_as_double(1);
  Batch batch;
  EXPECT_EQ(Decode(request.SerializeAsString(), batch)->exemplars.unlinked, 1U);
  EXPECT_TRUE(batch.exemplars.empty());
  EXPECT_EQ(Decode(request.SerializeAsString(), batch, {.keep_unlinked = true})->exemplars.unlinked,
            1U);
  EXPECT_EQ(batch.exemplars.size(), 1U);
}

TEST(ExplicitBound, IsTheBucketsUpperEnd) {
  const double bounds[] = {-1, 0.5, 10};
  EXPECT_EQ(ExplicitBound(bounds, 4, -5), -1);
  EXPECT_EQ(ExplicitBound(bounds, 4, -1), -1);
  EXPECT_EQ(ExplicitBound(bounds, 4, 0.5), 0.5);
  EXPECT_EQ(ExplicitBound(bounds, 4, 0.6), 10);
  EXPECT_EQ(ExplicitBound(bounds, 4, 11), kInfinity);
  EXPECT_EQ(ExplicitBound({}, 1, 11), kInfinity);
}

TEST(ExplicitBound, NeedsBucketsThatMakeSense) {
  const double bounds[] = {-1, 0.5, 10};
  const double falling[] = {2, 1};
  const double odd[] = {kNaN};
  EXPECT_FALSE(ExplicitBound(bounds, 3, 1));
  EXPECT_FALSE(ExplicitBound(bounds, 0, 1));
  EXPECT_FALSE(ExplicitBound({}, 0, 1));
  EXPECT_FALSE(ExplicitBound(bounds, 4, kNaN));
  EXPECT_FALSE(ExplicitBound(falling, 3, 1));
  EXPECT_FALSE(ExplicitBound(odd, 2, 1));
}

TEST(ExponentialBound, FollowsTheDefinition) {
  EXPECT_EQ(ExponentialBound(0, 0, 1.0), 1);  // (0.5, 1]
  EXPECT_EQ(ExponentialBound(0, 0, 1.5), 2);
  EXPECT_EQ(ExponentialBound(0, 0, 2.0), 2);
  EXPECT_EQ(ExponentialBound(0, 0, 2.1), 4);
  EXPECT_EQ(ExponentialBound(-1, 0, 2.1), 4);  // (1, 4]
  EXPECT_EQ(ExponentialBound(-1, 0, 0.3), 1);  // (0.25, 1]
  EXPECT_EQ(ExponentialBound(-2, 0, 17), 256);
  EXPECT_EQ(ExponentialBound(-20, 0, 5), kInfinity);
  EXPECT_EQ(ExponentialBound(-20, 0, 0.5), 1);
  EXPECT_DOUBLE_EQ(ExponentialBound(1, 0, 1.1).value(), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(ExponentialBound(3, 0, 4.0).value(), 4);
  EXPECT_EQ(ExponentialBound(0, 0.01, 0.005), 0.01);
  EXPECT_EQ(ExponentialBound(0, 0.01, -0.01), 0.01);
  EXPECT_EQ(ExponentialBound(5, 0, 0), 0);
  EXPECT_EQ(ExponentialBound(0, 0, -1.5), -1);  // [-2, -1)
  EXPECT_EQ(ExponentialBound(0, 0, -2.0), -1);
  EXPECT_EQ(ExponentialBound(0, 0, 1e308), kInfinity);
  EXPECT_FALSE(ExponentialBound(0, 0, kNaN));
  EXPECT_FALSE(ExponentialBound(0, 0, kInfinity));
}

TEST(ExponentialBound, HoldsAtEveryScale) {
  for (int scale = -11; scale <= 20; ++scale) {
    for (double value = 1e-300; value < 1e300; value *= 7.3) {
      const double bound = ExponentialBound(scale, 0, value).value();
      EXPECT_GE(bound, value) << scale;
      if (scale < 0) continue;
      EXPECT_LE(bound, value * std::exp2(std::exp2(-scale)) * (1 + 1e-9)) << scale;
    }
  }
  EXPECT_GE(ExponentialBound(std::numeric_limits<std::int32_t>::max(), 0, 3).value(), 3);
  EXPECT_EQ(ExponentialBound(std::numeric_limits<std::int32_t>::min(), 0, 3), kInfinity);
}

}  // namespace
}  // namespace throughline::exemplars
