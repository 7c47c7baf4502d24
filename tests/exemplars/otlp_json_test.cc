#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "exemplars/otlp.h"
#include "tests/proto/official_json.h"
#include "tests/proto/samples.h"

namespace throughline::exemplars {
namespace {

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kIds =
    R"("traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331")";

Result<DecodedMetrics> Decode(std::string_view text, Batch& batch,
                              const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(text);
  return DecodeOtlpJson(batch.body.view(), options, batch);
}

std::string Request(const std::string& metrics) {
  return R"({"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name",)"
         R"("value":{"stringValue":"crane"}}]},"scopeMetrics":[{"metrics":[)" +
         metrics + "]}]}]}";
}

// A metric of one data point.
std::string Metric(const std::string& type, const std::string& point) {
  return R"({"name":"load.duration","unit":"s",")" + type + R"(":{"dataPoints":[{)" + point +
         "}]}}";
}

std::string Exemplars(const std::string& value) {
  return std::string(R"("exemplars":[{)") + kIds + "," + value + "}]";
}

TEST(DecodeOtlpJson, ReadsAllFields) {
  Batch batch;
  const auto decoded =
      Decode(Request(Metric(
                 "histogram",
                 R"("attributes":[{"key":"berth","value":{"intValue":"3"}}],)"
                 R"("explicitBounds":[0.25,1],"bucketCounts":["1",2,"3"],"exemplars":[{)" +
                     std::string(kIds) +
                     R"(,"timeUnixNano":"1700000000000000001","asDouble":0.5,)"
                     R"("filteredAttributes":[{"key":"user","value":{"stringValue":"ann"}}]}])")),
             batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->data_points, 1U);
  EXPECT_EQ(decoded->exemplars.accepted, 1U);
  ASSERT_EQ(batch.exemplars.size(), 1U);
  const Exemplar& exemplar = batch.exemplars[0];
  EXPECT_EQ(ToHex(exemplar.trace_id), kTrace);
  EXPECT_EQ(ToHex(exemplar.span_id), "b7ad6b7169203331");
  EXPECT_EQ(exemplar.time_unix_ns, 1700000000000000001U);
  EXPECT_FALSE(exemplar.is_integer);
  EXPECT_EQ(exemplar.number, 0.5);
  EXPECT_TRUE(exemplar.has_le);
  EXPECT_EQ(exemplar.le, 1.0);
  EXPECT_EQ(exemplar.metric, "load.duration");
  EXPECT_EQ(exemplar.unit, "s");
  EXPECT_EQ(exemplar.metric_type, MetricType::kHistogram);
  EXPECT_EQ(exemplar.service, "crane");
  EXPECT_EQ(batch.Of(exemplar.labels)[0].key(), "berth");
  EXPECT_EQ(batch.Of(exemplar.attributes)[0].key(), "user");
}

TEST(DecodeOtlpJson, AgreesWithProtobuf) {
  const auto message = samples::Metrics();
  DecodeOptions options;
  options.hash_seed = 7;
  options.keep_unlinked = true;
  const std::string bytes = message.SerializeAsString();
  Batch of_bytes;
  const auto from_bytes = DecodeOtlp(bytes, options, of_bytes);
  Batch of_json;
  const auto from_json = Decode(samples::OfficialJson(message), of_json, options);
  ASSERT_TRUE(from_bytes);
  ASSERT_TRUE(from_json) << from_json.error().message;
  EXPECT_EQ(from_json->data_points, from_bytes->data_points);
  EXPECT_EQ(from_json->exemplars.received, from_bytes->exemplars.received);
  EXPECT_EQ(from_json->exemplars.accepted, from_bytes->exemplars.accepted);
  EXPECT_EQ(from_json->exemplars.rejected, from_bytes->exemplars.rejected);
  EXPECT_EQ(from_json->exemplars.unlinked, from_bytes->exemplars.unlinked);
  ASSERT_EQ(of_json.exemplars.size(), of_bytes.exemplars.size());
  for (std::size_t i = 0; i < of_json.exemplars.size(); ++i) {
    const Exemplar& a = of_json.exemplars[i];
    const Exemplar& b = of_bytes.exemplars[i];
    EXPECT_EQ(a.identity, b.identity) << i;
    EXPECT_EQ(a.metric_type, b.metric_type) << i;
    EXPECT_EQ(a.has_le, b.has_le) << i;
    EXPECT_EQ(a.le, b.le) << i;
    EXPECT_EQ(a.unit, b.unit) << i;
    EXPECT_EQ(a.attributes.count, b.attributes.count) << i;
  }
}

TEST(DecodeOtlpJson, GaugesAgreeWithProtobuf) {
  const auto message = samples::Gauges();
  const DecodeOptions options = {.hash_seed = 7, .gauges = {"k8s.pod.cpu.*"}};
  const std::string bytes = message.SerializeAsString();
  Batch of_bytes;
  const auto from_bytes = DecodeOtlp(bytes, options, of_bytes);
  Batch of_json;
  const auto from_json = Decode(samples::OfficialJson(message), of_json, options);
  ASSERT_TRUE(from_bytes);
  ASSERT_TRUE(from_json) << from_json.error().message;
  EXPECT_EQ(from_json->data_points, from_bytes->data_points);
  EXPECT_EQ(from_json->gauge_points, from_bytes->gauge_points);
  EXPECT_EQ(from_json->exemplars.received, from_bytes->exemplars.received);
  ASSERT_EQ(of_json.gauges.size(), of_bytes.gauges.size());
  for (std::size_t i = 0; i < of_json.gauges.size(); ++i) {
    const GaugePoint& a = of_json.gauges[i];
    const GaugePoint& b = of_bytes.gauges[i];
    EXPECT_EQ(a.identity, b.identity) << i;
    EXPECT_EQ(a.time_unix_ns, b.time_unix_ns) << i;
    EXPECT_EQ(a.value, b.value) << i;
    EXPECT_EQ(a.metric_type, b.metric_type) << i;
    EXPECT_EQ(a.unit, b.unit) << i;
  }
}

TEST(DecodeOtlpJson, GaugesThatAreKept) {
  struct Case {
    const char* name;
    const char* type;
    const char* data;  // Beside the points.
    const char* point;
    std::size_t kept;
    std::size_t passed_by;
  };
  const Case cases[] = {
      {"integer", "gauge", "", R"("timeUnixNano":"5","asInt":"-3")", 1, 0},
      {"double", "gauge", "", R"("timeUnixNano":5,"asDouble":0.5)", 1, 0},
      {"no value", "gauge", "", R"("timeUnixNano":"5")", 0, 1},
      {"null value", "gauge", "", R"("timeUnixNano":"5","asInt":null)", 0, 1},
      {"no time", "gauge", "", R"("asInt":"1")", 0, 1},
      {"NaN", "gauge", "", R"("timeUnixNano":"5","asDouble":"NaN")", 0, 1},
      {"flagged", "gauge", "", R"("timeUnixNano":"5","asInt":"1","flags":1)", 0, 1},
      {"sum", "sum", R"("aggregationTemporality":2,)", R"("timeUnixNano":"5","asInt":"1")", 1, 0},
      {"sum by name", "sum", R"("aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE",)",
       R"("timeUnixNano":"5","asInt":"1")", 1, 0},
      {"delta", "sum", R"("aggregationTemporality":1,)", R"("timeUnixNano":"5","asInt":"1")", 0, 1},
      {"delta by name", "sum", R"("aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA",)",
       R"("timeUnixNano":"5","asInt":"1")", 0, 1},
      {"histogram", "histogram", "", R"("timeUnixNano":"5","count":"1")", 0, 1},
      {"summary", "summary", "", R"("timeUnixNano":"5","count":"1")", 0, 1},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    Batch batch;
    const std::string metric = std::string(R"({"name":"process.cpu.x",")") + test.type + R"(":{)" +
                               test.data + R"("dataPoints":[{)" + test.point + "}]}}";
    const auto decoded = Decode(Request(metric), batch, {.gauges = {"process.cpu.*"}});
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->gauge_points, test.kept);
    EXPECT_EQ(batch.gauges.size(), test.kept);
    EXPECT_EQ(decoded->data_points, test.passed_by);
    EXPECT_EQ(Decode(Request(metric), batch, {.gauges = {"process.memory.*"}})->gauge_points, 0U);
  }
}

TEST(DecodeOtlpJson, AFieldOfAKeptPointThatCannotBeRefusesTheRequest) {
  for (const char* point :
       {R"("timeUnixNano":"x","asInt":"1")", R"("timeUnixNano":"5","asInt":"x")",
        R"("timeUnixNano":"5","flags":{})"}) {
    Batch batch;
    const auto decoded = Decode(Request(Metric("gauge", point)), batch, {.gauges = {"*"}});
    ASSERT_FALSE(decoded) << point;
    EXPECT_NE(decoded.error().message.find("dataPoints[0]"), std::string::npos)
        << decoded.error().message;
  }
}

TEST(DecodeOtlpJson, AllTypesOfPoints) {
  struct Case {
    const char* type;
    const char* point;
    MetricType metric_type;
    bool has_le;
  };
  const Case cases[] = {
      {"gauge", "", MetricType::kGauge, false},
      {"sum", R"("asInt":"4",)", MetricType::kSum, false},
      {"histogram", "", MetricType::kHistogram, false},
      {"histogram", R"("explicitBounds":[1],"bucketCounts":["1"],)", MetricType::kHistogram, false},
      {"histogram", R"("explicitBounds":[1],"bucketCounts":["1","2"],)", MetricType::kHistogram,
       true},
      {"exponentialHistogram", R"("scale":3,"positive":{"offset":1,"bucketCounts":["1"]},)",
       MetricType::kExponentialHistogram, true},
  };
  for (const Case& test : cases) {
    Batch batch;
    const auto decoded =
        Decode(Request(Metric(test.type, test.point + Exemplars(R"("asInt":"-7")"))), batch);
    ASSERT_TRUE(decoded) << test.type << decoded.error().message;
    ASSERT_EQ(batch.exemplars.size(), 1U) << test.type;
    EXPECT_EQ(batch.exemplars[0].metric_type, test.metric_type);
    EXPECT_EQ(batch.exemplars[0].has_le, test.has_le) << test.type << test.point;
    EXPECT_TRUE(batch.exemplars[0].is_integer);
    EXPECT_EQ(batch.exemplars[0].integer, -7);
  }
}

TEST(DecodeOtlpJson, LastTypeOfDataWins) {
  Batch batch;
  const auto decoded =
      Decode(Request(R"({"name":"m","gauge":{"dataPoints":[{},{}]},"sum":{"dataPoints":[{)" +
                     Exemplars(R"("asInt":1)") + R"(}]},"histogram":null})"),
             batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->data_points, 1U);
  ASSERT_EQ(batch.exemplars.size(), 1U);
  EXPECT_EQ(batch.exemplars[0].metric_type, MetricType::kSum);
}

TEST(DecodeOtlpJson, Values) {
  struct Case {
    const char* value;
    bool is_integer;
    double number;
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const Case& test :
       {Case{R"("asDouble":1.5)", false, 1.5}, Case{R"("asDouble":"1.5")", false, 1.5},
        Case{R"("asDouble":2)", false, 2}, Case{R"("asDouble":"-Infinity")", false, -kInfinity},
        Case{R"("asInt":"4")", true, 4}, Case{R"("asInt":4)", true, 4},
        Case{R"("asInt":4,"asDouble":0.5)", false, 0.5},
        Case{R"("asDouble":0.5,"asInt":4,"asDouble":null)", true, 4}}) {
    Batch batch;
    ASSERT_TRUE(Decode(Request(Metric("gauge", Exemplars(test.value))), batch)) << test.value;
    ASSERT_EQ(batch.exemplars.size(), 1U);
    EXPECT_EQ(batch.exemplars[0].is_integer, test.is_integer) << test.value;
    EXPECT_EQ(batch.exemplars[0].value(), test.number) << test.value;
  }
  Batch batch;
  ASSERT_TRUE(Decode(Request(Metric("gauge", Exemplars(R"("asDouble":"NaN")"))), batch));
  EXPECT_TRUE(std::isnan(batch.exemplars.at(0).value()));
}

TEST(DecodeOtlpJson, IdsCostOnlyTheirExemplar) {
  Batch batch;
  const auto decoded =
      Decode(Request(Metric("gauge",
                            std::string(R"("exemplars":[{},{"traceId":"12"},)") +
                                R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"1"},{)" +
                                kIds + "}]")),
             batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->exemplars.received, 4U);
  EXPECT_EQ(decoded->exemplars.unlinked, 1U);
  EXPECT_EQ(decoded->exemplars.rejected, 2U);
  EXPECT_EQ(decoded->exemplars.accepted, 1U);
  EXPECT_EQ(decoded->exemplars.first_rejection,
            "exemplar 1: traceId: 2 characters, want 32 hex digits; "
            "exemplar 2: spanId: 1 characters, want 16 hex digits");
}

TEST(DecodeOtlpJson, WrongFieldsAreNamed) {
  struct Case {
    const char* type;
    std::string point;
    const char* error;
  };
  const Case cases[] = {
      {"gauge", R"("exemplars":{})", "gauge.dataPoints[0].exemplars: is an object, want an array"},
      {"gauge", Exemplars(R"("asInt":1.5)"),
       "gauge.dataPoints[0].exemplars[0].asInt: is not integral"},
      {"histogram", R"("explicitBounds":[1,"x"],)" + Exemplars(R"("asInt":1)"),
       "histogram.dataPoints[0].explicitBounds[1]: is a string that is no number"},
      {"exponentialHistogram", R"("scale":"x",)" + Exemplars(R"("asInt":1)"),
       "exponentialHistogram.dataPoints[0].scale: is a string that is no integer"},
  };
  for (const Case& test : cases) {
    Batch batch;
    const auto decoded = Decode(Request(Metric(test.type, test.point)), batch);
    ASSERT_FALSE(decoded) << test.error;
    EXPECT_EQ(decoded.error().message,
              std::string("resourceMetrics[0].scopeMetrics[0].metrics[0].") + test.error);
  }
}

TEST(DecodeOtlpJson, PointsWithoutExemplarsArePassedBy) {
  Batch batch;
  const auto decoded =
      Decode(Request(Metric("gauge", R"("asInt":"1","attributes":[{"key":"a"}])") + "," +
                     Metric("summary", R"("count":"3",)" + Exemplars(R"("asInt":1)")) +
                     R"(,{"name":"x"},null)"),
             batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->data_points, 2U);
  EXPECT_EQ(decoded->exemplars.received, 0U);
  EXPECT_EQ(batch.attributes.size(), 1U);  // The resource's.
}

TEST(DecodeOtlpJson, BoundsAreKept) {
  DecodeOptions options;
  options.attributes_per_record = 1;
  options.records_per_request = 1;
  Batch batch;
  const auto decoded = Decode(Request(Metric("gauge", R"("attributes":[{"key":"a"},{"key":"b"}],)" +
                                                          Exemplars(R"("asInt":1)"))),
                              batch, options);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->exemplars.rejected, 1U);
  EXPECT_EQ(decoded->exemplars.first_rejection, "exemplar 0: more than 1 attributes");
  const auto many = Decode(Request(Metric("gauge", R"("exemplars":[{},{}])")), batch, options);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace throughline::exemplars
