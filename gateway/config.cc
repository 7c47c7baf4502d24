#include "gateway/config.h"

#include <algorithm>
#include <array>
#include <map>

#include "correlate/metric_pattern.h"
#include "gateway/quantity.h"
#include "gateway/scrape/yaml.h"
#include "gateway/upstream.h"

namespace throughline::gateway {
namespace {

Error OutOfBounds(std::string_view text, const std::string& least, const std::string& most) {
  return InvalidArgument("has \"" + std::string(text) + "\", want " + least + " to " + most);
}

// Each maker gives the two functions of a row. Bounds are template arguments, so that a row is a
// constant.
template <auto kMember>
constexpr Setting Text(std::string_view key, std::string_view help) {
  return {key, help,
          [](Config& config, std::string_view text) -> Result<void> {
            config.*kMember = text;
            return {};
          },
          [](const Config& config) { return config.*kMember; }};
}

template <auto kMember, std::uint64_t kLeast, std::uint64_t kMost>
constexpr Setting Count(std::string_view key, std::string_view help) {
  return {key, help,
          [](Config& config, std::string_view text) -> Result<void> {
            TL_TRY_ASSIGN(const std::uint64_t value, ParseQuantity(text, {}, 1, "a number"));
            if (value < kLeast || value > kMost) {
              return OutOfBounds(text, std::to_string(kLeast), std::to_string(kMost));
            }
            config.*kMember = value;
            return {};
          },
          [](const Config& config) { return std::to_string(config.*kMember); }};
}

template <auto kMember, std::uint64_t kLeast, std::uint64_t kMost>
constexpr Setting Bytes(std::string_view key, std::string_view help) {
  return {key, help,
          [](Config& config, std::string_view text) -> Result<void> {
            TL_TRY_ASSIGN(const std::uint64_t value,
                          ParseQuantity(text, ByteUnits(), 1, "a size such as 20MiB"));
            if (value < kLeast || value > kMost) {
              return OutOfBounds(text, PrintQuantity(kLeast, ByteUnits()),
                                 PrintQuantity(kMost, ByteUnits()));
            }
            config.*kMember = value;
            return {};
          },
          [](const Config& config) { return PrintQuantity(config.*kMember, ByteUnits()); }};
}

template <auto kMember, std::int64_t kLeastMs, std::int64_t kMostMs>
constexpr Setting Duration(std::string_view key, std::string_view help) {
  return {key, help,
          [](Config& config, std::string_view text) -> Result<void> {
            TL_TRY_ASSIGN(const std::chrono::nanoseconds value, ParseDuration(text));
            constexpr std::chrono::nanoseconds kLeast = std::chrono::milliseconds(kLeastMs);
            constexpr std::chrono::nanoseconds kMost = std::chrono::milliseconds(kMostMs);
            if (value < kLeast || value > kMost) {
              return OutOfBounds(text, PrintDuration(kLeast), PrintDuration(kMost));
            }
            config.*kMember = value;
            return {};
          },
          [](const Config& config) { return PrintDuration(config.*kMember); }};
}

template <auto kMember>
constexpr Setting Switch(std::string_view key, std::string_view help) {
  return {key, help,
          [](Config& config, std::string_view text) -> Result<void> {
            if (text != "true" && text != "false") {
              return InvalidArgument("has \"" + std::string(text) + "\", want true or false");
            }
            config.*kMember = text == "true";
            return {};
          },
          [](const Config& config) { return std::string(config.*kMember ? "true" : "false"); },
          true};
}

// One of the words of `kWords`, which are separated by '|'.
template <auto kMember, const char* kWords>
constexpr Setting Choice(std::string_view key, std::string_view help) {
  return {key, help,
          [](Config& config, std::string_view text) -> Result<void> {
            const std::string all = "|" + std::string(kWords) + "|";
            if (text.empty() || text.find('|') != std::string_view::npos ||
                all.find("|" + std::string(text) + "|") == std::string::npos) {
              return InvalidArgument("has \"" + std::string(text) + "\", want " + kWords);
            }
            config.*kMember = text;
            return {};
          },
          [](const Config& config) { return config.*kMember; }};
}

// Separated by commas.
template <auto kMember>
constexpr Setting List(std::string_view key, std::string_view help) {
  return {key, help,
          [](Config& config, std::string_view text) -> Result<void> {
            auto& list = config.*kMember;
            list.clear();
            while (!text.empty()) {
              const std::size_t comma = std::min(text.find(','), text.size());
              std::string_view item = text.substr(0, comma);
              while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
              while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
              if (!item.empty()) list.emplace_back(item);
              text.remove_prefix(std::min(comma + 1, text.size()));
            }
            return {};
          },
          [](const Config& config) {
            std::string text;
            for (const std::string& item : config.*kMember) {
              if (!text.empty()) text += ",";
              text += item;
            }
            return text;
          }};
}

constexpr Setting Secret(Setting setting) {
  setting.is_secret = true;
  return setting;
}

constexpr char kStoreKinds[] = "sqlite|memory";
constexpr char kDurabilities[] = "normal|full";
constexpr char kLevels[] = "debug|info|warn|error";
constexpr char kFormats[] = "logfmt|json";
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::uint64_t kKiB = 1ULL << 10U;
constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kGiB = 1ULL << 30U;

constexpr std::array kSettings = {
    Text<&Config::http_listen>("http.listen",
                               "IP:PORT of everything; :0 takes any port; empty turns it off"),
    Text<&Config::otlp_http_listen>("otlp_http.listen", "IP:PORT of OTLP/HTTP; empty: off"),
    Text<&Config::otlp_grpc_listen>("otlp_grpc.listen", "IP:PORT of OTLP/gRPC; empty: off"),
    Text<&Config::syslog_udp_listen>("syslog.udp_listen", "IP:PORT of syslog over UDP; empty: off"),
    Text<&Config::syslog_tcp_listen>("syslog.tcp_listen", "IP:PORT of syslog over TCP; empty: off"),
    Text<&Config::fluent_listen>("fluent.listen", "IP:PORT of Fluent Forward; empty: off"),
    Secret(Text<&Config::fluent_shared_key>("fluent.shared_key",
                                            "who knows it may send; empty: everybody may")),
    Secret(List<&Config::fluent_users>("fluent.users",
                                       "name:password of each who may; empty: no names")),
    Text<&Config::data_dir>("data_dir", "the folder that holds all records"),
    Count<&Config::loops, 0, 64>("loops", "network threads; 0: one a core, at most 4"),
    Choice<&Config::store_kind, kStoreKinds>("store.kind", "sqlite, or memory (nothing kept)"),
    Bytes<&Config::store_hot_bytes, kMiB, 4 * kGiB>("store.hot_bytes",
                                                    "memory of records not sealed; full: 503"),
    Bytes<&Config::store_seal_bytes, kMiB, 4 * kGiB>(
        "store.seal_bytes",
        "memory of records at which they are sealed into a file; 4MiB or less: at every commit"),
    Duration<&Config::store_seal_age, 1000, 3650 * kDayMs>("store.seal_age",
                                                           "age at which records are sealed"),
    Duration<&Config::store_retention, 1000, 36500 * kDayMs>(
        "store.retention", "how long records are kept, from their arrival, by whole files"),
    Duration<&Config::store_retention_spans, 0, 36500 * kDayMs>("store.retention_spans",
                                                                "of spans; 0: as store.retention"),
    Duration<&Config::store_retention_logs, 0, 36500 * kDayMs>(
        "store.retention_logs", "of log lines; 0: as store.retention"),
    Duration<&Config::store_retention_exemplars, 0, 36500 * kDayMs>(
        "store.retention_exemplars", "of exemplars; 0: as store.retention"),
    Duration<&Config::store_retention_gauges, 0, 36500 * kDayMs>(
        "store.retention_gauges", "of gauge points; 0: as store.retention"),
    Bytes<&Config::store_disk_bytes, 0, 1024 * 1024 * kGiB>(
        "store.disk_bytes", "of sealed files; over it the oldest go; 0: no bound"),
    Choice<&Config::store_durability, kDurabilities>(
        "store.durability", "normal survives a killed process, full a power cut"),
    Duration<&Config::links_pending_wait, 0, kDayMs>("links.pending_wait",
                                                     "how long a named trace may still come"),
    Duration<&Config::dedup_horizon, 0, 3650 * kDayMs>(
        "dedup.horizon", "how far back a retried record is recognised"),
    Bytes<&Config::dedup_bytes, 0, 4 * kGiB>("dedup.bytes", "memory for that: 16 bytes a record"),
    Switch<&Config::logs_keep_unlinked>("logs.keep_unlinked",
                                        "store lines and exemplars without a trace id too"),
    List<&Config::logs_files>("logs.files", "globs of log files to follow; empty: none"),
    Duration<&Config::logs_files_interval, 10, 3'600'000>("logs.files_interval",
                                                          "between two looks at the files"),
    List<&Config::explain_gauges>(
        "explain.gauges",
        "gauges and counters kept a point in 10s, in either spelling; * ends a name"),
    Duration<&Config::explain_lookback, 60'000, 7 * kDayMs>(
        "explain.lookback", "how far back explain looks for normal windows, before earlier days"),
    List<&Config::cors_allowed_origins>("cors.allowed_origins",
                                        "origins of browser SDKs, or *; empty: no CORS"),
    Text<&Config::prometheus_upstream>("prometheus.upstream",
                                       "http://HOST:PORT behind /prometheus; empty: none"),
    Text<&Config::loki_upstream>("loki.upstream",
                                 "http://HOST:PORT behind /loki/loki; empty: none"),
    Text<&Config::tempo_upstream>("tempo.upstream", "http://HOST:PORT behind /tempo; empty: none"),
    Duration<&Config::upstream_timeout, 1, 3'600'000>("upstream.timeout",
                                                      "of a call that is passed on; later: 504"),
    Text<&Config::enrich_url_template>("enrich.url_template",
                                       "trace.url of enriched records, with {trace_id}"),
    Bytes<&Config::request_bytes, kKiB, kGiB>("limits.request_bytes",
                                              "of a body, also when inflated; more: 413"),
    Bytes<&Config::header_bytes, kKiB, kMiB>("limits.header_bytes",
                                             "of a request's header; more: 431"),
    Bytes<&Config::inflight_bytes, kKiB, kGiB << 10U>("limits.inflight_bytes",
                                                      "of bodies being worked on; more: 429"),
    Count<&Config::connections, 1, 1'000'000>("limits.connections", "open at once; more: 503"),
    Bytes<&Config::scrape_bytes, kKiB, kGiB>("limits.scrape_bytes",
                                             "of an exposition, also when inflated"),
    Count<&Config::scrape_targets, 1, 1'000'000>("limits.scrape_targets",
                                                 "over all jobs; further ones are left out"),
    Count<&Config::scrapes_at_once, 1, 10'000>("limits.scrapes_at_once",
                                               "others that are due wait their turn"),
    Count<&Config::queue_records, 1, 100'000'000>("limits.queue_records",
                                                  "waiting to be stored; more: 429"),
    Bytes<&Config::queue_bytes, kKiB, kGiB << 10U>("limits.queue_bytes",
                                                   "waiting to be stored; more: 429"),
    Count<&Config::followed_files, 1, 100'000>("limits.followed_files",
                                               "of logs.files at once; further ones wait"),
    Bytes<&Config::followed_line_bytes, kKiB, 16 * kMiB>(
        "limits.followed_line_bytes", "of a line of a followed file; longer ones are cut"),
    Count<&Config::records_per_request, 1, 100'000'000>("limits.records_per_request", "more: 413"),
    Count<&Config::attributes_per_record, 1, 10'000'000>("limits.attributes_per_record",
                                                         "more: the record is rejected"),
    Count<&Config::tenants, 1, 1'000'000>("limits.tenants", "distinct X-Scope-OrgID; more: 429"),
    Count<&Config::tenant_records_per_second, 0, 1'000'000'000>(
        "limits.tenant_records_per_second", "of each tenant; more: 429; 0: no limit"),
    Bytes<&Config::tenant_bytes_per_second, 0, kGiB << 10U>(
        "limits.tenant_bytes_per_second", "of each tenant, inflated; more: 429; 0: no limit"),
    Count<&Config::watches, 1, 10'000'000>("limits.watches", "ids waited for at once; more: 429"),
    Count<&Config::wait_seconds, 0, 3600>("limits.wait_seconds", "the longest ?wait="),
    Count<&Config::read_threads, 1, 256>("limits.read_threads", "lookups at once"),
    Count<&Config::read_queue, 1, 1'000'000>("limits.read_queue", "lookups waiting; more: 429"),
    Duration<&Config::lookup_deadline, 1, kDayMs>("limits.lookup_deadline",
                                                  "of a lookup; later: a partial answer"),
    Count<&Config::query_traces, 1, 100'000'000>(
        "limits.query_traces", "that one TraceQL query or search of Jaeger's looks at"),
    Count<&Config::query_series, 1, 100'000>("limits.query_series",
                                             "of one metric of TraceQL's or LogQL's"),
    Count<&Config::tag_traces, 1, 100'000'000>("limits.tag_traces",
                                               "that a list of tags or of their values looks at"),
    Count<&Config::exemplars_read, 1, 100'000'000>(
        "limits.exemplars_read", "that a Prometheus query looks at; more: the newest"),
    Count<&Config::exemplars_answered, 1, 1'000'000>(
        "limits.exemplars_answered", "of a Prometheus query; more: some of every range of values"),
    Count<&Config::lines_read, 1, 100'000'000>(
        "limits.lines_read", "that a LogQL query looks at; more: the answer says what is missing"),
    Count<&Config::label_lines, 1, 100'000'000>(
        "limits.label_lines", "that lists of Loki's labels are made from; more: the newest"),
    Count<&Config::tails, 0, 10'000>("limits.tails", "of Loki's API, open at once; more: 429"),
    Bytes<&Config::tail_bytes, kKiB, kGiB>("limits.tail_bytes",
                                           "of lines that wait for a tail's client; more: dropped"),
    Duration<&Config::tail_ping, 1, kDayMs>("limits.tail_ping",
                                            "of silence before a ping, and for its answer"),
    Duration<&Config::tail_duration, 1, 365 * kDayMs>("limits.tail_duration",
                                                      "of a tail; then it is closed"),
    Bytes<&Config::path_bytes, 0, kGiB << 10U>(
        "limits.path_bytes", "of totals of critical paths, kept by the minute; 0: none are"),
    Bytes<&Config::upstream_bytes, kKiB, kGiB>("limits.upstream_bytes",
                                               "of an answer of an upstream; more: 502"),
    Count<&Config::upstream_calls, 1, 100'000>("limits.upstream_calls",
                                               "passed on at once; more: 503"),
    Duration<&Config::idle_timeout, 1, kDayMs>("limits.idle_timeout",
                                               "of a connection between requests"),
    Duration<&Config::read_timeout, 1, kDayMs>(
        "limits.read_timeout", "of a request to arrive (its body: at 16KiB/s more)"),
    Duration<&Config::write_timeout, 1, kDayMs>("limits.write_timeout",
                                                "of an answer without progress"),
    Duration<&Config::drain_timeout, 0, kDayMs>("limits.drain_timeout",
                                                "for requests under way when stopping"),
    Count<&Config::grpc_connections, 1, 1'000'000>("limits.grpc_connections",
                                                   "open at once; more are closed"),
    Count<&Config::grpc_streams, 1, 1'000'000>("limits.grpc_streams",
                                               "calls at once on a connection; more wait"),
    Bytes<&Config::grpc_memory_bytes, 16 * kMiB, kGiB << 10U>(
        "limits.grpc_memory_bytes", "of gRPC's buffers; more: calls are cancelled"),
    Duration<&Config::grpc_read_timeout, 1, kDayMs>("limits.grpc_read_timeout",
                                                    "of a call's message to arrive"),
    Duration<&Config::grpc_idle_timeout, 1, kDayMs>("limits.grpc_idle_timeout",
                                                    "of a connection without a call"),
    Duration<&Config::grpc_keepalive, 1000, kDayMs>("limits.grpc_keepalive",
                                                    "of silence before a ping, and for its answer"),
    Duration<&Config::grpc_ping_interval, 0, kDayMs>("limits.grpc_ping_interval",
                                                     "clients that ping more often are closed"),
    Bytes<&Config::syslog_message_bytes, 480, 16 * kMiB>("limits.syslog_message_bytes",
                                                         "longer ones are cut"),
    Bytes<&Config::fluent_message_bytes, kKiB, kGiB>(
        "limits.fluent_message_bytes", "of a chunk as sent; more: the connection is closed"),
    Count<&Config::stream_connections, 1, 1'000'000>(
        "limits.stream_connections", "of syslog, and of Fluent Forward; more are closed"),
    Bytes<&Config::stream_inflight_bytes, 1, kGiB>(
        "limits.stream_inflight_bytes", "of a connection, not stored yet; more: the sender waits"),
    Bytes<&Config::stream_total_bytes, kMiB, kGiB << 10U>(
        "limits.stream_total_bytes", "of all connections of a door; more are closed"),
    Duration<&Config::stream_idle_timeout, 1, 365 * kDayMs>(
        "limits.stream_idle_timeout", "of a connection of syslog or Fluent Forward"),
    Choice<&Config::log_level, kLevels>("log.level", "debug, info, warn or error"),
    Choice<&Config::log_format, kFormats>("log.format", "logfmt or json, to stderr"),
};

}  // namespace

std::span<const Setting> Settings() { return kSettings; }

const Setting* FindSetting(std::string_view key) {
  const auto found = std::find_if(kSettings.begin(), kSettings.end(),
                                  [&](const Setting& setting) { return setting.key == key; });
  return found == kSettings.end() ? nullptr : &*found;
}

std::string FlagOf(const Setting& setting) {
  std::string flag = "--" + std::string(setting.key);
  std::replace_if(
      flag.begin(), flag.end(), [](char c) { return c == '.' || c == '_'; }, '-');
  return flag;
}

std::string EnvironmentOf(const Setting& setting) {
  std::string name = "THROUGHLINE_" + std::string(setting.key);
  for (char& c : name) {
    if (c == '.') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  }
  return name;
}

Result<void> Apply(const Setting& setting, std::string_view text, std::string_view where,
                   Config& config) {
  auto set = setting.is_secret && text == kSecretPlaceholder
                 ? InvalidArgument("has " + std::string(kSecretPlaceholder) +
                                   ", which stands for it where it is printed")
                 : setting.set(config, text);
  if (set) return {};
  return InvalidArgument(std::string(where) + ": " + std::string(setting.key) + " " +
                         set.error().message);
}

Result<void> ApplyEnvironment(EnvironmentLookup lookup, Config& config) {
  for (const Setting& setting : kSettings) {
    const std::string name = EnvironmentOf(setting);
    const char* const value = lookup(name.c_str());
    if (value != nullptr) TL_TRY(Apply(setting, value, name, config));
  }
  return {};
}

Result<void> CheckConfig(const Config& config) {
  if (config.http_listen.empty() && config.otlp_http_listen.empty() &&
      config.otlp_grpc_listen.empty()) {
    return InvalidArgument(
        "http.listen, otlp_http.listen and otlp_grpc.listen are all empty, want at least one");
  }
  for (const std::string& user : config.fluent_users) {
    if (user.find(':') == std::string::npos || user.front() == ':') {
      return InvalidArgument("fluent.users has an item without a name and a colon");
    }
  }
  if (!config.fluent_users.empty() && config.fluent_shared_key.empty()) {
    return InvalidArgument("fluent.users needs fluent.shared_key");
  }
  if (config.data_dir.empty()) return InvalidArgument("data_dir is empty");
  if (config.inflight_bytes < config.request_bytes) {
    return InvalidArgument("limits.inflight_bytes is below limits.request_bytes");
  }
  if (config.tenant_rates.size() > config.tenants) {
    return InvalidArgument("tenants names " + std::to_string(config.tenant_rates.size()) +
                           ", limits.tenants is " + std::to_string(config.tenants));
  }
  for (const auto& [key, url] : {std::pair("prometheus.upstream", &config.prometheus_upstream),
                                 std::pair("loki.upstream", &config.loki_upstream),
                                 std::pair("tempo.upstream", &config.tempo_upstream)}) {
    if (url->empty()) continue;
    if (const auto address = ParseUpstream(*url); !address) {
      return InvalidArgument(std::string(key) + " " + address.error().message);
    }
  }
  for (const std::string& gauge : config.explain_gauges) {
    if (const auto pattern = MetricPattern::Parse(gauge); !pattern) {
      return InvalidArgument("explain.gauges: " + pattern.error().message);
    }
  }
  return {};
}

namespace {

// A YAML scalar, quoted where it must be.
std::string Quoted(const std::string& text) {
  const bool null = text == "null" || text == "Null" || text == "NULL";
  const bool plain = !null && !text.empty() &&
                     text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789./_-") == std::string::npos;
  if (plain && text.front() != '-') return text;
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

std::string PrintTenants(const RatesOfTenants& tenants) {
  if (tenants.empty()) return "tenants: {}\n";
  std::string out = "tenants:\n";
  for (const auto& [name, rates] : tenants) {
    out += "  " + Quoted(name) + ": {";
    if (rates.records_per_second) {
      out += "records_per_second: " + std::to_string(*rates.records_per_second);
    }
    if (rates.records_per_second && rates.bytes_per_second) out += ", ";
    if (rates.bytes_per_second) {
      out += "bytes_per_second: " + PrintQuantity(*rates.bytes_per_second, ByteUnits());
    }
    out += "}\n";
  }
  return out;
}

std::string Printed(const Setting& setting, const Config& config) {
  const std::string value = setting.get(config);
  return setting.is_secret && !value.empty() ? std::string(kSecretPlaceholder) : value;
}

}  // namespace

std::string PrintConfig(const Config& config) {
  std::vector<std::string> order;  // Of sections, as the table has them.
  std::map<std::string, std::string> sections;
  for (const Setting& setting : kSettings) {
    const std::size_t dot = setting.key.find('.');
    const bool top = dot == std::string_view::npos;
    const std::string section(top ? "" : setting.key.substr(0, dot));
    if (sections.count(section) == 0) order.push_back(section);
    std::string line =
        (top ? "" : "  ") + std::string(top ? setting.key : setting.key.substr(dot + 1));
    line += ": " + Quoted(Printed(setting, config));
    line.resize(std::max(line.size() + 2, std::size_t{44}), ' ');
    sections[section] += line + "# " + std::string(setting.help) + "\n";
  }
  std::string out = sections[""];
  for (const std::string& section : order) {
    if (!section.empty()) out += section + ":\n" + sections[section];
  }
  out += PrintTenants(config.tenant_rates);
  out += config.backends.empty() ? "backends: []\n" : "backends:\n";
  for (const BackendConfig& backend : config.backends) {
    out += "  - name: " + Quoted(backend.name) + "\n    kind: " + Quoted(backend.kind) +
           "\n    url: " + Quoted(backend.url) + "\n";
  }
  return out + scrape::PrintJobs(config.scrape_jobs);
}

}  // namespace throughline::gateway
