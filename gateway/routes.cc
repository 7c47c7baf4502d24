#include "gateway/routes.h"

#include <algorithm>
#include <array>

#include "gateway/doors/lines.h"
#include "gateway/doors/otlp.h"

namespace throughline::gateway {
namespace {

namespace links = api::links;
constexpr bool kOtlpDoor = true;

constexpr std::array kRoutes = {
    // Intake. The last three are what senders make of an endpoint with a path of its own.
    Route{"POST", "/v1/traces", RouteKind::kIntake, kOtlpDoor, &doors::kOtlpTraces},
    Route{"POST", "/v1/metrics", RouteKind::kIntake, kOtlpDoor, &doors::kOtlpMetrics},
    Route{"POST", "/v1/logs", RouteKind::kIntake, kOtlpDoor, &doors::kOtlpLogs},
    Route{"POST", "/otlp/v1/traces", RouteKind::kIntake, kOtlpDoor, &doors::kOtlpTraces},
    Route{"POST", "/otlp/v1/metrics", RouteKind::kIntake, kOtlpDoor, &doors::kOtlpMetrics},
    Route{"POST", "/otlp/v1/logs", RouteKind::kIntake, kOtlpDoor, &doors::kOtlpLogs},
    Route{"POST", "/loki/otlp/v1/logs", RouteKind::kIntake, kOtlpDoor, &doors::kOtlpLogs},
    Route{"POST", "/api/v1/otlp/v1/metrics", RouteKind::kIntake, kOtlpDoor, &doors::kOtlpMetrics},
    Route{"POST", "/api/v1/logs", RouteKind::kIntake, false, &doors::kLines},

    // Lookups.
    Route{"GET", "/api/v1/locate/{id}", RouteKind::kWaitingLookup, false, nullptr, links::Locate},
    Route{"GET", "/api/v1/traces/{id}", RouteKind::kWaitingLookup, false, nullptr, links::GetTrace},
    Route{"GET", "/api/v1/traces", RouteKind::kLookup, false, nullptr, links::FindTraces},
    Route{"GET", "/api/v1/logs", RouteKind::kLookup, false, nullptr, links::FindLogs},
    Route{"GET", "/api/v1/exemplars", RouteKind::kLookup, false, nullptr, links::FindExemplars},
    Route{"POST", "/api/v1/resolve", RouteKind::kLookup, false, nullptr, links::Resolve},
    Route{"POST", "/api/v1/enrich", RouteKind::kEnrich},
    Route{"GET", "/api/v1/services", RouteKind::kLookup, false, nullptr, links::Services},
    Route{"GET", "/api/v1/services/{service}/operations", RouteKind::kLookup, false, nullptr,
          links::Operations},
    Route{"GET", "/api/v1/openapi.yaml", RouteKind::kLookup, false, nullptr, links::OpenApi},

    // The process.
    Route{"GET", "/-/healthy", RouteKind::kHealthy, kOtlpDoor},
    Route{"GET", "/health", RouteKind::kHealthy, kOtlpDoor},
    Route{"GET", "/-/ready", RouteKind::kReady, kOtlpDoor},
    Route{"GET", "/ready", RouteKind::kReady, kOtlpDoor},
    Route{"GET", "/metrics", RouteKind::kMetrics},
    Route{"GET", "/api/status/buildinfo", RouteKind::kBuildInfo},
    Route{"GET", "/", RouteKind::kIndex},
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

RouteMatch MatchRoute(Door door, std::string_view method, std::string_view path) {
  RouteMatch match;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  std::vector<std::string_view> captures;
  match.route = static_cast<std::uint32_t>(kRoutes.size());
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    const Route& route = kRoutes[i];
    if (door == Door::kOtlp && !route.on_otlp_door) continue;
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
