// Under which names a metric is found.
#include "correlate/metric_name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "correlate/batch.h"

namespace throughline {
namespace {

TEST(MetricNameTest, PrometheusSpelling) {
  EXPECT_EQ(PrometheusName("http.server-duration/x"), "http_server_duration_x");
  EXPECT_EQ(PrometheusName("a:b_9"), "a:b_9");
  EXPECT_EQ(PrometheusName("9lives"), "_9lives");
  EXPECT_EQ(PrometheusName(""), "");
  for (const char* name : {"http.server", "9.lives", "plain", ""}) {
    EXPECT_TRUE(IsPrometheusName(PrometheusName(name), name)) << name;
    EXPECT_FALSE(IsPrometheusName(PrometheusName(name) + "x", name)) << name;
  }
  EXPECT_FALSE(IsPrometheusName("9_lives", "9.lives"));
  EXPECT_FALSE(IsPrometheusName("http.server", "http.server"));
}

TEST(MetricNameTest, UnitsAndTypes) {
  struct Case {
    const char* metric;
    const char* unit;
    MetricType type;
    std::vector<std::string> names;
  };
  const Case cases[] = {
      {"jobs", "1", MetricType::kSum, {"jobs", "jobs_total"}},
      {"load", "1", MetricType::kGauge, {"load", "load_ratio"}},
      {"hits_total", "", MetricType::kSum, {"hits_total"}},
      {"queue", "{item}", MetricType::kGauge, {"queue"}},
      {"io", "By/s", MetricType::kGauge, {"io", "io_bytes_per_second"}},
      {"wait_seconds", "s", MetricType::kGauge, {"wait_seconds"}},
      {"size", "widgets", MetricType::kGauge, {"size", "size_widgets"}},
      {"a.b",
       "ms",
       MetricType::kHistogram,
       {"a.b", "a_b", "a_b_bucket", "a_b_milliseconds", "a_b_milliseconds_bucket"}},
      {"a.b", "", MetricType::kExponentialHistogram, {"a.b", "a_b"}},
      {"io_total",
       "By",
       MetricType::kSum,
       {"io_total", "io_total_bytes", "io_total_bytes_total", "io_bytes_total"}},
  };
  for (const Case& test : cases) {
    const auto names = NamesOf(test.metric, test.unit, test.type);
    EXPECT_EQ(names, test.names) << test.metric;
    Exemplar exemplar;
    exemplar.metric = test.metric;
    exemplar.unit = test.unit;
    exemplar.metric_type = test.type;
    for (const std::string& name : names) EXPECT_TRUE(IsNamed(exemplar, name)) << name;
    for (const char* other : {"", "x", "a", "a_c_bucket", "queue_items", "jobs_count"}) {
      EXPECT_FALSE(IsNamed(exemplar, other)) << test.metric << " as " << other;
    }
  }
}

TEST(MetricNameTest, PrometheusOwnIsSpeltOutOnce) {
  EXPECT_EQ(PrometheusMetricName("a.b", "ms", MetricType::kHistogram), "a_b_milliseconds_bucket");
  EXPECT_EQ(PrometheusMetricName("wait_seconds_bucket", "seconds", MetricType::kHistogram),
            "wait_seconds_bucket");
  EXPECT_EQ(PrometheusMetricName("hits_total", "", MetricType::kSum), "hits_total");
  EXPECT_EQ(PrometheusMetricName("jobs", "1", MetricType::kUnknown), "jobs");
}

}  // namespace
}  // namespace throughline
