// GET /traces: the traces that have a span of this kind, each in one line.
#include <array>
#include <string>
#include <utility>

#include "api/links/handlers.h"
#include "api/links/render.h"
#include "api/parameters.h"
#include "api/status.h"

namespace throughline::api::links {
namespace {

Result<TraceQuery> ReadQuery(const Request& request, const Context& context) {
  Parameters parameters(request, context.now_unix_ns);
  TraceQuery query;
  query.time = parameters.Range();
  query.service = parameters.OwnedText("service");
  query.operation = parameters.OwnedText("operation");
  for (const auto& [key, value] : parameters.Prefixed("attr.")) {
    query.attributes.push_back({std::string(key), Matcher::Op::kEqual, std::string(value)});
  }
  // In the order of OTLP's numbers; the last is "any".
  const std::size_t status = parameters.Word("status", {"unset", "ok", "error"}, 3);
  if (status < 3) query.status_code = static_cast<std::uint32_t>(status);
  query.min_duration_ns = parameters.Duration("min_duration");
  query.max_duration_ns = parameters.Duration("max_duration");
  const std::uint32_t has = parameters.Words("has", {"logs", "exemplars", "error"}).value_or(0);
  query.has_logs = (has & 1U) != 0;
  query.has_exemplars = (has & 2U) != 0;
  query.has_error = (has & 4U) != 0;
  const bool by_duration = parameters.Word("order", {"newest", "duration"}, 0) == 1;
  query.order = by_duration ? TraceQuery::Order::kDuration : TraceQuery::Order::kNewest;
  query.limit = parameters.Limit(context.settings.default_limit, context.settings.max_limit);
  query.cursor = std::string(parameters.Text("cursor").value_or(std::string_view()));
  TL_TRY(parameters.Check());
  return query;
}

}  // namespace

Response FindTraces(const Request& request, const Context& context) {
  const auto query = ReadQuery(request, context);
  if (!query) return Problem(query.error());
  const auto page = context.store.FindTraces(request.scope, *query);
  if (!page) return Problem(page.error());
  Response response;
  response.body.reserve(256 + page->items.size() * 640);
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("traces").BeginArray();
  for (const TraceSummary& summary : page->items) {
    json.BeginObject();
    WriteId(json.Key("trace_id"), summary.trace_id);
    WriteSummaryMembers(json, summary);
    json.EndObject();
  }
  json.EndArray();
  WriteCursor(json, page->cursor);
  WriteCompleteness(json, page->complete, page->incomplete_reason);
  json.EndObject();
  return response;
}

}  // namespace throughline::api::links
