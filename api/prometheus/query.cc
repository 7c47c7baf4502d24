// /query and /query_range: constants, what spans can be counted for, and nothing that would have to
// be made up.
#include <string>
#include <utility>

#include "api/number_text.h"
#include "api/prometheus/answer.h"
#include "api/prometheus/constant.h"
#include "api/prometheus/handlers.h"
#include "api/prometheus/span_metrics.h"
#include "api/query/promql.h"

namespace throughline::api::prometheus {
namespace {

using query::PromQl;
using wire::JsonWriter;

constexpr std::size_t kMaxPoints = 11'000;  // Of one series; Prometheus' own bound.

std::vector<std::string> NoSamples() {
  return {"Throughline keeps exemplars, not samples: this expression has no series here"};
}

Result<PromQl> ReadExpression(const Form& form) {
  const auto text = form.Text("query").value_or(std::string_view());
  auto expression = query::ParsePromQl(text);
  if (!expression) return WrongParameter("query", expression.error().message);
  return expression;
}

double Seconds(std::uint64_t unix_ns) { return static_cast<double>(unix_ns / 1'000'000) / 1e3; }

void WritePoint(JsonWriter& json, std::uint64_t unix_ns, std::string_view value) {
  json.BeginArray();
  WriteTimestamp(json, unix_ns);
  json.String(value);
  json.EndArray();
}

void BeginResult(JsonWriter& json, std::string_view type) {
  json.BeginObject();
  json.Key("resultType").String(type);
  json.Key("result");
}

// A vector of each series' only point, or a matrix.
Response AnswerOf(const SpanAnswer& answer, bool is_instant) {
  const auto write = [&](JsonWriter& json) {
    BeginResult(json, is_instant ? "vector" : "matrix");
    json.BeginArray();
    for (const SpanSeries& series : answer.series) {
      json.BeginObject();
      json.Key("metric");
      WriteLabels(json, series.labels);
      json.Key(is_instant ? "value" : "values");
      if (!is_instant) json.BeginArray();
      for (const SpanSeries::Point& point : series.points) {
        WritePoint(json, point.unix_ns, NumberText(point.value));
      }
      if (!is_instant) json.EndArray();
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  };
  return Answer(write, {answer.warning});
}

}  // namespace

Response Query(const Request& request, const Context& context) {
  const Form form(request);
  const auto time = ReadTime(form, "time", context.now_unix_ns);
  if (!time) return ErrorAnswer(time.error());
  const auto expression = ReadExpression(form);
  if (!expression) return ErrorAnswer(expression.error());
  if (expression->kind == PromQl::Kind::kString) {
    return Answer([&](JsonWriter& json) {
      BeginResult(json, "string");
      WritePoint(json, *time, expression->text);
      json.EndObject();
    });
  }
  if (const auto spans = ReadSpanExpression(*expression)) {
    const auto answer = Evaluate(*spans, {*time, *time}, request, context);
    return answer ? AnswerOf(*answer, true) : ErrorAnswer(answer.error());
  }
  const auto constant = ConstantOf(*expression, Seconds(*time));
  if (!constant) {
    return Answer(
        [](JsonWriter& json) {
          BeginResult(json, "vector");
          json.BeginArray().EndArray();
          json.EndObject();
        },
        NoSamples());
  }
  return Answer([&](JsonWriter& json) {
    BeginResult(json, constant->is_vector ? "vector" : "scalar");
    const std::string value = NumberText(constant->value);
    if (constant->is_vector) {
      json.BeginArray().BeginObject();
      json.Key("metric").BeginObject().EndObject();
      json.Key("value");
      WritePoint(json, *time, value);
      json.EndObject().EndArray();
    } else {
      WritePoint(json, *time, value);
    }
    json.EndObject();
  });
}

namespace {

Result<Response> RangeAnswer(const Form& form, const Request& request, const Context& context) {
  for (const std::string_view name : {"start", "end"}) {
    if (!form.Text(name)) return WrongParameter(name, "cannot parse \"\" to a valid timestamp");
  }
  TL_TRY_ASSIGN(const TimeRange range, ReadRange(form));
  TL_TRY_ASSIGN(const std::uint64_t step, ReadStep(form, "step"));
  if ((range.end_unix_ns - range.start_unix_ns) / step >= kMaxPoints) {
    return InvalidArgument("exceeded maximum resolution of " + std::to_string(kMaxPoints) +
                           " points per timeseries. Try decreasing the query resolution "
                           "(?step=XX)");
  }
  TL_TRY_ASSIGN(const PromQl expression, ReadExpression(form));
  if (expression.kind == PromQl::Kind::kString) {
    return WrongParameter("query",
                          "invalid expression type \"string\" for range query, must be Scalar or "
                          "instant Vector");
  }
  if (const auto spans = ReadSpanExpression(expression); spans && !spans->top) {
    TL_TRY_ASSIGN(
        const SpanAnswer answer,
        Evaluate(*spans, {range.start_unix_ns, range.end_unix_ns, step}, request, context));
    return AnswerOf(answer, false);
  }
  const bool known = ConstantOf(expression, 0).has_value();
  const auto write = [&](JsonWriter& json) {
    BeginResult(json, "matrix");
    json.BeginArray();
    if (known) {
      json.BeginObject();
      json.Key("metric").BeginObject().EndObject();
      json.Key("values").BeginArray();
      const std::uint64_t points = (range.end_unix_ns - range.start_unix_ns) / step + 1;
      for (std::uint64_t i = 0; i < points; ++i) {
        const std::uint64_t time = range.start_unix_ns + i * step;
        WritePoint(json, time, NumberText(ConstantOf(expression, Seconds(time))->value));
      }
      json.EndArray();
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  };
  return Answer(write, known ? std::vector<std::string>() : NoSamples());
}

}  // namespace

Response QueryRange(const Request& request, const Context& context) {
  auto answer = RangeAnswer(Form(request), request, context);
  return answer ? *std::move(answer) : ErrorAnswer(answer.error());
}

}  // namespace throughline::api::prometheus
