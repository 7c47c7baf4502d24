// /query and /query_range: lines as streams, numbers of lines as vectors and matrices.
#include <cmath>
#include <string>
#include <utility>

#include "api/loki/answer.h"
#include "api/loki/handlers.h"
#include "api/loki/metric.h"
#include "api/loki/scan.h"
#include "api/loki/streams.h"
#include "api/number_text.h"
#include "api/query/logql.h"

namespace throughline::api::loki {
namespace {

using query::LogQl;
using wire::JsonWriter;

constexpr std::uint64_t kHourNs = 3'600'000'000'000;

struct LinesAsked {
  TimeRange range;
  bool newest_first = true;
  std::size_t limit = 100;
  bool categorize = false;  // The three kinds of labels apart.
};

Result<LinesAsked> ReadLinesAsked(const Form& form, const Request& request,
                                  const Context& context) {
  constexpr std::size_t kDefaultLimit = 100;
  LinesAsked asked;
  const std::string_view direction = form.Text("direction").value_or("backward");
  asked.newest_first = direction != "forward" && direction != "FORWARD";
  if (asked.newest_first && direction != "backward" && direction != "BACKWARD") {
    return InvalidArgument("invalid direction '" + std::string(direction.substr(0, 100)) + "'");
  }
  TL_TRY_ASSIGN(asked.limit, ReadLimit(form, "limit", kDefaultLimit, context.settings.max_limit));
  asked.categorize = AsksCategorized(request);
  return asked;
}

void WriteStats(JsonWriter& json, std::size_t lines, std::size_t bytes, std::size_t returned) {
  json.Key("stats").BeginObject();
  json.Key("summary").BeginObject();
  json.Key("totalBytesProcessed").Uint(bytes);
  json.Key("totalLinesProcessed").Uint(lines);
  json.Key("totalEntriesReturned").Uint(returned);
  json.EndObject();
  json.EndObject();
}

Result<Response> StreamsAnswer(const LogQl& query, const LinesAsked& asked, const Scope& scope,
                               const Context& context) {
  Streams streams(asked.categorize);
  ScanOptions options;
  options.range = asked.range;
  options.newest_first = asked.newest_first;
  options.first_page = asked.limit;
  options.lines = context.settings.lines_read;
  const auto on_entry = [&](Entry& entry) {
    streams.Add(std::move(entry));
    return streams.size() < asked.limit;
  };
  TL_TRY_ASSIGN(const ScanEnd scanned, Scan(query.selection, options, scope, context, on_entry));
  Response response;
  JsonWriter json(response.body);
  json.BeginObject();
  json.Key("status").String("success");
  json.Key("data").BeginObject();
  json.Key("resultType").String("streams");
  streams.WriteFlags(json);
  streams.Write(json.Key("result"));
  WriteStats(json, scanned.lines, scanned.bytes, streams.size());
  json.EndObject();
  if (!scanned.missing.empty()) WriteWarnings(json, {scanned.missing});
  json.EndObject();
  return response;
}

void WritePoint(JsonWriter& json, std::uint64_t unix_ns, double value) {
  json.BeginArray();
  WriteTimestamp(json, unix_ns);
  json.String(NumberText(value));
  json.EndArray();
}

void WriteSeries(JsonWriter& json, const MetricLabels& labels, const std::vector<double>& values,
                 const Steps& steps, bool instant) {
  std::size_t present = 0;
  for (const double value : values) present += std::isnan(value) ? 0U : 1U;
  if (present == 0) return;
  json.BeginObject();
  WriteLabels(json.Key("metric"), labels);
  if (instant) {
    WritePoint(json.Key("value"), steps.start_unix_ns, values[0]);
  } else {
    json.Key("values").BeginArray();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isnan(values[i])) WritePoint(json, steps.At(i), values[i]);
    }
    json.EndArray();
  }
  json.EndObject();
}

Result<Response> MetricAnswer(const LogQl& query, const Steps& steps, bool instant,
                              const Scope& scope, const Context& context) {
  MetricNotes notes;
  TL_TRY_ASSIGN(const Metric metric, Evaluate(query, steps, scope, context, notes));
  Response response;
  JsonWriter json(response.body);
  json.BeginObject();
  json.Key("status").String("success");
  json.Key("data").BeginObject();
  if (instant && metric.is_scalar) {
    json.Key("resultType").String("scalar");
    WritePoint(json.Key("result"), steps.start_unix_ns, metric.series.begin()->second[0]);
  } else {
    json.Key("resultType").String(instant ? "vector" : "matrix");
    json.Key("result").BeginArray();
    for (const auto& [labels, values] : metric.series) {
      WriteSeries(json, labels, values, steps, instant);
    }
    json.EndArray();
  }
  WriteStats(json, notes.lines, notes.bytes, metric.series.size());
  json.EndObject();
  WriteWarnings(json, notes.warnings);
  json.EndObject();
  return response;
}

Result<LogQl> ReadQuery(const Form& form) {
  const std::string_view text = form.Text("query").value_or(std::string_view());
  // Grafana's health check, whose '+' a URL makes a space of.
  if (text == "vector(1) vector(1)") return query::ParseLogQl("vector(1)+vector(1)");
  return query::ParseLogQl(text);
}

Result<Response> InstantAnswer(const Request& request, const Context& context) {
  const Form form(request);
  TL_TRY_ASSIGN(const LogQl query, ReadQuery(form));
  TL_TRY_ASSIGN(const std::uint64_t time, ReadTime(form, "time", context.now_unix_ns));
  TL_TRY_ASSIGN(LinesAsked asked, ReadLinesAsked(form, request, context));
  if (query.IsMetric()) {
    const Steps steps{.start_unix_ns = time, .step_ns = 1, .count = 1};
    return MetricAnswer(query, steps, true, request.scope, context);
  }
  asked.range = {time - std::min(time, kHourNs), time};
  return StreamsAnswer(query, asked, request.scope, context);
}

Result<Response> RangeAnswer(const Request& request, const Context& context) {
  const Form form(request);
  TL_TRY_ASSIGN(const LogQl query, ReadQuery(form));
  TL_TRY_ASSIGN(LinesAsked asked, ReadLinesAsked(form, request, context));
  TL_TRY_ASSIGN(asked.range, ReadRange(form, context.now_unix_ns));
  if (!query.IsMetric()) return StreamsAnswer(query, asked, request.scope, context);
  TL_TRY_ASSIGN(const std::uint64_t step, ReadStep(form, asked.range));
  const std::uint64_t start = asked.range.start_unix_ns;
  // The last step may stand at the end as sent.
  const std::uint64_t length = asked.range.end_unix_ns + 1 - start;
  const Steps steps{.start_unix_ns = start,
                    .step_ns = step,
                    .count = static_cast<std::size_t>(length / step) + 1};
  return MetricAnswer(query, steps, false, request.scope, context);
}

}  // namespace

Response Query(const Request& request, const Context& context) {
  auto answer = InstantAnswer(request, context);
  return answer ? *std::move(answer) : ErrorAnswer(answer.error());
}

Response QueryRange(const Request& request, const Context& context) {
  auto answer = RangeAnswer(request, context);
  return answer ? *std::move(answer) : ErrorAnswer(answer.error());
}

}  // namespace throughline::api::loki
