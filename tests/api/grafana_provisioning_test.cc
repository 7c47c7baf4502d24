// The file that provisions Grafana: the example, with another URL.
#include "api/grafana_provisioning.h"

#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace throughline::api {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(GrafanaProvisioning, IsTheExample) {
  std::ifstream file(std::string(THROUGHLINE_SOURCE_DIR) + "/examples/grafana/throughline.yaml");
  std::stringstream text;
  text << file.rdbuf();
  ASSERT_FALSE(text.str().empty());
  EXPECT_EQ(*GrafanaProvisioning("http://127.0.0.1:4380"), text.str());
}

TEST(GrafanaProvisioning, HasTheUrlInEveryDataSource) {
  const std::string text = *GrafanaProvisioning("https://[::1]:9/gw/");
  for (const char* path : {"tempo", "jaeger", "loki", "prometheus"}) {
    EXPECT_THAT(text, HasSubstr("url: https://[::1]:9/gw/" + std::string(path) + "\n"));
  }
  EXPECT_THAT(text, Not(HasSubstr("127.0.0.1")));
}

TEST(GrafanaProvisioning, RefusesWhatYamlOrGrafanaWouldRead) {
  for (const char* url : {"", "http://", "gw:4380", "ftp://gw", "http://gw\nuid: x", "http://$HOME",
                          "http://gw #", "http://'gw"}) {
    const auto text = GrafanaProvisioning(url);
    ASSERT_FALSE(text) << url;
    EXPECT_THAT(text.error().message, HasSubstr("want that of the gateway"));
  }
}

}  // namespace
}  // namespace throughline::api
