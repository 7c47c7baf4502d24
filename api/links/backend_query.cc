#include "api/links/backend_query.h"

#include <utility>

#include "api/time_text.h"
#include "api/url.h"
#include "wire/json_writer.h"

namespace throughline::api::links {
namespace {

// Longer lists of services make longer URLs than servers take; the rest is left to the id.
constexpr std::size_t kMaxServices = 20;
constexpr std::string_view kLogLimit = "1000";

std::string IsoTime(std::uint64_t unix_ns) {
  std::string text;
  AppendIsoTime(unix_ns, text);
  return text;
}

// `base` without a slash at its end, and `path`; empty without a base.
std::string Under(const std::string& base, std::string_view path) {
  if (base.empty()) return {};
  std::string url = base;
  while (!url.empty() && url.back() == '/') url.pop_back();
  url += path;
  return url;
}

void AddEncoded(std::string_view name, std::string_view value, std::string& url) {
  if (url.empty()) return;
  url += name;
  AppendPercentEncoded(value, url);
}

// RE2: every character that could be special, quoted.
std::string RegexQuoted(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) quoted += '\\';
    quoted += c;
  }
  return quoted;
}

// LogQL's strings have Go's escapes, of which JSON's are a part, \/ apart, which is never written.
std::string GoQuoted(std::string_view text) {
  std::string quoted;
  wire::AppendJsonString(text, quoted);
  return quoted;
}

BackendQuery LogQl(const Backend& backend, TraceId trace_id, const TimeRange& window,
                   const std::vector<std::string>& services) {
  std::string pattern;
  for (const std::string& service : services) {
    if (service.empty()) continue;
    if (!pattern.empty()) pattern += '|';
    pattern += RegexQuoted(service);
  }
  if (pattern.empty() || services.size() > kMaxServices) pattern = ".+";
  const std::string hex = ToHex(trace_id);
  const std::string_view in_lines =
      trace_id.high_known() ? std::string_view(hex) : std::string_view(hex).substr(16);
  BackendQuery result{.language = "logql", .query = {}, .url = {}};
  result.query = "{service_name=~" + GoQuoted(pattern) + "} |= " + GoQuoted(in_lines);
  result.url = Under(backend.url, "/loki/api/v1/query_range");
  AddEncoded("?query=", result.query, result.url);
  AddEncoded("&start=", std::to_string(window.start_unix_ns), result.url);
  AddEncoded("&end=", std::to_string(window.end_unix_ns), result.url);
  AddEncoded("&direction=forward&limit=", kLogLimit, result.url);
  return result;
}

BackendQuery TraceQl(const Backend& backend, TraceId trace_id, const TimeRange& window) {
  const std::string hex = ToHex(trace_id);
  BackendQuery result{.language = "traceql", .query = {}, .url = {}};
  result.query = "{ trace:id = \"" + hex + "\" }";
  result.url = Under(backend.url, "/api/traces/");
  AddEncoded("", hex, result.url);
  AddEncoded("?start=", std::to_string(window.start_unix_ns / 1'000'000'000), result.url);
  AddEncoded("&end=", std::to_string(window.end_unix_ns / 1'000'000'000 + 1), result.url);
  return result;
}

BackendQuery Jaeger(const Backend& backend, TraceId trace_id) {
  const std::string hex = ToHex(trace_id);
  return {.language = "jaeger", .query = hex, .url = Under(backend.url, "/trace/" + hex)};
}

BackendQuery Elasticsearch(const Backend& backend, TraceId trace_id, const TimeRange& window) {
  const std::string quoted = "\"" + ToHex(trace_id) + "\"";
  BackendQuery result{.language = "lucene", .query = {}, .url = {}};
  result.query = "(trace.id:" + quoted + " OR trace_id:" + quoted + " OR traceId:" + quoted +
                 " OR message:" + quoted + ") AND @timestamp:[\"" + IsoTime(window.start_unix_ns) +
                 "\" TO \"" + IsoTime(window.end_unix_ns) + "\"]";
  result.url = Under(backend.url, "/_search");
  AddEncoded("?q=", result.query, result.url);
  AddEncoded("&size=", kLogLimit, result.url);
  return result;
}

BackendQuery Sql(const Backend& backend, TraceId trace_id, const TimeRange& window) {
  BackendQuery result{.language = "sql", .query = {}, .url = {}};
  result.query = "SELECT * FROM otel_traces WHERE TraceId = '" + ToHex(trace_id) +
                 "' AND Timestamp BETWEEN parseDateTime64BestEffort('" +
                 IsoTime(window.start_unix_ns) + "', 9) AND parseDateTime64BestEffort('" +
                 IsoTime(window.end_unix_ns) + "', 9) ORDER BY Timestamp";
  result.url = Under(backend.url, "/");
  AddEncoded("?query=", result.query, result.url);
  return result;
}

BackendQuery GrafanaExplore(const Backend& backend, TraceId trace_id, const TimeRange& window) {
  BackendQuery result{.language = "explore", .query = ToHex(trace_id), .url = {}};
  std::string panes;
  wire::JsonWriter json(panes);
  json.BeginObject().Key("trace").BeginObject();
  json.Key("datasource").String(backend.name);
  json.Key("queries").BeginArray().BeginObject();
  json.Key("refId").String("A");
  json.Key("queryType").String("traceql");
  json.Key("query").String(result.query);
  json.EndObject().EndArray();
  json.Key("range").BeginObject();
  json.Key("from").String(std::to_string(window.start_unix_ns / 1'000'000));
  json.Key("to").String(std::to_string(window.end_unix_ns / 1'000'000 + 1));
  json.EndObject().EndObject().EndObject();
  result.url = Under(backend.url, "/explore");
  AddEncoded("?schemaVersion=1&orgId=1&panes=", panes, result.url);
  return result;
}

}  // namespace

BackendQuery QueryFor(const Backend& backend, TraceId trace_id, const TimeRange& window,
                      const std::vector<std::string>& services) {
  if (backend.kind == "loki") return LogQl(backend, trace_id, window, services);
  if (backend.kind == "tempo") return TraceQl(backend, trace_id, window);
  if (backend.kind == "elasticsearch") return Elasticsearch(backend, trace_id, window);
  if (backend.kind == "sql") return Sql(backend, trace_id, window);
  if (backend.kind == "grafana") return GrafanaExplore(backend, trace_id, window);
  return Jaeger(backend, trace_id);
}

}  // namespace throughline::api::links
