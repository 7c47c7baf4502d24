// What is scraped and how: the configuration's `scrape_configs`, a subset of Prometheus' own.
//
// Left out: relabelling, other discoveries than static and files, TLS, authentication.
// Source: Prometheus, docs/configuration/configuration.md, "scrape_config".
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace throughline::gateway::scrape {

using Labels = std::map<std::string, std::string>;

// Addresses with the labels that they share; also what a file of targets lists.
struct TargetGroup {
  std::vector<std::string> targets;  // HOST:PORT, as written.
  Labels labels;
};

// Files of groups, looked at again every `refresh_interval`.
struct FileTargets {
  std::vector<std::string> files;  // Paths; * in the last part.
  std::chrono::nanoseconds refresh_interval = std::chrono::seconds(30);
};

// Expositions, by their names in `scrape_protocols`.
enum class Protocol : std::uint8_t { kOpenMetrics1, kOpenMetrics0, kProtobuf, kText };

struct Job {
  std::string name;
  std::chrono::nanoseconds interval = std::chrono::minutes(1);
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
  std::string metrics_path = "/metrics";
  bool honor_labels = false;  // The exposition's labels win over the target's.
  std::string tenant;         // Of what is scraped; empty: the default one.
  std::vector<Protocol> protocols = {Protocol::kOpenMetrics1, Protocol::kProtobuf, Protocol::kText};
  std::vector<TargetGroup> groups;
  std::vector<FileTargets> files;
};

// "OpenMetricsText1.0.0" and its relatives.
std::string_view ProtocolName(Protocol protocol);

// The Accept header that asks for `protocols`, the first the most.
std::string AcceptOf(const std::vector<Protocol>& protocols);

}  // namespace throughline::gateway::scrape
