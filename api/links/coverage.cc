// GET /coverage: how well the records of a range hang together, by service, and which configuration
// to change where they do not.
#include <optional>
#include <string>
#include <utility>

#include "api/grafana_provisioning.h"
#include "api/links/coverage_render.h"
#include "api/links/handlers.h"
#include "api/links/state_lookup.h"
#include "api/parameters.h"
#include "api/status.h"

namespace throughline::api::links {
namespace {

// The cost is that of the range, and of Settings::health_lookups lookups by id.
Result<Coverage> ReadCoverage(const Scope& scope, const TimeRange& range,
                              const std::optional<std::string>& service, const Context& context) {
  CoverageMeter meter(range, service, context.store.hash_seed());
  TL_TRY_ASSIGN(const Visited visited,
                context.store.Visit(scope, {.time = range}, [&](const Batch& batch) {
                  meter.Add(batch);
                  return !meter.full();
                }));
  StateLookup lookup(scope, context, context.settings.health_lookups);
  const auto state = [&lookup](TraceId id, std::uint64_t named_unix_ns) {
    return lookup.Find(id, named_unix_ns);
  };
  TL_TRY_ASSIGN(Coverage coverage, std::move(meter).Close(state));
  if (lookup.expired()) coverage.incomplete_reason = "deadline";
  if (coverage.complete && !visited.complete) {
    coverage.complete = false;
    coverage.incomplete_reason = visited.incomplete_reason;
  }
  return coverage;
}

Response Provisioning(std::string_view url) {
  auto text = GrafanaProvisioning(url);
  if (!text) return Problem(text.error());
  Response response;
  response.content_type = "application/yaml";
  response.body = std::move(*text);
  return response;
}

}  // namespace

Response FindCoverage(const Request& request, const Context& context) {
  Parameters parameters(request, context.now_unix_ns);
  const TimeRange range = parameters.Range();
  const auto service = parameters.OwnedText("service");
  const bool provisioning = parameters.Word("format", {"json", "grafana-provisioning"}, 0) == 1;
  const auto url = provisioning ? parameters.Text("url") : std::nullopt;
  if (const auto checked = parameters.Check(); !checked) return Problem(checked.error());
  if (provisioning) return Provisioning(url.value_or(request.base_url));
  auto coverage = ReadCoverage(request.scope, range, service, context);
  if (!coverage) return Problem(coverage.error());
  CoverageAnswer answer{.window = {range.start_unix_ns, range.end_unix_ns},
                        .coverage = std::move(*coverage),
                        .advice = {},
                        .unlinked_kept = context.settings.unlinked_kept,
                        .most_services = context.settings.max_limit};
  answer.advice = AdviseOn(answer.coverage, answer.unlinked_kept);
  Response response;
  wire::JsonWriter json(response.body);
  WriteCoverage(json, answer);
  return response;
}

}  // namespace throughline::api::links
