// GET /exemplars: what is behind a value, with the state of its link and the trace in one line.
#include <string>
#include <utility>

#include "api/links/handlers.h"
#include "api/links/known_traces.h"
#include "api/links/render.h"
#include "api/parameters.h"
#include "api/query/selector.h"
#include "api/status.h"

namespace throughline::api::links {
namespace {

void ReadMatch(Parameters& parameters, ExemplarQuery& query) {
  const auto text = parameters.Text("match");
  if (!text) return;
  auto selector = query::ParseSelector(*text);
  if (!selector) {
    parameters.Fail("match", selector.error().message);
    return;
  }
  query.metric = std::move(selector->metric);
  query.labels = std::move(selector->matchers);
}

Result<ExemplarQuery> ReadQuery(const Request& request, const Context& context) {
  Parameters parameters(request, context.now_unix_ns);
  ExemplarQuery query;
  query.time = parameters.Range();
  ReadMatch(parameters, query);
  query.min_value = parameters.Number("min_value");
  query.max_value = parameters.Number("max_value");
  query.le = parameters.Number("le");
  query.limit = parameters.Limit(context.settings.default_limit, context.settings.max_limit);
  query.cursor = std::string(parameters.Text("cursor").value_or(std::string_view()));
  TL_TRY(parameters.Check());
  return query;
}

Result<void> WriteExemplar(wire::JsonWriter& json, RecordWriter& records, const Exemplar& exemplar,
                           KnownTraces& known, const Context& context) {
  json.BeginObject();
  records.WriteExemplarMembers(exemplar);
  WriteId(json.Key("trace_id"), exemplar.trace_id);
  const TraceSummary* summary = nullptr;
  Link link = LinkOfCause(LinkCause::kNoId, "the exemplar carries no trace id");
  if (exemplar.trace_id.IsValid()) {
    TL_TRY_ASSIGN(const KnownTrace* trace, known.Find(exemplar.trace_id));
    link = LinkOf(*trace, 0, context);
    summary = trace->summary();
  }
  json.Key("link").BeginObject();
  WriteLink(json, link);
  json.EndObject();
  // A trace that only this exemplar names has nothing to tell.
  const bool tells = summary != nullptr && summary->evidence.span_count > 0;
  WriteSummary(json.Key("trace"), tells ? summary : nullptr);
  json.EndObject();
  return {};
}

}  // namespace

Response FindExemplars(const Request& request, const Context& context) {
  const auto query = ReadQuery(request, context);
  if (!query) return Problem(query.error());
  const auto page = context.store.FindExemplars(request.scope, *query);
  if (!page) return Problem(page.error());
  KnownTraces known(request.scope, context);
  Response response;
  response.body.reserve(256 + page->records.exemplars.size() * 1280);
  wire::JsonWriter json(response.body);
  RecordWriter records(json, page->records);
  json.BeginObject();
  json.Key("exemplars").BeginArray();
  for (const Exemplar& exemplar : page->records.exemplars) {
    const auto written = WriteExemplar(json, records, exemplar, known, context);
    if (!written) return Problem(written.error());
  }
  json.EndArray();
  WriteCursor(json, page->cursor);
  WriteCompleteness(json, page->complete, page->incomplete_reason);
  json.EndObject();
  return response;
}

}  // namespace throughline::api::links
