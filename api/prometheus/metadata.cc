// What is there to choose from: names and values of labels, series, types of metrics; and the fixed
// answers of a server without rules.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include "api/prometheus/answer.h"
#include "api/prometheus/exemplar_series.h"
#include "api/prometheus/handlers.h"
#include "api/query/promql.h"
#include "correlate/metric_name.h"
#include "wire/json_cursor.h"

namespace throughline::api::prometheus {
namespace {

using wire::JsonWriter;

// Calls visit(labels, exemplar) for one exemplar of each series that match[] finds, or of all.
template <typename Visit>
Result<std::vector<std::string>> VisitSeries(const Form& form, const Request& request,
                                             const Context& context,
                                             const std::vector<std::string>& wanted,
                                             const Visit& visit) {
  TL_TRY_ASSIGN(const TimeRange range, ReadRange(form));
  std::vector<query::Selector> selectors;
  for (const std::string_view match : form.All("match[]")) {
    auto expression = query::ParsePromQl(match);
    if (!expression) return WrongParameter("match[]", expression.error().message);
    if (expression->kind != query::PromQl::Kind::kSelector || expression->range_ns > 0) {
      return WrongParameter("match[]", "1:1: parse error: want a series selector");
    }
    if (selectors.size() == query::kMaxPromQlSelectors) {
      return WrongParameter(
          "match[]", "more than " + std::to_string(query::kMaxPromQlSelectors) + " selectors");
    }
    selectors.push_back(std::move(expression->selector));
  }
  if (selectors.empty()) selectors.emplace_back();
  TL_TRY_ASSIGN(FoundExemplars found, FindExemplars(selectors, range, request.scope, context));
  std::unordered_set<std::uint64_t> seen;
  for (const FoundExemplar& one : found.exemplars) {
    if (!seen.insert(SeriesHash(*one.exemplar, *one.batch)).second) continue;
    visit(SeriesLabels(*one.exemplar, *one.batch, {}, wanted), *one.exemplar);
  }
  return std::move(found.warnings);
}

// The first `limit` of sorted items, with a warning where that leaves some out.
template <typename Items, typename Write>
Response ListAnswer(const Items& items, std::size_t limit, std::vector<std::string> warnings,
                    const Write& write) {
  const std::size_t shown = limit == 0 ? items.size() : std::min(limit, items.size());
  if (shown < items.size()) warnings.emplace_back("results truncated due to limit");
  return Answer(
      [&](JsonWriter& json) {
        json.BeginArray();
        auto item = items.begin();
        for (std::size_t i = 0; i < shown; ++i) write(json, *item++);
        json.EndArray();
      },
      warnings);
}

void WriteText(JsonWriter& json, const std::string& text) { json.String(text); }

// U__http_2e_route is http.route.
// Source: prometheus.io/docs/guides/utf8, "Querying".
std::string Unescaped(std::string_view name) {
  if (!name.starts_with("U__")) return std::string(name);
  std::string out;
  name.remove_prefix(3);
  while (!name.empty()) {
    if (name.front() != '_') {
      out += name.front();
      name.remove_prefix(1);
      continue;
    }
    name.remove_prefix(1);
    if (name.starts_with('_')) {
      out += '_';
      name.remove_prefix(1);
      continue;
    }
    std::uint32_t code = 0;
    std::size_t digits = 0;
    constexpr std::string_view kHex = "0123456789abcdef";
    for (; digits < std::min<std::size_t>(name.size(), 6); ++digits) {
      const std::size_t digit = kHex.find(name[digits]);
      if (digit == std::string_view::npos) break;
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    if (digits == 0 || digits == name.size() || name[digits] != '_' || code > 0x10ffff) return {};
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (!(code >= 0xd800 && code < 0xe000)) {
      wire::AppendUtf8(code, out);
    }
    name.remove_prefix(digits + 1);
  }
  return out;
}

std::string_view TypeName(MetricType type) {
  switch (type) {
    case MetricType::kUnknown: return "unknown";
    case MetricType::kGauge: return "gauge";
    case MetricType::kSum: return "counter";
    case MetricType::kHistogram:
    case MetricType::kExponentialHistogram: return "histogram";
    case MetricType::kSummary: return "summary";
  }
  return "unknown";
}

// Of a metric's series, as its family is called.
std::string FamilyOf(const Exemplar& exemplar) {
  std::string name = PrometheusMetricName(exemplar.metric, exemplar.unit, exemplar.metric_type);
  constexpr std::string_view kBucket = "_bucket";
  if (exemplar.metric_type == MetricType::kHistogram && name.ends_with(kBucket)) {
    name.resize(name.size() - kBucket.size());
  }
  return name;
}

}  // namespace

Response Labels(const Request& request, const Context& context) {
  const Form form(request);
  const auto limit = ReadLimit(form);
  if (!limit) return ErrorAnswer(limit.error());
  std::set<std::string> names;
  auto visited = VisitSeries(form, request, context, {}, [&](const LabelSet& labels, auto&) {
    for (const auto& [name, value] : labels) names.insert(name);
  });
  if (!visited) return ErrorAnswer(visited.error());
  return ListAnswer(names, *limit, *std::move(visited), WriteText);
}

Response LabelValues(const Request& request, const Context& context) {
  const Form form(request);
  const auto limit = ReadLimit(form);
  if (!limit) return ErrorAnswer(limit.error());
  const std::string name = request.captures.empty() ? "" : Unescaped(request.captures[0]);
  if (name.empty()) return ErrorAnswer(InvalidArgument("invalid label name: \"\""));
  std::set<std::string> values;
  auto visited = VisitSeries(form, request, context, {name}, [&](const LabelSet& labels, auto&) {
    const auto found = labels.find(name);
    if (found != labels.end()) values.insert(found->second);
  });
  if (!visited) return ErrorAnswer(visited.error());
  return ListAnswer(values, *limit, *std::move(visited), WriteText);
}

Response Series(const Request& request, const Context& context) {
  const Form form(request);
  const auto limit = ReadLimit(form);
  if (!limit) return ErrorAnswer(limit.error());
  if (form.All("match[]").empty()) {
    return ErrorAnswer(InvalidArgument("no match[] parameter provided"));
  }
  std::set<LabelSet> series;
  auto visited = VisitSeries(form, request, context, {},
                             [&](const LabelSet& labels, auto&) { series.insert(labels); });
  if (!visited) return ErrorAnswer(visited.error());
  return ListAnswer(series, *limit, *std::move(visited),
                    [](JsonWriter& json, const LabelSet& labels) {
                      json.BeginObject();
                      for (const auto& [name, value] : labels) json.Key(name).String(value);
                      json.EndObject();
                    });
}

Response Metadata(const Request& request, const Context& context) {
  const Form form(request);
  const auto limit = ReadLimit(form);
  if (!limit) return ErrorAnswer(limit.error());
  const auto asked = form.Text("metric");
  std::map<std::string, std::pair<std::string_view, std::string>> families;  // Type and unit.
  const auto visited =
      VisitSeries(form, request, context, {}, [&](const LabelSet&, const Exemplar& exemplar) {
        std::string family = FamilyOf(exemplar);
        if (asked && family != *asked) return;
        families.try_emplace(std::move(family), TypeName(exemplar.metric_type), exemplar.unit);
      });
  if (!visited) return ErrorAnswer(visited.error());
  return Answer([&](JsonWriter& json) {
    json.BeginObject();
    std::size_t left = *limit == 0 ? families.size() : *limit;
    for (const auto& [name, about] : families) {
      if (left-- == 0) break;
      json.Key(name).BeginArray().BeginObject();
      json.Key("type").String(about.first);
      json.Key("help").String("");
      json.Key("unit").String(about.second);
      json.EndObject().EndArray();
    }
    json.EndObject();
  });
}

Response Rules(const Request&, const Context&) {
  return Answer([](JsonWriter& json) {
    json.BeginObject();
    json.Key("groups").BeginArray().EndArray();
    json.EndObject();
  });
}

// Without "features", which would be those of Mimir.
Response BuildInfo(const Request&, const Context&) {
  return Answer([](JsonWriter& json) {
    json.BeginObject();
    json.Key("version").String("2.55.0");
    json.Key("revision").String("throughline");
    for (const char* const key : {"branch", "buildUser", "buildDate", "goVersion"}) {
      json.Key(key).String("");
    }
    json.EndObject();
  });
}

}  // namespace throughline::api::prometheus
