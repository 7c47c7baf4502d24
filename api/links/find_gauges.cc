// GET /gauges: what pods and processes used, as far as it is kept for explain; newest first.
#include <string>
#include <string_view>

#include "api/links/handlers.h"
#include "api/links/render.h"
#include "api/parameters.h"
#include "api/status.h"

namespace throughline::api::links {
namespace {

Result<GaugeQuery> ReadQuery(const Request& request, const Context& context) {
  Parameters parameters(request, context.now_unix_ns);
  GaugeQuery query;
  query.time = parameters.Range();
  query.metric = std::string(parameters.Text("metric").value_or(std::string_view()));
  if (const auto service = parameters.Text("service")) query.service = std::string(*service);
  query.limit = parameters.Limit(context.settings.default_limit, context.settings.max_limit);
  query.cursor = std::string(parameters.Text("cursor").value_or(std::string_view()));
  TL_TRY(parameters.Check());
  return query;
}

}  // namespace

Response FindGauges(const Request& request, const Context& context) {
  const auto query = ReadQuery(request, context);
  if (!query) return Problem(query.error());
  const auto page = context.store.FindGauges(request.scope, *query);
  if (!page) return Problem(page.error());
  Response response;
  response.body.reserve(256 + page->records.gauges.size() * 512);
  wire::JsonWriter json(response.body);
  RecordWriter records(json, page->records);
  json.BeginObject();
  json.Key("gauges").BeginArray();
  for (const GaugePoint& point : page->records.gauges) records.WriteGauge(point);
  json.EndArray();
  WriteCursor(json, page->cursor);
  WriteCompleteness(json, page->complete, page->incomplete_reason);
  json.EndObject();
  return response;
}

}  // namespace throughline::api::links
