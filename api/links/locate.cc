// GET /locate/{id}: where and when a trace is, and how to ask for it elsewhere.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/links/backend_query.h"
#include "api/links/handlers.h"
#include "api/links/known_traces.h"
#include "api/links/lookup.h"
#include "api/links/render.h"
#include "api/links/whereabouts.h"
#include "api/parameters.h"
#include "api/status.h"
#include "api/time_text.h"

namespace throughline::api::links {
namespace {

void WriteIso(wire::JsonWriter& json, std::uint64_t unix_ns) {
  std::string text;
  AppendIsoTime(unix_ns, text);
  json.String(text);
}

void WriteWindow(wire::JsonWriter& json, const TimeRange& window, std::uint64_t widened_ns) {
  json.Key("window").BeginObject();
  WriteIso(json.Key("start"), window.start_unix_ns);
  WriteIso(json.Key("end"), window.end_unix_ns);
  json.Key("start_unix_nano").UintString(window.start_unix_ns);
  json.Key("end_unix_nano").UintString(window.end_unix_ns);
  WriteDuration(json.Key("widened_ns"), widened_ns);
  json.EndObject();
}

void WriteTexts(wire::JsonWriter& json, const std::set<std::string>& texts) {
  json.BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

void WriteQueries(wire::JsonWriter& json, TraceId trace_id, const TimeRange& window,
                  const Whereabouts& where, const Settings& settings) {
  const std::vector<std::string> services(where.services.begin(), where.services.end());
  json.Key("queries").BeginArray();
  for (const Backend& backend : settings.backends) {
    const BackendQuery query = QueryFor(backend, trace_id, window, services);
    json.BeginObject();
    json.Key("backend").String(backend.name);
    json.Key("kind").String(backend.kind);
    json.Key("language").String(query.language);
    json.Key("query").String(query.query);
    json.Key("url");
    if (query.url.empty()) {
      json.Null();
    } else {
      json.String(query.url);
    }
    json.EndObject();
  }
  json.EndArray();
}

void WriteMatch(wire::JsonWriter& json, const Match& match, const TraceRecords& records,
                const Context& context) {
  const Whereabouts where = WhereaboutsOf(records.records);
  const std::uint64_t widened_ns = WidenedNs(records.records);
  const TimeRange window = Padded(where, context.settings.locate_padding_ns + widened_ns);
  json.BeginObject();
  WriteId(json.Key("trace_id"), match.trace_id);
  json.Key("spelling").String(SpellingName(match.spelling));
  WriteLink(json,
            StateOf(records.evidence, 0, context.now_unix_ns, context.settings.pending_wait_ns));
  WriteTime(json, "first_unix_nano", "first_time", where.first_unix_ns);
  WriteTime(json, "last_unix_nano", "last_time", where.last_unix_ns);
  WriteWindow(json, window, widened_ns);
  WriteTexts(json.Key("services"), where.services);
  WriteTexts(json.Key("hosts"), where.hosts);
  json.Key("counts").BeginObject();
  json.Key("spans").Uint(records.evidence.span_count);
  json.Key("logs").Uint(records.evidence.log_count);
  json.Key("exemplars").Uint(records.evidence.exemplar_count);
  json.EndObject();
  WriteQueries(json, match.trace_id, window, where, context.settings);
  json.EndObject();
}

Result<Response> Render(std::string_view text, const Lookup& lookup, const FindOptions& options,
                        const Scope& scope, const Context& context) {
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("input").String(text);
  json.Key("spelling").String(SpellingName(lookup.matches.front().spelling));
  bool complete = true;
  std::string reason;
  json.Key("matches").BeginArray();
  for (std::size_t i = 0; i < lookup.matches.size(); ++i) {
    if (i == kMaxMatches) {
      complete = false;
      reason = "limit";
      break;
    }
    TraceRecords other;
    const bool only = lookup.matches.size() == 1;
    if (!only) {
      TL_TRY_ASSIGN(other, context.store.FindTrace(scope, lookup.matches[i].trace_id, options));
    }
    const TraceRecords& records = only ? lookup.records : other;
    // Gone between two looks: retention took it.
    if (records.records.record_count() == 0) continue;
    WriteMatch(json, lookup.matches[i], records, context);
    if (!records.complete) {
      complete = false;
      reason = records.incomplete_reason;
    }
  }
  json.EndArray();
  if (lookup.matches.size() > 1) {
    std::vector<TraceId> ids;
    for (const Match& match : lookup.matches) ids.push_back(match.trace_id);
    WriteLink(json, AmbiguousLink(ids));
  } else {
    WriteLink(json, StateOf(lookup.records.evidence, 0, context.now_unix_ns,
                            context.settings.pending_wait_ns));
  }
  WriteCompleteness(json, complete, reason);
  json.EndObject();
  return response;
}

}  // namespace

Response Locate(const Request& request, const Context& context) {
  const std::string_view text = request.captures.empty() ? std::string_view() : request.captures[0];
  Parameters parameters(request, context.now_unix_ns);
  FindOptions options;
  options.hint.start_unix_ns = parameters.Time("start").value_or(0);
  options.hint.end_unix_ns = parameters.Time("end").value_or(UINT64_MAX);
  parameters.Allow("wait");  // The gateway's.
  parameters.Allow("complete");
  if (const auto checked = parameters.Check(); !checked) return Problem(checked.error());
  const auto lookup = LookUp(text, request.scope, options, context);
  if (!lookup) return MalformedProblem(text, lookup.error());
  if (lookup->matches.empty()) return NothingProblem(text, *lookup, context);
  auto response = Render(text, *lookup, options, request.scope, context);
  return response ? std::move(*response) : Problem(response.error());
}

}  // namespace throughline::api::links
