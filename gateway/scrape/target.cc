#include "gateway/scrape/target.h"

#include <algorithm>
#include <utility>

#include "api/url.h"

namespace throughline::gateway::scrape {
namespace {

constexpr std::string_view kMetricsPath = "__metrics_path__";
constexpr std::string_view kScheme = "__scheme__";
constexpr std::string_view kParameter = "__param_";

bool IsLabelName(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

Error BadAddress(std::string_view address) {
  return InvalidArgument("target \"" + std::string(address) + "\", want HOST:PORT");
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string_view::npos &&
         std::stoi(std::string(text)) <= 65535;
}

// Joins texts so that no two lists give the same.
void AppendKey(std::string_view text, std::string& key) {
  key.append(std::to_string(text.size())).append(":").append(text);
}

std::string KeyOf(const Target& target) {
  std::string key;
  for (const std::string_view text :
       {std::string_view(target.job), std::string_view(target.address),
        std::string_view(target.path), std::string_view(target.accept),
        std::string_view(target.tenant)}) {
    AppendKey(text, key);
  }
  for (const auto& [name, value] : target.labels) {
    AppendKey(name, key);
    AppendKey(value, key);
  }
  key += target.honor_labels ? "h" : "";
  return key.append(std::to_string(target.interval.count()))
      .append("/")
      .append(std::to_string(target.timeout.count()));
}

bool IsPath(std::string_view path) {
  return path.starts_with('/') &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Result<Address> ParseAddress(std::string_view address) {
  const bool clean = std::all_of(address.begin(), address.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '/' && c != '@' && c != '?' && c != '#';
  });
  if (!clean) return BadAddress(address);
  std::string_view host = address;
  std::string_view port = "80";
  if (address.starts_with('[')) {
    const std::size_t bracket = address.find(']');
    if (bracket == std::string_view::npos) return BadAddress(address);
    host = address.substr(1, bracket - 1);
    if (bracket + 1 < address.size()) {
      if (address[bracket + 1] != ':') return BadAddress(address);
      port = address.substr(bracket + 2);
    }
  } else if (const std::size_t colon = address.find(':'); colon != std::string_view::npos) {
    host = address.substr(0, colon);
    port = address.substr(colon + 1);
  }
  if (host.empty() || !IsPort(port)) return BadAddress(address);
  return Address{
      .text = std::string(address), .host = std::string(host), .port = std::string(port)};
}

Result<Target> MakeTarget(const Job& job, std::string_view address, const Labels& labels) {
  Target target;
  TL_TRY_ASSIGN(Address parsed, ParseAddress(address));
  target.address = std::move(parsed.text);
  target.host = std::move(parsed.host);
  target.port = std::move(parsed.port);
  target.job = job.name;
  target.path = job.metrics_path;
  target.labels = {{"job", job.name}, {"instance", target.address}};
  target.honor_labels = job.honor_labels;
  target.tenant = job.tenant;
  target.accept = AcceptOf(job.protocols);
  target.interval = job.interval;
  target.timeout = job.timeout;
  std::string query;
  for (const auto& [name, value] : labels) {
    if (!IsLabelName(name)) return InvalidArgument("label name \"" + name + "\"");
    if (name == kMetricsPath) {
      target.path = value;
    } else if (name == kScheme) {
      if (value != "http") return InvalidArgument("scheme \"" + value + "\", want http");
    } else if (name.starts_with(kParameter)) {
      query += query.empty() ? '?' : '&';
      api::AppendPercentEncoded(std::string_view(name).substr(kParameter.size()), query);
      query += '=';
      api::AppendPercentEncoded(value, query);
    } else if (!name.starts_with("__")) {
      target.labels[name] = value;
    }
  }
  if (!IsPath(target.path)) return InvalidArgument("path \"" + target.path + "\"");
  target.path += query;
  target.key = KeyOf(target);
  return target;
}

}  // namespace throughline::gateway::scrape
