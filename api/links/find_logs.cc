// GET /logs: linked lines, of one trace or by service, severity, text and time.
#include <algorithm>
#include <charconv>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "api/links/handlers.h"
#include "api/links/render.h"
#include "api/parameters.h"
#include "api/status.h"
#include "correlate/analysis/line_placement.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/ids.h"

namespace throughline::api::links {
namespace {

// The spans of so many traces are read to place a page's lines that state no service or span, so
// many of each; further lines stay as they were sent.
constexpr std::size_t kMaxPlacedTraces = 100;
constexpr std::size_t kMaxPlacedSpans = 10'000;

// "warn", "WARN", or OTLP's number: this and all above.
std::uint32_t ReadSeverity(Parameters& parameters) {
  const auto text = parameters.Text("severity");
  if (!text) return 0;
  std::uint32_t number = 0;
  const char* const last = text->data() + text->size();
  const auto end = std::from_chars(text->data(), last, number);
  if (end.ec == std::errc() && end.ptr == last && number >= 1 && number <= 24) return number;
  constexpr std::pair<std::string_view, std::uint32_t> kNames[] = {
      {"trace", 1}, {"debug", 5}, {"info", 9}, {"warn", 13}, {"error", 17}, {"fatal", 21}};
  for (const auto& [name, first] : kNames) {
    const auto same = [](char a, char b) { return (a | 0x20) == b; };
    if (std::equal(text->begin(), text->end(), name.begin(), name.end(), same)) return first;
  }
  parameters.Fail("severity", "want trace, debug, info, warn, error, fatal, or 1 to 24");
  return 0;
}

// Of several readings the first that anything carries.
Result<TraceId> ReadTraceId(std::string_view text, const Scope& scope, const Context& context) {
  const std::vector<Resolved> readings = ResolveAll(text);
  if (readings.empty()) {
    return InvalidArgument("parameter trace_id: want 16 or 32 hex digits or another spelling");
  }
  for (const Resolved& reading : readings) {
    if (readings.size() == 1) break;
    TL_TRY_ASSIGN(const auto traces, context.store.Summarize(scope, reading.trace_id));
    if (!traces.empty()) return reading.trace_id;
  }
  return readings.front().trace_id;
}

Result<LogQuery> ReadQuery(const Request& request, const Context& context) {
  Parameters parameters(request, context.now_unix_ns);
  LogQuery query;
  query.time = parameters.Range();
  const auto trace_id = parameters.Text("trace_id");
  if (const auto service = parameters.Text("service")) query.service = std::string(*service);
  query.min_severity_number = ReadSeverity(parameters);
  query.contains = std::string(parameters.Text("contains").value_or(std::string_view()));
  for (const auto& [key, value] : parameters.Prefixed("attr.")) {
    query.attributes.push_back({std::string(key), Matcher::Op::kEqual, std::string(value)});
  }
  query.linked_only = parameters.Flag("linked_only", true);
  query.newest_first = parameters.Word("order", {"time", "newest"}, 0) == 1;
  query.limit = parameters.Limit(context.settings.default_limit, context.settings.max_limit);
  query.cursor = std::string(parameters.Text("cursor").value_or(std::string_view()));
  TL_TRY(parameters.Check());
  if (trace_id) {
    TL_TRY_ASSIGN(query.trace_id, ReadTraceId(*trace_id, request.scope, context));
    query.time = TimeRange();  // A lookup by id has no time range.
  }
  return query;
}

PlacedLine AsSent(const Batch& batch, std::uint32_t index) {
  const LogLine& line = batch.logs[index];
  PlacedLine placed;
  placed.index = index;
  placed.time = EffectiveTimeOf(line.time_unix_ns, line.observed_unix_ns, line.arrival_unix_ns);
  placed.service = line.service;
  placed.span_id = line.span_id;
  return placed;
}

// The lines of a page, in its order, those without service or span placed in their traces.
class PlacedPage {
 public:
  PlacedPage(const Batch& batch, const Scope& scope, const Context& context)
      : batch_(batch), scope_(scope), context_(context) {}

  Result<void> Place() {
    std::vector<std::uint32_t> open;
    for (std::uint32_t i = 0; i < batch_.logs.size(); ++i) {
      lines_.push_back(AsSent(batch_, i));
      const LogLine& line = batch_.logs[i];
      const bool lacks = line.service.empty() || !line.span_id.IsValid();
      if (line.trace_id.IsValid() && lacks) open.push_back(i);
    }
    std::stable_sort(open.begin(), open.end(), [&](std::uint32_t a, std::uint32_t b) {
      return batch_.logs[a].trace_id < batch_.logs[b].trace_id;
    });
    for (std::size_t begin = 0; begin < open.size() && traces_.size() < kMaxPlacedTraces;) {
      const TraceId id = batch_.logs[open[begin]].trace_id;
      std::size_t end = begin;
      while (end < open.size() && batch_.logs[open[end]].trace_id == id) ++end;
      TL_TRY(PlaceTrace(id, std::span(open).subspan(begin, end - begin)));
      begin = end;
    }
    return {};
  }

  const std::vector<PlacedLine>& lines() const { return lines_; }

 private:
  Result<void> PlaceTrace(TraceId id, std::span<const std::uint32_t> indices) {
    FindOptions options;
    options.logs = false;
    options.exemplars = false;
    options.record_limit = kMaxPlacedSpans;
    TL_TRY_ASSIGN(TraceRecords trace, context_.store.FindTrace(scope_, id, options));
    traces_.push_back(std::move(trace));  // The services of placed lines are views into it.
    const Batch& spans = traces_.back().records;
    for (const PlacedLine& line : PlaceLines(spans, BuildTraceTree(spans), batch_, indices)) {
      lines_[line.index] = line;
    }
    return {};
  }

  const Batch& batch_;
  const Scope& scope_;
  const Context& context_;
  std::vector<TraceRecords> traces_;
  std::vector<PlacedLine> lines_;
};

}  // namespace

Response FindLogs(const Request& request, const Context& context) {
  const auto query = ReadQuery(request, context);
  if (!query) return Problem(query.error());
  const auto page = context.store.FindLogs(request.scope, *query);
  if (!page) return Problem(page.error());
  PlacedPage placed(page->records, request.scope, context);
  if (const auto done = placed.Place(); !done) return Problem(done.error());
  Response response;
  response.body.reserve(256 + page->records.logs.size() * 1024);
  wire::JsonWriter json(response.body);
  RecordWriter records(json, page->records);
  json.BeginObject();
  json.Key("logs").BeginArray();
  for (const PlacedLine& line : placed.lines()) records.WriteLine(line, true);
  json.EndArray();
  WriteCursor(json, page->cursor);
  WriteCompleteness(json, page->complete, page->incomplete_reason);
  json.EndObject();
  return response;
}

}  // namespace throughline::api::links
