// Which URL is what: the one table of every path that the gateway answers.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/links/handlers.h"
#include "gateway/doors/door.h"
#include "gateway/http_server.h"

namespace throughline::gateway {

enum class RouteKind : std::uint8_t {
  kIntake,  // A door of gateway/doors.
  // Lookups: a handler of api/, on a read thread. The second may wait for records (?wait=).
  kLookup,
  kWaitingLookup,
  kEnrich,
  kTail,  // A websocket (gateway/tails.h).
  // Of gateway/snapshot_calls, answered at once.
  kBeginSnapshot,
  kSnapshot,
  kReleaseSnapshot,
  // Pages of the process itself (gateway/pages), answered at once.
  kHealthy,
  kReady,
  kMetrics,
  kBuildInfo,
  kIndex,
  kFixedPage,  // The same answer to everyone: Route::page.
  kPassedOn,   // Of an upstream alone (gateway/upstream.h): there where one is configured.
};

// Whose API a path is, as far as it can be passed on to such a backend.
enum class Upstream : std::uint8_t { kNone, kPrometheus, kLoki, kTempo };
inline constexpr std::size_t kUpstreamCount = 4;
using UpstreamSet = std::bitset<kUpstreamCount>;  // By IndexOf; never kNone.
constexpr std::size_t IndexOf(Upstream upstream) { return static_cast<std::size_t>(upstream); }

struct Route {
  std::string_view method;  // GET answers HEAD too.
  // "/api/v1/traces/{id}"; a {name} is one segment, a {name...} takes slashes too, and is alone.
  std::string_view pattern;
  RouteKind kind = RouteKind::kIndex;
  bool on_otlp_door = false;       // Also on the OTLP/HTTP port.
  const HttpDoor* door = nullptr;  // kIntake.
  api::Response (*lookup)(const api::Request&, const api::links::Context&) = nullptr;
  api::Response (*page)() = nullptr;  // kFixedPage.

  // By the pattern's prefix.
  Upstream upstream() const;
};

std::span<const Route> Routes();

// The path of `route` as metrics name it; "none" for an index that is no route's.
std::string_view RouteName(std::uint32_t route);

struct RouteMatch {
  enum class Outcome { kFound, kNoPath, kNoMethod } outcome = Outcome::kNoPath;
  std::uint32_t route = 0;                 // kFound: index in Routes(); else Routes().size().
  std::vector<std::string_view> captures;  // Still percent-encoded; views of the path.
  std::string allow;                       // Unless kNoPath: "GET, HEAD, OPTIONS".
};

// `path` is still encoded. Of routes that are kPassedOn those of `upstreams` are there. OPTIONS is
// never found: the caller answers it with `allow`.
RouteMatch MatchRoute(Door door, std::string_view method, std::string_view path,
                      UpstreamSet upstreams = {});

}  // namespace throughline::gateway
