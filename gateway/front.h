// What the HTTP server serves: routes each request to intake, lookups or the process's own pages.
//
// Owns nothing that it routes to. Also answers what belongs to no route: 404, 405 with Allow,
// OPTIONS, CORS for browser SDKs (cors.allowed_origins).
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "gateway/http_intake.h"
#include "gateway/http_server.h"
#include "gateway/lookups.h"
#include "gateway/metrics.h"
#include "gateway/snapshot_calls.h"
#include "gateway/tails.h"
#include "gateway/upstream.h"

namespace throughline::gateway {

class Front final : public RequestHandler {
 public:
  struct Parts {
    HttpIntake& intake;
    Lookups& lookups;
    Upstreams& upstreams;
    Tails& tails;
    SnapshotCalls& snapshots;
    Metrics& metrics;
    const Tenants& tenants;
    std::function<ProcessState()> state;  // For /metrics and /-/ready; any thread.
    std::vector<std::string> allowed_origins;
  };

  explicit Front(Parts parts) : parts_(std::move(parts)) {}

  Admission Admit(Door door, api::Request& head) override;
  void Handle(std::uint32_t route, api::Request request, Reply reply) override;
  void OnFinished(const Finished& finished) override { parts_.metrics.Count(finished); }
  api::Response Refuse(int status, std::string detail, const api::Request& head) override;

 private:
  // Adds the CORS headers that the request's origin may have; none: no change.
  void AllowOrigin(const api::Request& request, api::Response& response) const;
  bool IsAllowed(std::string_view origin) const;
  void Tail(api::Request request, const Reply& reply) const;
  api::Response Preflight(const api::Request& head, const std::string& allow) const;
  api::Response Page(const Route& route, const api::Request& request) const;

  const Parts parts_;
};

}  // namespace throughline::gateway
