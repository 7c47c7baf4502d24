// GET /api/metrics/query_range and /api/metrics/query: TraceQL's metrics, of the spans held here.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/plain_text.h"
#include "api/query/traceql.h"
#include "api/query/traceql_evaluate.h"
#include "api/query/traceql_plan.h"
#include "api/query/traceql_value.h"
#include "api/tempo/columns.h"
#include "api/tempo/compare_series.h"
#include "api/tempo/handlers.h"
#include "api/tempo/metric_series.h"
#include "api/tempo/parameters.h"
#include "api/time_text.h"
#include "api/walk_spans.h"
#include "api/walk_traces.h"
#include "wire/json_writer.h"

namespace throughline::api::tempo {
namespace {

namespace traceql = query::traceql;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kStepsByDefault = 100;
constexpr std::size_t kDefaultExemplars = 100;
constexpr std::size_t kMostExemplars = 5000;

struct Asked {
  traceql::Query query;
  TimeRange range;
  Steps steps;
  std::size_t exemplars = 0;
};

Result<std::uint64_t> ReadStep(const Request& request, const TimeRange& range) {
  const std::string_view text = request.Query("step").value_or("");
  if (text.empty() || text == "0") {
    const std::uint64_t even = (range.end_unix_ns - range.start_unix_ns) / kStepsByDefault;
    return std::max<std::uint64_t>((even + kSecondNs - 1) / kSecondNs, 1) * kSecondNs;
  }
  // A number without a unit is in seconds here.
  double seconds = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (end.ec == std::errc() && end.ptr == text.data() + text.size()) {
    if (seconds >= 1e-3 && seconds < 1e9) return static_cast<std::uint64_t>(seconds * 1e9);
    return InvalidArgument("step: want at least 1ms");
  }
  const auto step = ParseDuration(text);
  if (!step) return InvalidArgument("step: " + step.error().message);
  if (*step < kSecondNs / 1000) return InvalidArgument("step: want at least 1ms");
  return *step;
}

// Steps on multiples of the step, around the range.
Result<Steps> StepsOf(const TimeRange& range, std::uint64_t step_ns) {
  Steps steps{.start_unix_ns = range.start_unix_ns / step_ns * step_ns, .step_ns = step_ns};
  const std::uint64_t length = range.end_unix_ns - steps.start_unix_ns;
  const std::uint64_t count =
      std::max<std::uint64_t>(length / step_ns + (length % step_ns != 0), 1);
  if (count > kMostSteps) {
    return InvalidArgument("the range has " + std::to_string(count) + " steps, want " +
                           std::to_string(kMostSteps) + " at most: make step larger");
  }
  steps.count = count;
  return steps;
}

Result<Asked> Read(const Request& request, const Context& context, bool instant) {
  Asked asked;
  auto query = traceql::Parse(request.Query("q").value_or(request.Query("query").value_or("")));
  if (!query) return InvalidArgument("invalid TraceQL query: " + query.error().message);
  if (!query->metrics) {
    return InvalidArgument(
        "invalid TraceQL query: no metrics function, want | rate(), count_over_time(), ...");
  }
  asked.query = *std::move(query);
  TL_TRY_ASSIGN(asked.range, ReadRange(request, context, LastHour(context), EndIs::kExact));
  if (instant) {
    const std::uint64_t length = asked.range.end_unix_ns - asked.range.start_unix_ns;
    asked.steps = {.start_unix_ns = asked.range.start_unix_ns,
                   .step_ns = std::max<std::uint64_t>(length, 1)};
    return asked;
  }
  TL_TRY_ASSIGN(const std::uint64_t step, ReadStep(request, asked.range));
  TL_TRY_ASSIGN(asked.steps, StepsOf(asked.range, step));
  TL_TRY_ASSIGN(asked.exemplars,
                ReadCount(request, "exemplars", kDefaultExemplars, kMostExemplars));
  return asked;
}

// A span that counts starts in the range itself, so it alone must be found by what the store
// searches: of several spansets another one's conditions would not do.
TraceQuery Candidates(const Asked& asked) {
  const traceql::Spanset& first = *asked.query.pipeline.stages.front().spanset;
  TraceQuery query;
  if (first.kind == traceql::Spanset::Kind::kFilter) {
    query = traceql::CandidatesOf(asked.query.pipeline);
  }
  query.time = asked.range;
  query.limit = 2000;
  return query;
}

// Whether the conditions are likely to leave few traces. To find a trace and read it costs 40 to
// 300 times what a span costs that is read in bulk, so a service alone is not enough.
bool Narrows(const TraceQuery& query) {
  constexpr std::uint32_t kError = 2;
  return query.operation || query.status_code == kError || query.min_duration_ns ||
         std::any_of(query.attributes.begin(), query.attributes.end(), [](const Matcher& matcher) {
           return matcher.op == Matcher::Op::kEqual || matcher.op == Matcher::Op::kRegex;
         });
}

// Calls `add` for each selected span in the range.
template <typename Add>
Result<Walked> EachSpan(const Request& request, const Context& context, const Asked& asked,
                        const Add& add) {
  const auto look = [&](const traceql::Trace& trace) {
    traceql::Evaluator evaluator(trace);
    for (const auto& set : evaluator.Select(asked.query.pipeline)) {
      for (const std::uint32_t place : set.places) {
        if (asked.range.Contains(trace.At(place).start_unix_ns)) add(trace, place, evaluator);
      }
    }
  };
  const TraceQuery candidates = Candidates(asked);
  if (traceql::NeedsWholeTrace(asked.query) || Narrows(candidates)) {
    const auto visit = [&](const WalkedTrace& walked) {
      look({walked.summary.trace_id, walked.batch, walked.tree});
      return true;
    };
    return WalkTraces(request, context, candidates,
                      {context.settings.query_traces, "limits.query_traces"}, visit);
  }
  return WalkSpans(request, context, asked.range, [&](const SomeSpans& some) {
    look({some.id, some.batch, some.tree});
  });
}

struct Answer {
  std::vector<Series> series;
  Walked walked;
};

Result<Answer> Compared(const Request& request, const Context& context, const Asked& asked) {
  const traceql::Metrics& metrics = *asked.query.metrics;
  CompareSeries series(asked.steps, context.settings.query_series);
  const auto add = [&](const traceql::Trace& trace, std::uint32_t place,
                       traceql::Evaluator& evaluator) {
    const std::uint64_t start = trace.At(place).start_unix_ns;
    const bool in_time =
        metrics.selection_end_unix_ns == 0 ||
        (start >= metrics.selection_start_unix_ns && start <= metrics.selection_end_unix_ns);
    series.Add(trace, place, in_time && !evaluator.Select(*metrics.selection, {place}).empty());
    trace.Forget();
  };
  Answer answer;
  TL_TRY_ASSIGN(answer.walked, EachSpan(request, context, asked, add));
  answer.series = series.Finish(metrics.top_values);
  if (answer.walked.cut.empty()) answer.walked.cut = series.cut();
  return answer;
}

Result<Answer> Measured(const Request& request, const Context& context, const Asked& asked) {
  MetricSeries series(*asked.query.metrics, asked.steps, context.settings.query_series);
  const auto add = [&](const traceql::Trace& trace, std::uint32_t place, traceql::Evaluator&) {
    series.Add(trace, place);
  };
  Answer answer;
  TL_TRY_ASSIGN(answer.walked, EachSpan(request, context, asked, add));
  answer.series = series.Finish(asked.exemplars);
  if (answer.walked.cut.empty()) answer.walked.cut = series.cut();
  return answer;
}

void WriteLabels(const Labels& labels, wire::JsonWriter& json) {
  json.Key("labels").BeginArray();
  for (const auto& [name, value] : labels) {
    json.BeginObject().Key("key").String(name).Key("value").BeginObject();
    switch (value.type) {
      case traceql::Type::kBool: json.Key("boolValue").Bool(value.integer != 0); break;
      case traceql::Type::kInt: json.Key("intValue").String(std::to_string(value.integer)); break;
      case traceql::Type::kFloat: json.Key("doubleValue").Double(value.number); break;
      case traceql::Type::kDuration:
        json.Key("stringValue").String(DurationText(value.integer));
        break;
      default: json.Key("stringValue").String(TextOf(traceql::Of(value)));
    }
    json.EndObject().EndObject();
  }
  json.EndArray();
}

void WriteRange(const Series& series, const Steps& steps, wire::JsonWriter& json) {
  const auto point = [&json](std::uint64_t unix_ns, double value) {
    json.Key("timestampMs").String(std::to_string(unix_ns / 1'000'000));
    json.Key("value").Double(value);
  };
  WriteLabels(series.labels, json);
  json.Key("samples").BeginArray();
  for (std::size_t step = 0; step < series.samples.size(); ++step) {
    if (std::isnan(series.samples[step])) continue;
    json.BeginObject();
    point(steps.TimeOf(step), series.samples[step]);
    json.EndObject();
  }
  json.EndArray();
  if (series.exemplars.empty()) return;
  json.Key("exemplars").BeginArray();
  for (const MetricExemplar& exemplar : series.exemplars) {
    json.BeginObject().Key("labels").BeginArray();
    json.BeginObject().Key("key").String("trace:id").Key("value").BeginObject();
    json.Key("stringValue").String(ToHex(exemplar.trace_id));
    json.EndObject().EndObject().EndArray();
    point(exemplar.unix_ns, exemplar.value);
    json.EndObject();
  }
  json.EndArray();
}

Response Ask(const Request& request, const Context& context, bool instant) {
  const auto asked = Read(request, context, instant);
  if (!asked) return PlainText(asked.error());
  const bool compares = asked->query.metrics->function == traceql::Metric::kCompare;
  const auto answer =
      compares ? Compared(request, context, *asked) : Measured(request, context, *asked);
  if (!answer) return PlainText(answer.error());
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject().Key("series").BeginArray();
  for (const Series& series : answer->series) {
    json.BeginObject();
    if (instant) {
      WriteLabels(series.labels, json);
      json.Key("value").Double(series.samples.front());
    } else {
      WriteRange(series, asked->steps, json);
    }
    json.EndObject();
  }
  json.EndArray();
  json.Key("metrics").BeginObject();
  json.Key("inspectedTraces").Uint(answer->walked.traces);
  json.Key("inspectedSpans").UintString(answer->walked.spans);
  json.Key("completedJobs").Uint(answer->walked.cut.empty() ? 1 : 0);
  json.Key("totalJobs").Uint(1);
  json.EndObject();
  // The parser of instant answers takes no more fields.
  if (!instant && !answer->walked.cut.empty()) {
    json.Key("status").String("PARTIAL");
    json.Key("message").String(answer->walked.cut);
  }
  json.EndObject();
  SayCut(answer->walked.cut, response);
  return response;
}

}  // namespace

Response MetricsRange(const Request& request, const Context& context) {
  return Ask(request, context, false);
}

Response MetricsInstant(const Request& request, const Context& context) {
  return Ask(request, context, true);
}

}  // namespace throughline::api::tempo
