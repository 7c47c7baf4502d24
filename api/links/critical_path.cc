// GET /critical-path: which calls and operations the time of many traces goes to, and which of them
// take more than in another window.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/links/handlers.h"
#include "api/links/path_read.h"
#include "api/links/render.h"
#include "api/links/report_text.h"
#include "api/parameters.h"
#include "api/status.h"
#include "correlate/analysis/path_totals.h"
#include "wire/json_writer.h"

namespace throughline::api::links {
namespace {

struct PathRequest {
  TimeSpan window;
  std::optional<TimeSpan> baseline;
  TraceFilter filter;
  std::size_t limit = 0;
};

Result<PathRequest> ReadRequest(const Request& http, const Context& context) {
  Parameters parameters(http, context.now_unix_ns);
  PathRequest request;
  const TimeRange range = parameters.Range();
  request.window = {range.start_unix_ns, range.end_unix_ns};
  const auto baseline_start = parameters.Time("baseline_start");
  const auto baseline_end = parameters.Time("baseline_end");
  if (baseline_start.has_value() != baseline_end.has_value()) {
    parameters.Fail(baseline_start ? "baseline_end" : "baseline_start", "both, or none");
  }
  if (baseline_start && baseline_end) {
    request.baseline = {*baseline_start, *baseline_end};
    if (request.baseline->length_ns() == 0) {
      parameters.Fail("baseline_end", "a time after baseline_start");
    }
  }
  request.filter.service = parameters.OwnedText("service");
  request.filter.operation = parameters.OwnedText("operation");
  request.limit = parameters.Limit(context.settings.default_limit, context.settings.max_limit);
  TL_TRY(parameters.Check());
  return request;
}

// Of all traces, also those that lack it.
double MeanNs(const PathPart& part, const PathTotals& totals) {
  if (totals.traces() == 0) return 0;
  return static_cast<double>(part.self_ns) / static_cast<double>(totals.traces());
}
double ShareOf(const PathPart& part, const PathTotals& totals) {
  if (totals.duration_ns() == 0) return 0;
  return static_cast<double>(part.self_ns) / static_cast<double>(totals.duration_ns());
}

struct Row {
  PathKey key;
  PathPart part;
  PathPart baseline;
  double growth_ns = 0;  // Of the mean; 0 without a baseline.
};

// The largest share first; with a baseline what grew most.
std::vector<Row> RowsOf(const PathTotals& window, const PathTotals* baseline) {
  std::map<PathKey, Row> rows;
  for (const auto& [key, part] : window.parts()) rows[key].part = part;
  if (baseline != nullptr) {
    for (const auto& [key, part] : baseline->parts()) rows[key].baseline = part;
  }
  std::vector<Row> sorted;
  for (auto& [key, row] : rows) {
    row.key = key;
    if (baseline != nullptr) {
      row.growth_ns = MeanNs(row.part, window) - MeanNs(row.baseline, *baseline);
    }
    sorted.push_back(std::move(row));
  }
  std::sort(sorted.begin(), sorted.end(), [](const Row& a, const Row& b) {
    if (a.growth_ns != b.growth_ns) return a.growth_ns > b.growth_ns;
    if (a.part.self_ns != b.part.self_ns) return a.part.self_ns > b.part.self_ns;
    return a.key < b.key;
  });
  return sorted;
}

void WriteTotals(wire::JsonWriter& json, const TimeSpan& window, const PathTotals& totals) {
  json.BeginObject();
  WriteWindowTimes(json, window);
  json.Key("traces").Uint(totals.traces());
  json.Key("undetermined_traces").Uint(totals.undetermined());
  WriteDuration(json.Key("duration_ns"), totals.duration_ns());
  json.EndObject();
}

void WriteRow(wire::JsonWriter& json, const Row& row, const PathTotals& window,
              const PathTotals* baseline) {
  json.BeginObject();
  json.Key("caller").String(row.key.caller);
  WriteNullable(json.Key("callee"), row.key.callee);
  WriteNullable(json.Key("operation"), row.key.operation);
  json.Key("share").Double(Rounded(ShareOf(row.part, window)));
  WriteDuration(json.Key("self_ns"), row.part.self_ns);
  WriteDuration(json.Key("mean_ns"), Ns(MeanNs(row.part, window)));
  json.Key("traces").Uint(row.part.traces);
  json.Key("spans").Uint(row.part.spans);
  if (baseline != nullptr) {
    json.Key("baseline_share").Double(Rounded(ShareOf(row.baseline, *baseline)));
    WriteDuration(json.Key("baseline_mean_ns"), Ns(MeanNs(row.baseline, *baseline)));
    WriteInteger(json.Key("growth_ns"), SignedNs(row.growth_ns));
  }
  json.Key("trace_ids").BeginArray();
  for (const PathPart::Example& example : row.part.examples) WriteId(json, example.trace_id);
  json.EndArray();
  json.EndObject();
}

}  // namespace

Response CriticalPaths(const Request& http, const Context& context) {
  const auto request = ReadRequest(http, context);
  if (!request) return Problem(request.error());
  const auto window = ReadPathTotals(http, context, request->window, request->filter);
  if (!window) return Problem(window.error());
  std::optional<ReadPaths> baseline;
  if (request->baseline) {
    auto read = ReadPathTotals(http, context, *request->baseline, request->filter);
    if (!read) return Problem(read.error());
    baseline = std::move(*read);
  }
  const PathTotals* const before = baseline ? &baseline->totals : nullptr;
  std::vector<Row> rows = RowsOf(window->totals, before);
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  WriteTotals(json.Key("window"), request->window, window->totals);
  if (baseline) WriteTotals(json.Key("baseline"), *request->baseline, *before);
  json.Key("parts").BeginArray();
  for (std::size_t i = 0; i < rows.size() && i < request->limit; ++i) {
    WriteRow(json, rows[i], window->totals, before);
  }
  json.EndArray();
  json.Key("parts_in_all").Uint(rows.size());
  const WalkedRecords& walked =
      baseline && window->walked.complete ? baseline->walked : window->walked;
  WriteCompleteness(json, walked.complete, walked.incomplete_reason);
  json.EndObject();
  return response;
}

}  // namespace throughline::api::links
