#include "exemplars/exposition_text.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/attribute.h"
#include "tests/proto/truncation.h"

namespace throughline::exemplars {
namespace {

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";

const std::string kExemplar =
    R"( # {trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"} 0.25 1700000000.5)";

using Pairs = std::vector<std::pair<std::string, std::string>>;

Result<DecodedExposition> Decode(std::string_view text, Batch& batch,
                                 ExpositionFormat format = ExpositionFormat::kOpenMetrics,
                                 const ScrapeTarget& target = {},
                                 const DecodeOptions& options = {}) {
  batch = Batch();
  batch.body = Body::Of(text);
  return DecodeExposition(batch.body.view(), format, target, options, batch);
}

Pairs LabelsOf(Range range, const Batch& batch) {
  Pairs pairs;
  for (const Attribute& attribute : batch.Of(range)) {
    pairs.emplace_back(attribute.key(), StringOf(attribute.value()));
  }
  return pairs;
}

std::string Sample() {
  return "# HELP orders how many\n"
         "# TYPE orders counter\n"
         "# UNIT orders crates\n"
         "orders_total{kind=\"a \\\"b\\\"\\\\\",empty=\"\"} 5 1700000000" +
         kExemplar +
         "\norders_created{kind=\"a\"} 1.7e9\n"
         "# TYPE rpc_seconds histogram\n"
         "rpc_seconds_bucket{le=\"0.5\",job=\"x\"} 1" +
         kExemplar +
         "\nrpc_seconds_bucket{le=\"+Inf\",job=\"x\"} 2 # {order=\"7\"} 9\n"
         "rpc_seconds_count{job=\"x\"} 2\n"
         "# TYPE depth gauge\n"
         "depth NaN\n"
         "# TYPE \"crane.moves\" counter\n"
         "{\"crane.moves_total\",\"berth.id\"=\"3\"} 1" +
         kExemplar + "\n# EOF\n";
}

TEST(ExpositionText, ReadsTheSample) {
  Batch batch;
  const auto decoded = Decode(Sample(), batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->samples, 7U);
  EXPECT_EQ(decoded->exemplars.received, 4U);
  EXPECT_EQ(decoded->exemplars.accepted, 3U);
  EXPECT_EQ(decoded->exemplars.unlinked, 1U);
  ASSERT_EQ(batch.exemplars.size(), 3U);

  const Exemplar& counter = batch.exemplars[0];
  EXPECT_EQ(counter.metric, "orders_total");
  EXPECT_EQ(counter.metric_type, MetricType::kSum);
  EXPECT_EQ(counter.unit, "crates");
  EXPECT_EQ(ToHex(counter.trace_id), kTrace);
  EXPECT_EQ(ToHex(counter.span_id), kSpan);
  EXPECT_EQ(counter.number, 0.25);
  EXPECT_EQ(counter.time_unix_ns, 1'700'000'000'500'000'000U);
  EXPECT_EQ(LabelsOf(counter.labels, batch), (Pairs{{"kind", "a \"b\"\\"}}));

  const Exemplar& bucket = batch.exemplars[1];
  EXPECT_EQ(bucket.metric, "rpc_seconds_bucket");
  EXPECT_EQ(bucket.metric_type, MetricType::kHistogram);
  EXPECT_EQ(bucket.unit, "");
  EXPECT_EQ(bucket.service, "x");
  EXPECT_TRUE(bucket.has_le);
  EXPECT_EQ(bucket.le, 0.5);

  const Exemplar& quoted = batch.exemplars[2];
  EXPECT_EQ(quoted.metric, "crane.moves_total");
  EXPECT_EQ(quoted.metric_type, MetricType::kSum);
  EXPECT_EQ(LabelsOf(quoted.labels, batch), (Pairs{{"berth.id", "3"}}));
}

TEST(ExpositionText, PrefixesOfOpenMetricsAreRefused) {
  const std::string text = Sample();
  samples::ForEachPrefix(text, [&text](std::string_view prefix) {
    Batch batch;
    const auto decoded = DecodeExposition(prefix, ExpositionFormat::kOpenMetrics, {}, {}, batch);
    EXPECT_EQ(decoded.has_value(), prefix.size() + 1 >= text.size()) << prefix.size();
    Batch lenient;
    (void)DecodeExposition(prefix, ExpositionFormat::kText, {}, {}, lenient);
  });
}

struct Refusal {
  const char* name;
  std::string text;
  const char* open_metrics;  // Why; empty: it is taken.
  const char* text_format;
};

class ExpositionTextRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(ExpositionTextRefusal, SaysWhy) {
  const auto reason = [](ExpositionFormat format) -> std::string {
    Batch batch;
    const auto decoded = Decode(GetParam().text, batch, format);
    if (decoded) return "";
    EXPECT_EQ(decoded.error().code, Errc::kInvalidArgument);
    return decoded.error().message;
  };
  EXPECT_EQ(reason(ExpositionFormat::kOpenMetrics), GetParam().open_metrics);
  EXPECT_EQ(reason(ExpositionFormat::kText), GetParam().text_format);
}

constexpr const char* kWrongMetric =
    "line 2: an exemplar on a metric that is neither a counter nor a histogram";

INSTANTIATE_TEST_SUITE_P(
    Texts, ExpositionTextRefusal,
    testing::Values(
        Refusal{"NoEof", "a_total 1\n", "line 1: the text ends without # EOF", ""},
        Refusal{"AfterEof", "a 1\n# EOF\na 2\n", "line 3: text after # EOF", ""},
        Refusal{"OnGauge", "# TYPE g gauge\ng 1 # {a=\"b\"} 1\n# EOF\n", kWrongMetric, ""},
        Refusal{"OnSummary", "# TYPE s summary\ns_count 1 # {a=\"b\"} 1\n# EOF\n", kWrongMetric,
                ""},
        Refusal{"OnInfo", "# TYPE s info\ns_info 1 # {a=\"b\"} 1\n# EOF\n", kWrongMetric, ""},
        Refusal{"OnUnknown", "# TYPE u unknown\nu 1 # {a=\"b\"} 1\n# EOF\n", "", ""},
        Refusal{"OnUntyped", "u 1 # {a=\"b\"} 1\n# EOF\n", "", ""},
        Refusal{"OnAnotherFamily", "# TYPE g gauge\ng2 1 # {a=\"b\"} 1\n# EOF\n", "", ""},
        Refusal{"Characters128", "a 1 # {a=\"" + std::string(127, 'x') + "\"} 1\n# EOF\n", "", ""},
        Refusal{"Characters129", "a 1 # {a=\"" + std::string(128, 'x') + "\"} 1\n# EOF\n",
                "line 1: the labels of an exemplar have more than 128 characters", ""},
        Refusal{"CharactersNotBytes",
                "a 1 # {a=\"\\n\xc3\xa9" + std::string(125, 'x') + "\"} 1\n# EOF\n", "", ""},
        Refusal{"NotClosed", "a 1 # {trace_id=\"4bf9\n# EOF\n",
                "line 1: a quoted text is not closed", "line 1: a quoted text is not closed"},
        Refusal{"BadValue", "a 1 # {a=\"b\"} abc\n# EOF\n", "line 1: the value is no number",
                "line 1: the value is no number"},
        Refusal{"UnknownType", "# TYPE a speed\n# EOF\n", "line 1: unknown metric type",
                "line 1: unknown metric type"},
        Refusal{"NotUtf8", "a 1\nb{c=\"\xff\"} 1\n# EOF\n", "line 2: not UTF-8",
                "line 2: not UTF-8"},
        Refusal{"NotUtf8AtTheEnd", "a 1\n# EOF\n\xff", "line 3: not UTF-8", "line 3: not UTF-8"}),
    [](const auto& param) { return param.param.name; });

TEST(ExpositionText, TypeAndUnitAreTheFamilysInAnyOrder) {
  Batch batch;
  ASSERT_TRUE(
      Decode("# UNIT a_seconds seconds\n# TYPE a_seconds histogram\na_seconds_bucket{le=\"1\"} 1" +
                 kExemplar + "\n# TYPE b counter\nb_total 1" + kExemplar + "\n# EOF\n",
             batch));
  ASSERT_EQ(batch.exemplars.size(), 2U);
  EXPECT_EQ(batch.exemplars[0].unit, "seconds");
  EXPECT_EQ(batch.exemplars[0].metric_type, MetricType::kHistogram);
  EXPECT_EQ(batch.exemplars[1].unit, "");
  EXPECT_EQ(batch.exemplars[1].metric_type, MetricType::kSum);
}

TEST(ExpositionText, ASeriesThatIsNoneCostsItsExemplar) {
  Batch batch;
  const auto decoded = Decode("a{b=\"1\",b=\"2\"} 1" + kExemplar + "\na{\"\"=\"x\"} 1" + kExemplar +
                                  "\na 1 # {trace_id=\"x\"} 1\na 1" + kExemplar + "\n# EOF\n",
                              batch);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->samples, 4U);
  EXPECT_EQ(decoded->exemplars.accepted, 1U);
  EXPECT_EQ(decoded->exemplars.first_rejection,
            "exemplar 0: two labels have the same name; exemplar 1: label 1 has no name; "
            "exemplar 2: trace_id: not a trace id in any spelling");
}

TEST(ExpositionText, LimitsHold) {
  const std::string text = "a{b=\"1\",c=\"2\"} 1" + kExemplar + "\na 1" + kExemplar + "\n# EOF\n";
  const auto decode = [&text](const DecodeOptions& options) {
    Batch batch;
    return Decode(text, batch, ExpositionFormat::kOpenMetrics, {}, options);
  };
  EXPECT_EQ(decode({.records_per_request = 2})->exemplars.accepted, 2U);
  EXPECT_EQ(decode({.records_per_request = 1}).error().code, Errc::kTooLarge);
  EXPECT_EQ(decode({.attributes_per_record = 3})->exemplars.rejected, 0U);
  EXPECT_EQ(decode({.attributes_per_record = 2})->exemplars.rejected, 1U);
}

TEST(ExpositionText, TheTargetsLabelsAreAddedToEachSeries) {
  const std::string text = "a{job=\"own\",exported_job=\"older\",zone=\"1\"} 1" + kExemplar +
                           "\na{instance=\"\"} 1" + kExemplar + "\n# EOF\n";
  const std::vector<Label> labels = {{"job", "crane"}, {"instance", "10.0.0.7:80"}};
  Batch batch;
  ASSERT_TRUE(Decode(text, batch, ExpositionFormat::kOpenMetrics, {.labels = labels}));
  ASSERT_EQ(batch.exemplars.size(), 2U);
  EXPECT_EQ(LabelsOf(batch.exemplars[0].labels, batch), (Pairs{{"exported_exported_job", "own"},
                                                               {"exported_job", "older"},
                                                               {"zone", "1"},
                                                               {"job", "crane"},
                                                               {"instance", "10.0.0.7:80"}}));
  EXPECT_EQ(LabelsOf(batch.exemplars[1].labels, batch),
            (Pairs{{"job", "crane"}, {"instance", "10.0.0.7:80"}}));
  EXPECT_EQ(batch.exemplars[1].service, "crane");

  ASSERT_TRUE(Decode(text, batch, ExpositionFormat::kOpenMetrics,
                     {.labels = labels, .honor_labels = true}));
  ASSERT_EQ(batch.exemplars.size(), 2U);
  EXPECT_EQ(
      LabelsOf(batch.exemplars[0].labels, batch),
      (Pairs{
          {"job", "own"}, {"exported_job", "older"}, {"zone", "1"}, {"instance", "10.0.0.7:80"}}));
  // An empty label is honoured too: the series has none.
  EXPECT_EQ(LabelsOf(batch.exemplars[1].labels, batch), (Pairs{{"job", "crane"}}));
}

struct NamedGauges {
  const char* name;
  std::string text;
  std::vector<double> values;  // Those that are kept.
};

constexpr std::uint64_t kScraped = 1'700'000'000'000'000'000;

class ExpositionTextGauges : public testing::TestWithParam<NamedGauges> {};

TEST_P(ExpositionTextGauges, AreKept) {
  const auto kept = [](ExpositionFormat format) {
    Batch batch;
    const auto decoded = Decode(GetParam().text, batch, format, {.time_unix_ns = kScraped},
                                {.gauges = {"process.cpu.*", "depth"}});
    EXPECT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->gauge_points, batch.gauges.size());
    std::vector<double> values;
    for (const GaugePoint& point : batch.gauges) values.push_back(point.value);
    return values;
  };
  EXPECT_EQ(kept(ExpositionFormat::kOpenMetrics), GetParam().values);
  EXPECT_EQ(kept(ExpositionFormat::kText), GetParam().values);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, ExpositionTextGauges,
    testing::Values(
        NamedGauges{"Gauge", "# TYPE depth gauge\ndepth{a=\"1\"} 1\ndepth 2\n# EOF\n", {1, 2}},
        NamedGauges{"NoType", "depth 1\nprocess_cpu_seconds_total 2\n# EOF\n", {1, 2}},
        NamedGauges{"Unknown", "# TYPE depth unknown\ndepth 1\n# EOF\n", {1}},
        NamedGauges{"NotNamed", "# TYPE width gauge\nwidth 1\ndepths 2\n# EOF\n", {}},
        NamedGauges{"AnotherFamilysType", "# TYPE depth_total counter\ndepth 1\n# EOF\n", {1}},
        NamedGauges{"Counter",
                    "# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total 1\n"
                    "process_cpu_seconds_created 2\n# EOF\n",
                    {1}},
        NamedGauges{"Histogram",
                    "# TYPE process_cpu_use histogram\nprocess_cpu_use_bucket{le=\"1\"} 1\n"
                    "process_cpu_use_sum 2\n# EOF\n",
                    {}},
        NamedGauges{"BucketWithoutType", "process_cpu_use_bucket{le=\"1\"} 1\n# EOF\n", {}},
        NamedGauges{"Summary", "# TYPE depth summary\ndepth{quantile=\"0.5\"} 1\n# EOF\n", {}},
        NamedGauges{"NotANumber",
                    "depth NaN\ndepth -Inf\n# EOF\n",
                    {-std::numeric_limits<double>::infinity()}},
        NamedGauges{"NoSeries", "depth{a=\"1\",a=\"1\"} 1\ndepth 2\n# EOF\n", {2}},
        NamedGauges{"Quoted", "{\"process.cpu.utilization\",\"pod\"=\"a\"} 0.5\n# EOF\n", {0.5}},
        NamedGauges{"WithExemplar", "depth 1" + kExemplar + "\n# EOF\n", {1}}),
    [](const auto& param) { return param.param.name; });

TEST(ExpositionText, AGaugeHasTheLabelsAndTimeOfItsTarget) {
  const std::vector<Label> labels = {{"job", "harbour/crane"}, {"instance", "10.0.0.7:80"}};
  const std::string text =
      "# TYPE depth gauge\n# UNIT depth metres\ndepth{pod=\"c-0\"} 1\ndepth 2 1500.25\n# EOF\n";
  const DecodeOptions options = {.hash_seed = 7, .gauges = {"depth"}};
  Batch batch;
  const auto decoded = Decode(text, batch, ExpositionFormat::kOpenMetrics,
                              {.labels = labels, .time_unix_ns = kScraped}, options);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->samples, 2U);
  EXPECT_EQ(decoded->exemplars.received, 0U);
  ASSERT_EQ(batch.gauges.size(), 2U);
  const GaugePoint& point = batch.gauges[0];
  EXPECT_EQ(point.metric, "depth");
  EXPECT_EQ(point.unit, "metres");
  EXPECT_EQ(point.metric_type, MetricType::kGauge);
  EXPECT_EQ(point.service, "crane");
  EXPECT_EQ(point.time_unix_ns, kScraped);
  EXPECT_EQ(LabelsOf(point.labels, batch),
            (Pairs{{"pod", "c-0"}, {"job", "harbour/crane"}, {"instance", "10.0.0.7:80"}}));
  EXPECT_EQ(batch.gauges[1].time_unix_ns, 1'500'250'000'000U) << "its own";
  ASSERT_TRUE(Decode(text, batch, ExpositionFormat::kText, {.time_unix_ns = kScraped}, options));
  EXPECT_EQ(batch.gauges.at(1).time_unix_ns, 1'500'250'000U) << "in milliseconds";
  EXPECT_EQ(Decode(text, batch, ExpositionFormat::kText, {}, options)->gauge_points, 1U)
      << "without a time";
}

TEST(ExpositionText, GaugePointsAreBounded) {
  const auto decode = [](std::size_t records) {
    Batch batch;
    return Decode("depth 1 1\ndepth 2 1\n# EOF\n", batch, ExpositionFormat::kOpenMetrics, {},
                  {.records_per_request = records, .gauges = {"depth"}});
  };
  EXPECT_EQ(decode(2)->gauge_points, 2U);
  EXPECT_EQ(decode(1).error().code, Errc::kTooLarge);
}

// The batch views the body and its own arena, never the target.
TEST(ExpositionText, TheTargetNeedNotOutliveTheBatch) {
  Batch batch;
  {
    const std::string job(40, 'j');
    const std::vector<Label> labels = {{"job", job}};
    ASSERT_TRUE(Decode("a 1" + kExemplar + "\n# EOF\n", batch, ExpositionFormat::kOpenMetrics,
                       {.labels = labels}));
  }
  EXPECT_EQ(batch.exemplars.at(0).service, std::string(40, 'j'));
}

}  // namespace
}  // namespace throughline::exemplars
