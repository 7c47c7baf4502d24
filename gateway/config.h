// What can be set: every option of `serve`, its default, its unit and its bounds.
//
// One table (config.cc) gives the key of the YAML file (`limits.request_bytes`), the environment
// variable (THROUGHLINE_LIMITS_REQUEST_BYTES), the flag (--limits-request-bytes), the check, and
// the line that --print-config writes. Flags win over the environment, which wins over the file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"
#include "gateway/scrape/job.h"
#include "gateway/tenant_rates.h"

namespace throughline::gateway {

struct BackendConfig {
  std::string name;
  std::string kind;  // loki, tempo, jaeger, elasticsearch, sql, grafana.
  std::string url;
};

struct Config {
  std::string http_listen = "127.0.0.1:4380";
  std::string otlp_http_listen = "127.0.0.1:4318";
  std::string otlp_grpc_listen = "127.0.0.1:4317";
  std::string syslog_udp_listen;
  std::string syslog_tcp_listen;
  std::string fluent_listen;
  std::string fluent_shared_key;
  std::vector<std::string> fluent_users;  // "name:password".
  std::string data_dir = "./data";
  std::uint64_t loops = 0;  // 0: a thread a core, at most 4.

  std::string store_kind = "sqlite";
  std::uint64_t store_hot_bytes = 1ULL << 30U;
  std::uint64_t store_seal_bytes = 56ULL << 20U;
  std::chrono::nanoseconds store_seal_age = std::chrono::minutes(10);
  std::chrono::nanoseconds store_retention = std::chrono::hours(7 * 24);
  std::chrono::nanoseconds store_retention_spans{0};  // 0: as store_retention, as the next three.
  std::chrono::nanoseconds store_retention_logs{0};
  std::chrono::nanoseconds store_retention_exemplars{0};
  std::chrono::nanoseconds store_retention_gauges{0};
  std::uint64_t store_disk_bytes = 0;  // 0: no bound.
  std::string store_durability = "normal";

  std::chrono::nanoseconds links_pending_wait = std::chrono::seconds(60);
  std::chrono::nanoseconds dedup_horizon = std::chrono::minutes(15);
  std::uint64_t dedup_bytes = 32ULL << 20U;
  bool logs_keep_unlinked = false;
  std::vector<std::string> logs_files;  // Globs; none: no file is followed.
  std::chrono::nanoseconds logs_files_interval = std::chrono::milliseconds(250);
  std::uint64_t followed_files = 1000;
  std::uint64_t followed_line_bytes = 1ULL << 20U;
  std::vector<std::string> explain_gauges = {"k8s.pod.cpu.*", "container.cpu.*", "process.cpu.*"};
  std::chrono::nanoseconds explain_lookback = std::chrono::hours(6);
  std::vector<std::string> cors_allowed_origins;
  std::string prometheus_upstream;  // Empty: nothing is passed on.
  std::string loki_upstream;
  std::string tempo_upstream;
  std::chrono::nanoseconds upstream_timeout = std::chrono::seconds(30);
  std::vector<BackendConfig> backends;
  std::string enrich_url_template;
  std::vector<scrape::Job> scrape_jobs;

  std::uint64_t request_bytes = 20ULL << 20U;
  std::uint64_t header_bytes = 32ULL << 10U;
  std::uint64_t inflight_bytes = 256ULL << 20U;
  std::uint64_t connections = 4096;
  std::uint64_t scrape_bytes = 16ULL << 20U;
  std::uint64_t scrape_targets = 10'000;
  std::uint64_t scrapes_at_once = 32;
  std::uint64_t queue_records = 200'000;
  std::uint64_t queue_bytes = 64ULL << 20U;
  std::uint64_t records_per_request = 500'000;
  std::uint64_t attributes_per_record = 16'384;
  std::uint64_t tenants = 1000;
  std::uint64_t tenant_records_per_second = 0;  // 0: no limit.
  std::uint64_t tenant_bytes_per_second = 0;    // 0: no limit.
  RatesOfTenants tenant_rates;                  // Of these, instead.
  std::uint64_t watches = 10'000;
  std::uint64_t wait_seconds = 30;
  std::uint64_t read_threads = 2;
  std::uint64_t read_queue = 256;
  std::chrono::nanoseconds lookup_deadline = std::chrono::seconds(10);
  std::uint64_t query_traces = 100'000;
  std::uint64_t query_series = 1000;
  std::uint64_t tag_traces = 1000;
  std::uint64_t exemplars_read = 100'000;
  std::uint64_t exemplars_answered = 5'000;
  std::uint64_t lines_read = 500'000;
  std::uint64_t label_lines = 50'000;
  std::uint64_t tails = 32;
  std::uint64_t tail_bytes = 4ULL << 20U;
  std::chrono::nanoseconds tail_ping = std::chrono::seconds(30);
  std::chrono::nanoseconds tail_duration = std::chrono::hours(1);
  std::uint64_t path_bytes = 16ULL << 20U;  // 0: nothing is kept.
  std::uint64_t upstream_bytes = 32ULL << 20U;
  std::uint64_t upstream_calls = 64;
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(75);
  std::chrono::nanoseconds read_timeout = std::chrono::seconds(20);
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(20);
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds(10);
  std::uint64_t grpc_connections = 1024;
  std::uint64_t grpc_streams = 100;
  std::uint64_t grpc_memory_bytes = 256ULL << 20U;
  std::chrono::nanoseconds grpc_read_timeout = std::chrono::seconds(60);
  std::chrono::nanoseconds grpc_idle_timeout = std::chrono::minutes(5);
  std::chrono::nanoseconds grpc_keepalive = std::chrono::seconds(60);
  std::chrono::nanoseconds grpc_ping_interval = std::chrono::seconds(10);

  std::uint64_t syslog_message_bytes = 64ULL << 10U;
  std::uint64_t fluent_message_bytes = 16ULL << 20U;
  std::uint64_t stream_connections = 1024;
  std::uint64_t stream_inflight_bytes = 1ULL << 20U;
  std::uint64_t stream_total_bytes = 256ULL << 20U;
  std::chrono::nanoseconds stream_idle_timeout = std::chrono::hours(1);

  std::string log_level = "info";
  std::string log_format = "logfmt";
};

// One row of the table.
struct Setting {
  std::string_view key;   // "limits.request_bytes"
  std::string_view help;  // One line, with the unit.
  // Reads a value, checks its bounds. The message says what would be right, and no key.
  Result<void> (*set)(Config& config, std::string_view text);
  std::string (*get)(const Config& config);
  bool is_switch = false;  // true or false; the bare flag means true.
  bool is_secret = false;  // Printed as kSecretPlaceholder where it is set.
};

// Stands for a secret in what is printed, and is none itself: whoever runs a printed configuration
// must not get a key that everybody knows.
inline constexpr std::string_view kSecretPlaceholder = "<secret>";

std::span<const Setting> Settings();
const Setting* FindSetting(std::string_view key);
std::string FlagOf(const Setting& setting);         // "--limits-request-bytes"
std::string EnvironmentOf(const Setting& setting);  // "THROUGHLINE_LIMITS_REQUEST_BYTES"

// Sets one key; the error names it as `where` does ("--loops", "THROUGHLINE_LOOPS", "a.yaml:3").
Result<void> Apply(const Setting& setting, std::string_view text, std::string_view where,
                   Config& config);

// Reads the environment; `lookup` is std::getenv but for tests.
using EnvironmentLookup = const char* (*)(const char* name);
Result<void> ApplyEnvironment(EnvironmentLookup lookup, Config& config);

// Reads a YAML file's text. Unknown keys and bad values are errors with `name` and their line.
// ${env:NAME} and ${env:NAME:-default} in values are replaced.
Result<void> ApplyYaml(const std::string& text, const std::string& name, EnvironmentLookup lookup,
                       Config& config);

// What no single value shows: at least one door, budgets that fit each other.
Result<void> CheckConfig(const Config& config);

// The whole configuration as a YAML file that reads back as the same, once the secrets are filled
// in.
std::string PrintConfig(const Config& config);

}  // namespace throughline::gateway
