// GET /coverage: how well the records of a range hang together, by service, and which configuration
// to change where they do not.
#include <string>
#include <utility>

#include "api/grafana_provisioning.h"
#include "api/links/count_range.h"
#include "api/links/coverage_render.h"
#include "api/links/handlers.h"
#include "api/parameters.h"
#include "api/status.h"

namespace throughline::api::links {
namespace {

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
  auto coverage = CountRange(request.scope, range, context.settings.health_lookups, context,
                             CoverageMeter(range, service, context.store.hash_seed()));
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
