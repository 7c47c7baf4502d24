// GET /api/search: the traces that a TraceQL query selects, newest first.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/plain_text.h"
#include "api/query/traceql.h"
#include "api/query/traceql_evaluate.h"
#include "api/query/traceql_plan.h"
#include "api/tempo/columns.h"
#include "api/tempo/handlers.h"
#include "api/tempo/legacy_tags.h"
#include "api/tempo/parameters.h"
#include "api/walk_traces.h"
#include "wire/json_writer.h"

namespace throughline::api::tempo {
namespace {

namespace traceql = query::traceql;

constexpr std::size_t kDefaultTraces = 20;
constexpr std::size_t kDefaultSpans = 3;
constexpr std::size_t kMostSpans = 1000;  // Of one set.

struct Asked {
  traceql::Query query;
  TimeRange range;
  std::size_t traces = kDefaultTraces;
  std::size_t spans = kDefaultSpans;
};

Result<Asked> Read(const Request& request, const Context& context) {
  Asked asked;
  std::string text(request.Query("q").value_or(""));
  if (text.empty()) {
    TL_TRY_ASSIGN(text, QueryOfTags(request));
  }
  auto query = traceql::Parse(text);
  if (!query) return InvalidArgument("invalid TraceQL query: " + query.error().message);
  if (query->metrics) {
    return InvalidArgument(
        "invalid TraceQL query: a metrics function, want it at /api/metrics/query_range");
  }
  asked.query = *std::move(query);
  TL_TRY_ASSIGN(asked.range, ReadRange(request, context, LastHour(context), EndIs::kWholeSecond));
  TL_TRY_ASSIGN(asked.traces,
                ReadCount(request, "limit", kDefaultTraces, context.settings.max_limit));
  TL_TRY_ASSIGN(asked.spans, ReadCount(request, "spss", kDefaultSpans, kMostSpans));
  return asked;
}

struct FoundSpan {
  SpanId id;
  std::string name;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t duration_ns = 0;
  Cells cells;
};

struct FoundSet {
  std::size_t matched = 0;
  std::vector<FoundSpan> spans;
  Cells cells;
};

struct ServiceStats {
  std::uint64_t spans = 0;
  std::uint64_t errors = 0;
};

struct FoundTrace {
  TraceId id;
  std::string root_service;
  std::string root_name;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t duration_ns = 0;
  std::vector<FoundSet> sets = {};
  std::map<std::string, ServiceStats, std::less<>> services = {};
};

FoundTrace Take(const traceql::Trace& trace, const std::vector<traceql::SelectedSpans>& sets,
                std::size_t spans, Columns& columns) {
  FoundTrace found{.id = trace.id(),
                   .root_service = std::string(trace.root_service()),
                   .root_name = std::string(trace.root_name()),
                   .start_unix_ns = trace.start_unix_ns(),
                   .duration_ns = trace.duration_ns()};
  for (const traceql::SelectedSpans& set : sets) {
    FoundSet& into = found.sets.emplace_back();
    into.matched = set.places.size();
    into.cells = set.attributes;
    columns.Note(into.cells);
    for (const std::uint32_t place : set.places) {
      if (into.spans.size() == spans) break;
      const Span& span = trace.At(place);
      into.spans.push_back({.id = span.span_id,
                            .name = std::string(span.name),
                            .start_unix_ns = span.start_unix_ns,
                            .duration_ns = span.duration_ns(),
                            .cells = columns.CellsOf(trace, place)});
    }
  }
  for (std::uint32_t place = 0; place < trace.size(); ++place) {
    const Span& span = trace.At(place);
    ServiceStats& stats = found.services[std::string(trace.batch().ServiceOf(span))];
    ++stats.spans;
    if (span.is_error()) ++stats.errors;
  }
  return found;
}

void Write(const FoundTrace& trace, const Columns& columns, wire::JsonWriter& json) {
  json.BeginObject();
  json.Key("traceID").String(ToHex(trace.id));
  json.Key("rootServiceName").String(trace.root_service);
  json.Key("rootTraceName").String(trace.root_name);
  json.Key("startTimeUnixNano").UintString(trace.start_unix_ns);
  // A uint32 at the other end.
  json.Key("durationMs").Uint(std::min<std::uint64_t>(trace.duration_ns / 1'000'000, UINT32_MAX));
  json.Key("spanSets").BeginArray();
  for (const FoundSet& set : trace.sets) {
    json.BeginObject();
    json.Key("matched").Uint(set.matched);
    json.Key("spans").BeginArray();
    for (const FoundSpan& span : set.spans) {
      json.BeginObject();
      json.Key("spanID").String(ToHex(span.id));
      json.Key("name").String(span.name);
      json.Key("startTimeUnixNano").UintString(span.start_unix_ns);
      json.Key("durationNanos").UintString(span.duration_ns);
      columns.Write(span.cells, json);
      json.EndObject();
    }
    json.EndArray();
    if (!set.cells.empty()) columns.Write(set.cells, json);
    json.EndObject();
  }
  json.EndArray();
  json.Key("serviceStats").BeginObject();
  for (const auto& [service, stats] : trace.services) {
    json.Key(service).BeginObject();
    json.Key("spanCount").Uint(stats.spans);
    if (stats.errors > 0) json.Key("errorCount").Uint(stats.errors);
    json.EndObject();
  }
  json.EndObject();
  json.EndObject();
}

}  // namespace

Response Search(const Request& request, const Context& context) {
  const auto asked = Read(request, context);
  if (!asked) return PlainText(asked.error());
  TraceQuery query = traceql::CandidatesOf(asked->query.pipeline);
  query.time = asked->range;
  query.limit = asked->traces;
  Columns columns(traceql::FieldsOf(asked->query.pipeline));
  std::vector<FoundTrace> traces;
  const auto visit = [&](const WalkedTrace& walked) {
    const traceql::Trace trace(walked.summary.trace_id, walked.batch, walked.tree);
    const auto sets = traceql::Evaluator(trace).Select(asked->query.pipeline);
    if (!sets.empty()) traces.push_back(Take(trace, sets, asked->spans, columns));
    return traces.size() < asked->traces;
  };
  const auto walked = WalkTraces(request, context, std::move(query),
                                 {context.settings.query_traces, "limits.query_traces"}, visit);
  if (!walked) return PlainText(walked.error());

  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("traces").BeginArray();
  for (const FoundTrace& trace : traces) Write(trace, columns, json);
  json.EndArray();
  json.Key("metrics").BeginObject();
  json.Key("inspectedTraces").Uint(walked->traces);
  json.Key("inspectedSpans").UintString(walked->spans);
  // A job that is not completed is how this shape says that not everything was looked at.
  json.Key("completedJobs").Uint(walked->cut.empty() ? 1 : 0);
  json.Key("totalJobs").Uint(1);
  json.EndObject();
  json.EndObject();
  SayCut(walked->cut, response);
  return response;
}

}  // namespace throughline::api::tempo
