#include "gateway/front.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "api/status.h"
#include "gateway/doors/elastic.h"
#include "gateway/log.h"
#include "gateway/media.h"
#include "gateway/routes.h"
#include "gateway/target.h"
#include "gateway/version.h"
#include "otlp/response.h"
#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

constexpr std::string_view kIndexText =
    "Throughline: from a spike to its trace to its log lines.\n"
    "\n"
    "  send     POST /v1/traces /v1/metrics /v1/logs (OTLP/HTTP), POST /api/v1/logs (lines)\n"
    "           POST /loki/api/v1/push   POST /_bulk              POST /api/v2/spans (Zipkin)\n"
    "           POST /api/v1/write (Prometheus)                   POST /api/v1/import/openmetrics\n"
    "  look up  GET /api/v1/locate/{id}  GET /api/v1/traces/{id}  GET /api/v1/traces\n"
    "           GET /api/v1/exemplars    GET /api/v1/logs         GET /api/v1/services\n"
    "           POST /api/v1/resolve     POST /api/v1/enrich\n"
    "  all      GET /api/v1/openapi.yaml\n"
    "  process  GET /-/healthy /-/ready /metrics /api/status/buildinfo\n";

api::Response PlainText(int status, std::string text) {
  api::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

// "http://HOST" of the request's Host; empty where that is no host and port.
std::string BaseUrl(std::string_view host) {
  const bool plain = !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  });
  return plain ? "http://" + std::string(host) : std::string();
}

// Fills in path, query and captures. False: percent-encoding that is none.
bool TakeApart(const Target& target, const RouteMatch& match, api::Request& head) {
  auto query = ParseQuery(target.query);
  auto path = PercentDecode(target.path, false);
  if (!query || !path) return false;
  for (const std::string_view capture : match.captures) {
    auto decoded = PercentDecode(capture, false);
    if (!decoded) return false;
    head.captures.push_back(*std::move(decoded));
  }
  head.query = *std::move(query);
  head.base_url = BaseUrl(head.Header("host"));
  head.path = *std::move(path);  // Last: all above view it.
  return true;
}

}  // namespace

Admission Front::Admit(Door door, api::Request& head) {
  Admission admission;
  admission.route = static_cast<std::uint32_t>(Routes().size());
  const auto refuse = [&](api::Response response) {
    AllowOrigin(head, response);
    admission.refusal = std::move(response);
    return admission;
  };
  const auto target = SplitTarget(head.path);
  if (!target) return refuse(api::HttpProblem(400, "bad_target", "the target is no path"));
  const RouteMatch match =
      MatchRoute(door, head.method, target->path, parts_.upstreams.configured());
  if (match.outcome == RouteMatch::Outcome::kNoPath) {
    return refuse(
        api::HttpProblem(404, "no_such_path", "no such path; GET /api/v1/openapi.yaml lists them"));
  }
  if (match.outcome == RouteMatch::Outcome::kNoMethod) {
    if (head.method == "OPTIONS") return refuse(Preflight(head, match.allow));
    api::Response response = api::HttpProblem(
        405, "method_not_allowed", head.method + " is not for this path, want " + match.allow);
    response.headers.emplace_back("Allow", match.allow);
    return refuse(std::move(response));
  }
  admission.route = match.route;
  const Route& route = Routes()[match.route];
  if (route.kind == RouteKind::kIntake) {
    auto refusal = parts_.intake.Admit(*route.door, head);
    if (refusal) return refuse(*std::move(refusal));
    if (!route.door->reads_target) return admission;
  }
  if (parts_.upstreams.Takes(route)) head.target = head.path;
  if (!TakeApart(*target, match, head)) {
    return refuse(api::HttpProblem(400, "bad_target", "a % without two hex digits in the target"));
  }
  return admission;
}

void Front::Handle(std::uint32_t route_index, api::Request request, Reply reply) {
  const Route& route = Routes()[route_index];
  Respond respond = reply;
  if (!parts_.allowed_origins.empty() && !request.Header("origin").empty()) {
    api::Request origin;
    origin.headers.emplace_back("origin", request.Header("origin"));
    auto head = std::make_shared<const api::Request>(std::move(origin));
    respond = [this, head, reply](api::Response response) {
      AllowOrigin(*head, response);
      reply(std::move(response));
    };
  }
  try {
    if (route.kind == RouteKind::kIntake) {
      return parts_.intake.Handle(*route.door, std::move(request), respond);
    }
    if (parts_.upstreams.Takes(route)) {
      return parts_.upstreams.Handle(route, std::move(request), reply.loop(), respond);
    }
    if (route.kind == RouteKind::kLookup || route.kind == RouteKind::kWaitingLookup ||
        route.kind == RouteKind::kEnrich) {
      return parts_.lookups.Handle(route, std::move(request), reply.loop(), respond);
    }
    if (route.kind == RouteKind::kTail) return Tail(std::move(request), reply);
    api::Response response = Page(route, request);
    if (route.kind != RouteKind::kSnapshot) FinishGet(request, response);
    respond(std::move(response));
  } catch (const std::exception& error) {
    LogError("a request failed", {{"route", std::string(route.pattern)}, {"error", error.what()}});
    respond(api::HttpProblem(500, "internal", "the request failed; the gateway's log says why"));
  }
}

// Browsers ask for websockets of any origin and show the answer to the page that asked: what CORS
// does for other requests is done here.
void Front::Tail(api::Request request, const Reply& reply) const {
  const std::string_view origin = request.Header("origin");
  if (!origin.empty() && origin != request.base_url && !IsAllowed(origin)) {
    return reply(PlainText(403, "the origin is not in cors.allowed_origins\n"));
  }
  parts_.tails.Handle(std::move(request), reply);
}

api::Response Front::Page(const Route& route, const api::Request& request) const {
  switch (route.kind) {
    case RouteKind::kHealthy: return PlainText(200, "healthy\n");
    case RouteKind::kReady:
      if (parts_.state().ready) return PlainText(200, "ready\n");
      return api::Problem(Error{Errc::kUnavailable, "starting or stopping"});
    case RouteKind::kMetrics: {
      api::Response response =
          PlainText(200, parts_.metrics.Render(parts_.state(), parts_.tenants));
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      return response;
    }
    case RouteKind::kBuildInfo: {
      api::Response response;
      wire::JsonWriter json(response.body);
      json.BeginObject();
      json.Key("status").String("success");
      json.Key("data").BeginObject();
      json.Key("application").String("throughline");
      json.Key("version").String(kVersion);
      json.Key("compiler").String(__VERSION__);
      json.EndObject();
      json.EndObject();
      return response;
    }
    case RouteKind::kFixedPage: return route.page();
    case RouteKind::kBeginSnapshot: return parts_.snapshots.Begin();
    case RouteKind::kSnapshot: return parts_.snapshots.Look(request);
    case RouteKind::kReleaseSnapshot: return parts_.snapshots.Release(request);
    default: {
      // Clients of Elasticsearch ask here whom they talk to.
      if (request.Header("accept").find("json") != std::string_view::npos) {
        return doors::ElasticInfo();
      }
      return PlainText(200, std::string(kIndexText));
    }
  }
}

// The statuses that the server itself gives. OTLP senders get theirs as google.rpc.Status.
api::Response Front::Refuse(int status, std::string detail, const api::Request& head) {
  const char* const slug = status == 400   ? "bad_request"
                           : status == 408 ? "timeout"
                           : status == 413 ? "too_large"
                           : status == 417 ? "expectation_failed"
                           : status == 429 ? "overloaded"
                           : status == 431 ? "header_too_large"
                                           : "refused";
  api::Response response = api::HttpProblem(status, slug, detail);
  const auto target = SplitTarget(head.path);
  const auto format = OtlpFormatOf(head.Header("content-type"));
  if (target && format && target->path.find("/v1/") != std::string_view::npos) {
    const RouteMatch match = MatchRoute(Door::kOtlp, head.method, target->path);
    if (match.outcome == RouteMatch::Outcome::kFound) {
      const int code = status == 413 ? 8 : status == 429 ? 14 : 3;  // google.rpc.Code.
      response.body = otlp::StatusResponse(*format, code, detail);
      response.content_type =
          *format == otlp::Format::kProtobuf ? "application/x-protobuf" : "application/json";
    }
  }
  if (status == 429) response.headers.emplace_back("Retry-After", "1");
  AllowOrigin(head, response);
  return response;
}

bool Front::IsAllowed(std::string_view origin) const {
  return std::any_of(
      parts_.allowed_origins.begin(), parts_.allowed_origins.end(),
      [&](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

void Front::AllowOrigin(const api::Request& request, api::Response& response) const {
  const std::string_view origin = request.Header("origin");
  if (origin.empty() || !IsAllowed(origin)) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  response.headers.emplace_back("Vary", "Origin");
}

api::Response Front::Preflight(const api::Request& head, const std::string& allow) const {
  api::Response response;
  response.status = 204;
  response.headers.emplace_back("Allow", allow);
  const std::string_view origin = head.Header("origin");
  if (origin.empty() || !IsAllowed(origin)) return response;
  response.headers.emplace_back("Access-Control-Allow-Methods", allow);
  std::string_view asked = head.Header("access-control-request-headers");
  response.headers.emplace_back(
      "Access-Control-Allow-Headers",
      std::string(asked.empty() ? "content-type, content-encoding" : asked));
  response.headers.emplace_back("Access-Control-Max-Age", "7200");
  return response;
}

}  // namespace throughline::gateway
