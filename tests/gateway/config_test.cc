#include "gateway/config.h"

#include <cstring>
#include <set>

#include <gtest/gtest.h>

namespace throughline::gateway {
namespace {

const char* Lookup(const char* name) {
  if (std::strcmp(name, "THROUGHLINE_LIMITS_REQUEST_BYTES") == 0) return "2MiB";
  if (std::strcmp(name, "SOME_URL") == 0) return "http://a.example";
  return nullptr;
}

TEST(ConfigTest, EveryKeyHasItsOwnFlagAndVariable) {
  std::set<std::string> names;
  for (const Setting& setting : Settings()) {
    EXPECT_TRUE(names.insert(FlagOf(setting)).second) << setting.key;
    EXPECT_TRUE(names.insert(EnvironmentOf(setting)).second) << setting.key;
  }
  EXPECT_EQ(FlagOf(*FindSetting("otlp_http.listen")), "--otlp-http-listen");
  EXPECT_EQ(EnvironmentOf(*FindSetting("otlp_http.listen")), "THROUGHLINE_OTLP_HTTP_LISTEN");
}

TEST(ConfigTest, WhatIsPrintedReadsBackAsTheSame) {
  Config config;
  config.backends = {{"l", "loki", "http://l:3100"}};
  config.tenant_rates["it's.(a)"] = {.records_per_second = 0, .bytes_per_second = 3U << 20U};
  config.tenant_rates["null"] = {.records_per_second = {}, .bytes_per_second = {}};
  config.cors_allowed_origins = {"https://a", "https://b"};
  config.otlp_http_listen = "";
  config.data_dir = "it's here: #1";
  config.loops = 3;
  config.idle_timeout = std::chrono::milliseconds(1500);
  const std::string printed = PrintConfig(config);
  Config again;
  const auto read = ApplyYaml(printed, "f", Lookup, again);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(PrintConfig(again), printed);
  for (const Setting& setting : Settings()) {
    EXPECT_EQ(setting.get(again), setting.get(config)) << setting.key;
  }
  ASSERT_EQ(again.backends.size(), 1U);
  EXPECT_EQ(again.backends[0].url, "http://l:3100");
  EXPECT_EQ(again.tenant_rates.size(), 2U);
}

TEST(ConfigTest, SecretsAreNotPrinted) {
  Config config;
  EXPECT_EQ(PrintConfig(config).find(kSecretPlaceholder), std::string::npos) << "none is set";
  config.fluent_shared_key = "open sesame";
  config.fluent_users = {"ann:pass-1", "bob:pass-2"};
  const std::string printed = PrintConfig(config);
  for (const char* secret : {"sesame", "ann", "pass-1", "pass-2"}) {
    EXPECT_EQ(printed.find(secret), std::string::npos) << secret;
  }
  for (const char* line : {"  shared_key: '<secret>' ", "  users: '<secret>' "}) {
    EXPECT_NE(printed.find(line), std::string::npos) << printed;
  }
}

// Else everybody would know the key of who runs what was printed.
TEST(ConfigTest, ThePlaceholderIsNoSecret) {
  Config config;
  for (const char* key : {"fluent.shared_key", "fluent.users"}) {
    const auto applied = Apply(*FindSetting(key), kSecretPlaceholder, "f:1", config);
    ASSERT_FALSE(applied) << key;
    EXPECT_EQ(
        applied.error().message,
        "f:1: " + std::string(key) + " has <secret>, which stands for it where it is printed");
  }
  EXPECT_TRUE(Apply(*FindSetting("data_dir"), kSecretPlaceholder, "f:1", config));
}

TEST(ConfigTest, TheEnvironmentWinsOverTheFile) {
  Config config;
  ASSERT_TRUE(
      ApplyYaml("limits:\n  request_bytes: 1MiB\n  header_bytes: 8KiB\n", "f", Lookup, config));
  EXPECT_EQ(config.request_bytes, 1U << 20U);
  ASSERT_TRUE(ApplyEnvironment(Lookup, config));
  EXPECT_EQ(config.request_bytes, 2U << 20U);
  EXPECT_EQ(config.header_bytes, 8U << 10U);
}

TEST(ConfigTest, ReadsYamlWithVariables) {
  Config config;
  const auto read = ApplyYaml(
      "http: {listen: \"${env:HOST:-127.0.0.1}:${env:PORT:-0}\"}\n"
      "otlp_http: {listen: }\n"
      "links: {pending_wait: 90s}\n"
      "logs: {keep_unlinked: true}\n"
      "cors: {allowed_origins: [\"https://a\", \"https://b\"]}\n"
      "backends:\n- {kind: tempo, url: \"${env:SOME_URL}\"}\n",
      "f", Lookup, config);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(config.http_listen, "127.0.0.1:0");
  EXPECT_EQ(config.otlp_http_listen, "");
  EXPECT_EQ(config.links_pending_wait, std::chrono::seconds(90));
  EXPECT_TRUE(config.logs_keep_unlinked);
  EXPECT_EQ(config.cors_allowed_origins, (std::vector<std::string>{"https://a", "https://b"}));
  ASSERT_EQ(config.backends.size(), 1U);
  EXPECT_EQ(config.backends[0].url, "http://a.example");
}

TEST(ConfigTest, ReadsTheRatesOfTenants) {
  Config config;
  const auto read = ApplyYaml(
      "tenants:\n"
      "  noisy: {records_per_second: 100, bytes_per_second: 2MiB}\n"
      "  batch: {records_per_second: \"${env:NOT_THERE:-0}\"}\n"
      "  7: {}\n",
      "f", Lookup, config);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(config.tenant_rates.size(), 3U);
  EXPECT_EQ(config.tenant_rates["noisy"].records_per_second, 100U);
  EXPECT_EQ(config.tenant_rates["noisy"].bytes_per_second, 2U << 20U);
  EXPECT_EQ(config.tenant_rates["batch"].records_per_second, 0U);
  EXPECT_FALSE(config.tenant_rates["batch"].bytes_per_second);
  EXPECT_FALSE(config.tenant_rates["7"].records_per_second);
  EXPECT_TRUE(CheckConfig(config));
  config.tenants = 2;
  const auto checked = CheckConfig(config);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message, "tenants names 3, limits.tenants is 2");
  ASSERT_TRUE(ApplyYaml("tenants:\n", "f", Lookup, config));
  EXPECT_TRUE(config.tenant_rates.empty());
}

struct BadCase {
  const char* yaml;
  const char* message;
};

TEST(ConfigTest, ErrorsNameTheirLine) {
  const BadCase cases[] = {
      {"a: 1\n", "f:1: unknown key a"},
      {"limits:\n  request_bites: 3\n", "f:2: unknown key limits.request_bites"},
      {"\nlimit:\n  request_bytes: 3\n", "f:2: unknown key limit"},
      {"limits:\n  request_bytes: many\n", "f:2: limits.request_bytes has \"many\", want a size"},
      {"limits:\n  request_bytes: 3\n", "f:2: limits.request_bytes has \"3\", want 1KiB to 1GiB"},
      {"limits: {idle_timeout: 5}\n", "f:1: limits.idle_timeout has \"5\", want a duration"},
      {"limits: {connections: -1}\n", "f:1: limits.connections has \"-1\", want a number"},
      {"limits: {queue_bytes: 99999999999999999999}\n", "f:1: limits.queue_bytes has"},
      {"store: {kind: cassandra}\n", "f:1: store.kind has \"cassandra\", want sqlite|memory"},
      {"logs: {keep_unlinked: yes}\n", "f:1: logs.keep_unlinked has \"yes\", want true or false"},
      {"data_dir: ${env:NOT_THERE}\n", "f:1: environment variable NOT_THERE is not set"},
      {"backends:\n- {kind: tempo}\n- {kind: oracle}\n", "f:3: backend kind has \"oracle\""},
      {"backends:\n- {kind: tempo, uri: x}\n", "f:2: unknown key backends[].uri"},
      {"tenants: [a]\n", "f:1: tenants wants a map"},
      {"tenants:\n  a: 5\n", "f:2: tenants.a wants a map of rates"},
      {"tenants:\n  a b: {}\n", "f:2: tenants: X-Scope-OrgID has an odd character at 1"},
      {"tenants:\n  a: {}\n  a: {}\n", "f:3: tenants.a stands twice"},
      {"tenants:\n  a:\n    rate: 5\n", "f:3: unknown key tenants.a.rate"},
      {"tenants:\n  a:\n    records_per_second: many\n",
       "f:3: tenants.a.records_per_second has \"many\", want a number"},
      {"tenants:\n  a: {bytes_per_second: 1000TiB}\n",
       "f:2: tenants.a.bytes_per_second has \"1000TiB\", want 0 to 1TiB"},
      {"tenants:\n  a: {bytes_per_second: [1]}\n",
       "f:2: tenants.a.bytes_per_second wants a number"},
      {"a: [1\n", "f:2: "},
      {"- 1\n", "f:1: want a map"},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.yaml);
    Config config;
    const auto read = ApplyYaml(c.yaml, "f", Lookup, config);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message.substr(0, std::strlen(c.message)), c.message);
  }
}

TEST(ConfigTest, ChecksWhatBelongsTogether) {
  EXPECT_TRUE(CheckConfig(Config{}));
  Config no_door;
  no_door.http_listen = no_door.otlp_http_listen = no_door.otlp_grpc_listen = "";
  EXPECT_FALSE(CheckConfig(no_door));
  Config small_budget;
  small_budget.inflight_bytes = small_budget.request_bytes - 1;
  EXPECT_FALSE(CheckConfig(small_budget));
  Config gauges;
  gauges.explain_gauges = {"a.*", "*.b"};
  const auto checked = CheckConfig(gauges);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("explain.gauges: \"*.b\""), std::string::npos);
  gauges.explain_gauges = {};
  EXPECT_TRUE(CheckConfig(gauges));
}

}  // namespace
}  // namespace throughline::gateway
