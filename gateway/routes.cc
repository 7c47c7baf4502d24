#include "gateway/routes.h"

#include <algorithm>
#include <array>

#include "api/jaeger/handlers.h"
#include "api/loki/handlers.h"
#include "api/prometheus/handlers.h"
#include "api/root_trace.h"
#include "api/tempo/handlers.h"
#include "gateway/doors/elastic.h"
#include "gateway/doors/lines.h"
#include "gateway/doors/loki.h"
#include "gateway/doors/openmetrics.h"
#include "gateway/doors/otlp.h"
#include "gateway/doors/remote_write.h"
#include "gateway/doors/zipkin.h"

namespace throughline::gateway {
namespace {

namespace links = api::links;
namespace tempo = api::tempo;
namespace jaeger = api::jaeger;

namespace loki = api::loki;
namespace prometheus = api::prometheus;
constexpr Route Otlp(std::string_view pattern, const HttpDoor& door) {
  return {.method = "POST",
          .pattern = pattern,
          .kind = RouteKind::kIntake,
          .on_otlp_door = true,
          .door = &door};
}
constexpr Route Intake(std::string_view method, std::string_view pattern, const HttpDoor& door) {
  return {.method = method, .pattern = pattern, .kind = RouteKind::kIntake, .door = &door};
}
constexpr Route Lookup(std::string_view method, std::string_view pattern,
                       api::Response (*lookup)(const api::Request&, const links::Context&),
                       RouteKind kind = RouteKind::kLookup) {
  return {.method = method, .pattern = pattern, .kind = kind, .lookup = lookup};
}
constexpr Route Snapshot(std::string_view method, std::string_view pattern, RouteKind kind) {
  return {.method = method, .pattern = pattern, .kind = kind};
}
constexpr Route Own(std::string_view pattern, RouteKind kind, bool on_otlp_door = false) {
  return {.method = "GET", .pattern = pattern, .kind = kind, .on_otlp_door = on_otlp_door};
}
constexpr Route Fixed(std::string_view method, std::string_view pattern, api::Response (*page)()) {
  return {.method = method, .pattern = pattern, .kind = RouteKind::kFixedPage, .page = page};
}

constexpr Route PassedOn(std::string_view method, std::string_view pattern) {
  return {.method = method, .pattern = pattern, .kind = RouteKind::kPassedOn};
}

constexpr RouteKind kWaiting = RouteKind::kWaitingLookup;
constexpr bool kOnOtlpDoor = true;

constexpr std::array kRoutes = {
    // Intake. The last of OTLP's are what senders make of an endpoint with a path of its own.
    Otlp("/v1/traces", doors::kOtlpTraces),
    Otlp("/v1/metrics", doors::kOtlpMetrics),
    Otlp("/v1/logs", doors::kOtlpLogs),
    Otlp("/otlp/v1/traces", doors::kOtlpTraces),
    Otlp("/otlp/v1/metrics", doors::kOtlpMetrics),
    Otlp("/otlp/v1/logs", doors::kOtlpLogs),
    Otlp("/loki/otlp/v1/logs", doors::kOtlpLogs),
    Otlp("/api/v1/otlp/v1/metrics", doors::kOtlpMetrics),
    Intake("POST", "/api/v1/logs", doors::kLines),
    Intake("POST", "/loki/api/v1/push", doors::kLoki),
    Intake("POST", "/api/prom/push", doors::kLoki),  // Loki's first API.
    Intake("POST", "/_bulk", doors::kElasticBulk),
    Intake("PUT", "/_bulk", doors::kElasticBulk),
    Intake("POST", "/{index}/_bulk", doors::kElasticBulk),
    Intake("PUT", "/{index}/_bulk", doors::kElasticBulk),
    Intake("POST", "/api/v2/spans", doors::kZipkin),
    Intake("POST", "/api/v1/write", doors::kRemoteWrite),
    Intake("POST", "/api/v1/import/openmetrics", doors::kOpenMetrics),

    // Lookups.
    Lookup("GET", "/api/v1/locate/{id}", links::Locate, kWaiting),
    Lookup("GET", "/api/v1/traces/{id}", links::GetTrace, kWaiting),
    Lookup("GET", "/api/v1/traces", links::FindTraces),
    Lookup("GET", "/api/v1/logs", links::FindLogs),
    Lookup("GET", "/api/v1/exemplars", links::FindExemplars),
    Lookup("GET", "/api/v1/gauges", links::FindGauges),
    Lookup("POST", "/api/v1/resolve", links::Resolve),
    Lookup("POST", "/api/v1/explain", links::ExplainWindow),
    Lookup("GET", "/api/v1/links/health", links::Health),
    Lookup("GET", "/api/v1/coverage", links::FindCoverage),
    Lookup("GET", "/api/v1/decisions/{id}", links::Decisions),
    Lookup("POST", "/api/v1/compare", links::CompareSelections),
    Lookup("POST", "/api/v1/enrich", nullptr, RouteKind::kEnrich),
    Lookup("GET", "/api/v1/services", links::Services),
    Lookup("GET", "/api/v1/services/{service}/operations", links::Operations),
    Lookup("GET", "/api/v1/critical-path", links::CriticalPaths),
    Lookup("GET", "/api/v1/dependencies", links::Dependencies),
    Lookup("GET", "/api/v1/openapi.yaml", links::OpenApi),

    // Backups.
    Snapshot("POST", "/api/v1/snapshots", RouteKind::kBeginSnapshot),
    Snapshot("GET", "/api/v1/snapshots/{id}", RouteKind::kSnapshot),
    Snapshot("DELETE", "/api/v1/snapshots/{id}", RouteKind::kReleaseSnapshot),

    // Tempo's, under a prefix of its own, and at the root where nobody else has the path.
    Lookup("GET", "/tempo/api/echo", tempo::Echo),
    Lookup("GET", "/api/echo", tempo::Echo),
    Fixed("GET", "/tempo/api/status/buildinfo", tempo::NoBuildInfo),
    Lookup("GET", "/tempo/api/traces/{id}", tempo::GetTraceV1),
    Lookup("GET", "/tempo/api/v2/traces/{id}", tempo::GetTraceV2),
    Lookup("GET", "/api/v2/traces/{id}", tempo::GetTraceV2),
    Lookup("GET", "/tempo/api/search", tempo::Search),
    Lookup("GET", "/api/search", tempo::Search),
    Lookup("GET", "/tempo/api/search/tags", tempo::TagsV1),
    Lookup("GET", "/api/search/tags", tempo::TagsV1),
    Lookup("GET", "/tempo/api/v2/search/tags", tempo::TagsV2),
    Lookup("GET", "/api/v2/search/tags", tempo::TagsV2),
    Lookup("GET", "/tempo/api/search/tag/{tag...}/values", tempo::TagValuesV1),
    Lookup("GET", "/api/search/tag/{tag...}/values", tempo::TagValuesV1),
    Lookup("GET", "/tempo/api/v2/search/tag/{tag...}/values", tempo::TagValuesV2),
    Lookup("GET", "/api/v2/search/tag/{tag...}/values", tempo::TagValuesV2),
    Lookup("GET", "/tempo/api/metrics/query_range", tempo::MetricsRange),
    Lookup("GET", "/api/metrics/query_range", tempo::MetricsRange),
    Lookup("GET", "/tempo/api/metrics/query", tempo::MetricsInstant),
    Lookup("GET", "/api/metrics/query", tempo::MetricsInstant),

    // Jaeger's, the same way.
    Lookup("GET", "/jaeger/api/services", jaeger::Services),
    Lookup("GET", "/api/services", jaeger::Services),
    Lookup("GET", "/jaeger/api/services/{service...}/operations", jaeger::Operations),
    Lookup("GET", "/api/services/{service...}/operations", jaeger::Operations),
    Lookup("GET", "/jaeger/api/traces/{id}", jaeger::GetTrace),
    Lookup("GET", "/api/traces/{id}", api::GetRootTrace),
    Lookup("GET", "/jaeger/api/traces", jaeger::FindTraces),
    Lookup("GET", "/api/traces", jaeger::FindTraces),
    Lookup("GET", "/jaeger/api/dependencies", jaeger::Dependencies),
    Lookup("GET", "/api/dependencies", jaeger::Dependencies),
    Lookup("GET", "/jaeger/api/v3/services", jaeger::ServicesV3),
    Lookup("GET", "/api/v3/services", jaeger::ServicesV3),
    Lookup("GET", "/jaeger/api/v3/operations", jaeger::OperationsV3),
    Lookup("GET", "/api/v3/operations", jaeger::OperationsV3),
    Lookup("GET", "/jaeger/api/v3/traces/{id}", jaeger::GetTraceV3),
    Lookup("GET", "/api/v3/traces/{id}", jaeger::GetTraceV3),
    // Loki's API, and the same under the path that data sources make of a URL with a path.
    Lookup("GET", "/loki/api/v1/query", loki::Query),
    Lookup("POST", "/loki/api/v1/query", loki::Query),
    Lookup("GET", "/loki/api/v1/query_range", loki::QueryRange),
    Lookup("POST", "/loki/api/v1/query_range", loki::QueryRange),
    Lookup("GET", "/loki/api/v1/labels", loki::Labels),
    Lookup("POST", "/loki/api/v1/labels", loki::Labels),
    Lookup("GET", "/loki/api/v1/label/{name}/values", loki::LabelValues),
    Lookup("POST", "/loki/api/v1/label/{name}/values", loki::LabelValues),
    Lookup("GET", "/loki/api/v1/series", loki::Series),
    Lookup("POST", "/loki/api/v1/series", loki::Series),
    Lookup("GET", "/loki/api/v1/index/stats", loki::IndexStats),
    Lookup("POST", "/loki/api/v1/index/stats", loki::IndexStats),
    Lookup("GET", "/loki/api/v1/index/volume", loki::IndexVolume),
    Lookup("POST", "/loki/api/v1/index/volume", loki::IndexVolume),
    Lookup("GET", "/loki/api/v1/index/volume_range", loki::VolumeRange),
    Lookup("POST", "/loki/api/v1/index/volume_range", loki::VolumeRange),
    Lookup("GET", "/loki/api/v1/detected_labels", loki::DetectedLabels),
    Lookup("GET", "/loki/api/v1/detected_fields", loki::DetectedFields),
    Lookup("POST", "/loki/api/v1/detected_fields", loki::DetectedFields),
    Lookup("GET", "/loki/api/v1/detected_field/{name}/values", loki::DetectedFieldValues),
    Lookup("POST", "/loki/api/v1/detected_field/{name}/values", loki::DetectedFieldValues),
    Own("/loki/api/v1/tail", RouteKind::kTail),
    Lookup("GET", "/loki/loki/api/v1/query", loki::Query),
    Lookup("POST", "/loki/loki/api/v1/query", loki::Query),
    Lookup("GET", "/loki/loki/api/v1/query_range", loki::QueryRange),
    Lookup("POST", "/loki/loki/api/v1/query_range", loki::QueryRange),
    Lookup("GET", "/loki/loki/api/v1/labels", loki::Labels),
    Lookup("POST", "/loki/loki/api/v1/labels", loki::Labels),
    Lookup("GET", "/loki/loki/api/v1/label/{name}/values", loki::LabelValues),
    Lookup("POST", "/loki/loki/api/v1/label/{name}/values", loki::LabelValues),
    Lookup("GET", "/loki/loki/api/v1/series", loki::Series),
    Lookup("POST", "/loki/loki/api/v1/series", loki::Series),
    Lookup("GET", "/loki/loki/api/v1/index/stats", loki::IndexStats),
    Lookup("POST", "/loki/loki/api/v1/index/stats", loki::IndexStats),
    Lookup("GET", "/loki/loki/api/v1/index/volume", loki::IndexVolume),
    Lookup("POST", "/loki/loki/api/v1/index/volume", loki::IndexVolume),
    Lookup("GET", "/loki/loki/api/v1/index/volume_range", loki::VolumeRange),
    Lookup("POST", "/loki/loki/api/v1/index/volume_range", loki::VolumeRange),
    Lookup("GET", "/loki/loki/api/v1/detected_labels", loki::DetectedLabels),
    Lookup("GET", "/loki/loki/api/v1/detected_fields", loki::DetectedFields),
    Lookup("POST", "/loki/loki/api/v1/detected_fields", loki::DetectedFields),
    Lookup("GET", "/loki/loki/api/v1/detected_field/{name}/values", loki::DetectedFieldValues),
    Lookup("POST", "/loki/loki/api/v1/detected_field/{name}/values", loki::DetectedFieldValues),
    Own("/loki/loki/api/v1/tail", RouteKind::kTail),

    // Prometheus' API.
    Lookup("GET", "/prometheus/api/v1/query", prometheus::Query),
    Lookup("POST", "/prometheus/api/v1/query", prometheus::Query),
    Lookup("GET", "/prometheus/api/v1/query_range", prometheus::QueryRange),
    Lookup("POST", "/prometheus/api/v1/query_range", prometheus::QueryRange),
    Lookup("GET", "/prometheus/api/v1/query_exemplars", prometheus::QueryExemplars),
    Lookup("POST", "/prometheus/api/v1/query_exemplars", prometheus::QueryExemplars),
    Lookup("GET", "/prometheus/api/v1/labels", prometheus::Labels),
    Lookup("POST", "/prometheus/api/v1/labels", prometheus::Labels),
    Lookup("GET", "/prometheus/api/v1/label/{name}/values", prometheus::LabelValues),
    Lookup("POST", "/prometheus/api/v1/label/{name}/values", prometheus::LabelValues),
    Lookup("GET", "/prometheus/api/v1/series", prometheus::Series),
    Lookup("POST", "/prometheus/api/v1/series", prometheus::Series),
    Lookup("GET", "/prometheus/api/v1/metadata", prometheus::Metadata),
    Lookup("GET", "/prometheus/api/v1/rules", prometheus::Rules),
    Lookup("GET", "/prometheus/api/v1/status/buildinfo", prometheus::BuildInfo),
    // The same where /prometheus is passed on: never is what stands here.
    Lookup("GET", "/prometheus-exemplars/api/v1/query", prometheus::Query),
    Lookup("POST", "/prometheus-exemplars/api/v1/query", prometheus::Query),
    Lookup("GET", "/prometheus-exemplars/api/v1/query_range", prometheus::QueryRange),
    Lookup("POST", "/prometheus-exemplars/api/v1/query_range", prometheus::QueryRange),
    Lookup("GET", "/prometheus-exemplars/api/v1/query_exemplars", prometheus::QueryExemplars),
    Lookup("POST", "/prometheus-exemplars/api/v1/query_exemplars", prometheus::QueryExemplars),
    Lookup("GET", "/prometheus-exemplars/api/v1/labels", prometheus::Labels),
    Lookup("POST", "/prometheus-exemplars/api/v1/labels", prometheus::Labels),
    Lookup("GET", "/prometheus-exemplars/api/v1/label/{name}/values", prometheus::LabelValues),
    Lookup("POST", "/prometheus-exemplars/api/v1/label/{name}/values", prometheus::LabelValues),
    Lookup("GET", "/prometheus-exemplars/api/v1/series", prometheus::Series),
    Lookup("POST", "/prometheus-exemplars/api/v1/series", prometheus::Series),
    Lookup("GET", "/prometheus-exemplars/api/v1/metadata", prometheus::Metadata),
    Lookup("GET", "/prometheus-exemplars/api/v1/rules", prometheus::Rules),
    Lookup("GET", "/prometheus-exemplars/api/v1/status/buildinfo", prometheus::BuildInfo),

    // What else an upstream has.
    PassedOn("GET", "/prometheus/{path...}"),
    PassedOn("POST", "/prometheus/{path...}"),
    PassedOn("GET", "/loki/loki/{path...}"),
    PassedOn("POST", "/loki/loki/{path...}"),
    PassedOn("GET", "/tempo/{path...}"),
    PassedOn("POST", "/tempo/{path...}"),

    // The process.
    Own("/-/healthy", RouteKind::kHealthy, kOnOtlpDoor),
    Own("/health", RouteKind::kHealthy, kOnOtlpDoor),
    Own("/-/ready", RouteKind::kReady, kOnOtlpDoor),
    Own("/ready", RouteKind::kReady, kOnOtlpDoor),
    Own("/metrics", RouteKind::kMetrics),
    Own("/api/status/buildinfo", RouteKind::kBuildInfo),
    Own("/", RouteKind::kIndex),  // By Accept: also Elasticsearch's.

    // What senders to Elasticsearch ask before they send.
    Fixed("GET", "/_cluster/health", doors::ElasticHealth),
    Fixed("GET", "/_cat/health", doors::ElasticCatHealth),
    Fixed("GET", "/_license", doors::ElasticLicense),
    Fixed("PUT", "/_template/{name}", doors::ElasticAcknowledged),
    Fixed("PUT", "/_index_template/{name}", doors::ElasticAcknowledged),
    Fixed("PUT", "/_component_template/{name}", doors::ElasticAcknowledged),
    Fixed("PUT", "/_ilm/policy/{name}", doors::ElasticAcknowledged),
    Fixed("PUT", "/_ingest/pipeline/{name}", doors::ElasticAcknowledged),
};

std::string_view TakeSegment(std::string_view& path) {
  const std::size_t end = std::min(path.find('/', 1), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

bool Matches(std::string_view pattern, std::string_view path,
             std::vector<std::string_view>& captures) {
  const std::size_t brace = pattern.find('{');
  if (brace == std::string_view::npos) return pattern == path;
  if (path.substr(0, brace) != pattern.substr(0, brace)) return false;
  captures.clear();
  if (const std::size_t end = pattern.find("...}"); end != std::string_view::npos) {
    const std::string_view rest = pattern.substr(end + 4);
    if (path.size() <= brace + rest.size() || !path.ends_with(rest)) return false;
    captures.push_back(path.substr(brace, path.size() - brace - rest.size()));
    return true;
  }
  while (!pattern.empty() && !path.empty()) {
    const std::string_view want = TakeSegment(pattern);
    const std::string_view have = TakeSegment(path);
    if (want.size() > 1 && want[1] == '{') {
      if (have.size() < 2) return false;
      captures.push_back(have.substr(1));
    } else if (want != have) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

void Allow(std::string_view method, std::string& allow) {
  if (!allow.empty()) allow += ", ";
  allow += method;
  if (method == "GET") allow += ", HEAD";
}

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

std::string_view RouteName(std::uint32_t route) {
  return route < kRoutes.size() ? kRoutes[route].pattern : "none";
}

Upstream Route::upstream() const {
  if (pattern.starts_with("/prometheus/")) return Upstream::kPrometheus;
  // Data sources' path alone: under /loki/api senders push.
  if (pattern.starts_with("/loki/loki/")) return Upstream::kLoki;
  if (pattern.starts_with("/tempo/")) return Upstream::kTempo;
  return Upstream::kNone;
}

RouteMatch MatchRoute(Door door, std::string_view method, std::string_view path,
                      UpstreamSet upstreams) {
  RouteMatch match;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  std::vector<std::string_view> captures;
  match.route = static_cast<std::uint32_t>(kRoutes.size());
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    const Route& route = kRoutes[i];
    if (door == Door::kOtlp && !route.on_otlp_door) continue;
    if (route.kind == RouteKind::kPassedOn && !upstreams.test(IndexOf(route.upstream()))) continue;
    if (!Matches(route.pattern, path, captures)) continue;
    if (route.method == wanted) {
      match.outcome = RouteMatch::Outcome::kFound;
      match.route = static_cast<std::uint32_t>(i);
      match.captures = std::move(captures);
      return match;
    }
    match.outcome = RouteMatch::Outcome::kNoMethod;
    Allow(route.method, match.allow);
  }
  if (match.outcome == RouteMatch::Outcome::kNoMethod) match.allow += ", OPTIONS";
  return match;
}

}  // namespace throughline::gateway
