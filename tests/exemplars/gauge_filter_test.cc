#include "exemplars/gauge_filter.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exemplars/finish_gauge.h"

namespace throughline::exemplars {
namespace {

TEST(GaugeFilter, KeepsBothSpellings) {
  const std::vector<std::string> patterns = {"k8s.pod.cpu.*", "container.cpu.*", "process.cpu.*",
                                             "memory_used"};
  const GaugeFilter filter(patterns);
  for (const char* name :
       {"k8s.pod.cpu.usage", "k8s.pod.cpu_limit_utilization", "k8s_pod_cpu_usage_cores",
        "container.cpu.time", "container_cpu_usage_seconds_total", "process_cpu_seconds_total",
        "process.cpu.", "memory_used", "memory.used"}) {
    EXPECT_TRUE(filter.Keeps(name)) << name;
  }
  for (const char* name :
       {"", "k", "k8s.pod.cpu", "k8s.pod.memory.usage", "Container.cpu.time", "process.cpux",
        "memory_used_total", "my_container_cpu_usage", "http.server.duration"}) {
    EXPECT_FALSE(filter.Keeps(name)) << name;
  }
}

TEST(GaugeFilter, WithoutPatternsKeepsNothing) {
  EXPECT_FALSE(GaugeFilter({}).Keeps("a"));
  const std::vector<std::string> bad = {"", "a*b", "**"};
  EXPECT_FALSE(GaugeFilter(bad).Keeps("a"));
  EXPECT_FALSE(GaugeFilter(bad).Keeps("a*b"));
}

TEST(GaugeFilter, AStarKeepsAll) {
  const std::vector<std::string> all = {"*"};
  EXPECT_TRUE(GaugeFilter(all).Keeps("anything"));
  EXPECT_TRUE(GaugeFilter(all).Keeps("\xff"));
  EXPECT_FALSE(GaugeFilter(all).Keeps(""));
}

TEST(AcceptGauge, AStatedServiceIsNotTheResources) {
  Batch batch;
  Resource resource;
  resource.service = "of the resource";
  batch.resources.push_back(resource);
  GaugePoint point;
  point.time_unix_ns = 1;
  point.resource = 0;
  ASSERT_TRUE(AcceptGauge(point, {}, batch).value());
  point.service = "stated";
  ASSERT_TRUE(AcceptGauge(point, {}, batch).value());
  EXPECT_EQ(batch.gauges[0].service, "of the resource");
  EXPECT_EQ(batch.gauges[1].service, "stated");
}

}  // namespace
}  // namespace throughline::exemplars
