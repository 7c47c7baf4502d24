// /query_exemplars: what stands behind a panel, by the panel's own expression.
//
// Grafana draws a link for every exemplar that has the label trace_id. One whose trace cannot be
// opened has trace_id_unavailable instead, and link_state says why.
//
// Where a real Prometheus was asked too (prometheus.upstream) its exemplars stand beside ours; a
// measurement that both have counts once, and ours stays, which is not rounded.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "api/links/known_traces.h"
#include "api/number_text.h"
#include "api/prometheus/answer.h"
#include "api/prometheus/exemplar_series.h"
#include "api/prometheus/handlers.h"
#include "api/prometheus/strata.h"
#include "api/prometheus/upstream_exemplars.h"
#include "api/query/promql.h"
#include "correlate/metric_name.h"
#include "correlate/record_time.h"

namespace throughline::api::prometheus {
namespace {

using wire::JsonWriter;

// An answer without `step` is cut into so many steps for the choice by strata.
constexpr std::uint64_t kSteps = 100;

struct Asked {
  TimeRange range;
  std::uint64_t step_ns = 0;
  std::vector<query::Selector> selectors;
  std::vector<std::string> wanted;  // Labels that matchers and by() name.
};

Result<Asked> ReadQuery(const Form& form) {
  Asked asked;
  TL_TRY_ASSIGN(asked.range, ReadRange(form));
  if (form.Text("step")) {
    TL_TRY_ASSIGN(asked.step_ns, ReadStep(form, "step"));
  }
  const auto expression = query::ParsePromQl(form.Text("query").value_or(std::string_view()));
  if (!expression) return WrongParameter("query", expression.error().message);
  asked.wanted = query::GroupedLabelsOf(*expression);
  for (const query::PromQl* part : query::SelectorsOf(*expression)) {
    asked.selectors.push_back(part->selector);
    for (const Matcher& matcher : part->selector.matchers) {
      if (matcher.key != "__name__") asked.wanted.push_back(matcher.key);
    }
  }
  return asked;
}

// Reduces what was found to settings.exemplars_answered.
void Cap(const Asked& asked, const Context& context, FoundExemplars& found) {
  const std::size_t most = context.settings.exemplars_answered;
  if (found.exemplars.size() <= most) return;
  std::vector<StratumItem> items;
  items.reserve(found.exemplars.size());
  for (const FoundExemplar& one : found.exemplars) {
    items.push_back({.series = SeriesHash(*one.exemplar, *one.batch),
                     .unix_ns = TimeOf(*one.exemplar),
                     .stratum = StratumOf(*one.exemplar)});
  }
  const std::uint64_t span = items.front().unix_ns - items.back().unix_ns;
  const std::uint64_t step = asked.step_ns > 0 ? asked.step_ns : span / kSteps + 1;
  std::vector<FoundExemplar> chosen;
  for (const std::uint32_t index : ChooseByStrata(items, most, step)) {
    chosen.push_back(found.exemplars[index]);
  }
  found.warnings.push_back(std::to_string(chosen.size()) + " of " +
                           std::to_string(found.exemplars.size()) +
                           " exemplars, of every range of values the newest "
                           "(limits.exemplars_answered)");
  found.exemplars = std::move(chosen);
}

void AddLink(TraceId trace_id, SpanId span_id, LinkState state, LabelSet& labels) {
  if (!trace_id.IsValid()) return;
  if (span_id.IsValid()) labels["span_id"] = ToHex(span_id);
  if (state == LinkState::kLive || state == LinkState::kPending) {
    labels["trace_id"] = ToHex(trace_id);
  } else {
    labels.erase("trace_id");
    labels["trace_id_unavailable"] = ToHex(trace_id);
    labels["link_state"] = LinkStateName(state);
  }
}

LabelSet ExemplarLabels(const FoundExemplar& found, LinkState state) {
  const Exemplar& exemplar = *found.exemplar;
  LabelSet labels;
  for (const Attribute& attribute : found.batch->Of(exemplar.attributes)) {
    labels.try_emplace(PrometheusName(attribute.key()), ValueText(attribute.value()));
  }
  AddLink(exemplar.trace_id, exemplar.span_id, state, labels);
  return labels;
}

struct Drawn {
  std::uint64_t unix_ns = 0;
  LabelSet labels;
  double value = 0;
};
using DrawnSeries = std::map<LabelSet, std::vector<Drawn>>;

Result<DrawnSeries> Draw(const Asked& asked, const Scope& scope, const Context& context,
                         links::KnownTraces& known, FoundExemplars& found) {
  DrawnSeries series;
  std::size_t drawn = 0;
  for (const FoundExemplar& one : found.exemplars) {
    if (scope.Expired()) {
      found.warnings.push_back("exemplars are missing: only " + std::to_string(drawn) +
                               " could be looked up in limits.lookup_deadline");
      break;
    }
    ++drawn;
    const Exemplar& exemplar = *one.exemplar;
    LinkState state = LinkState::kMalformed;
    if (exemplar.trace_id.IsValid()) {
      TL_TRY_ASSIGN(const links::KnownTrace* trace, known.Find(exemplar.trace_id));
      state = links::LinkOf(*trace, 0, context).state;
    }
    series[SeriesLabels(exemplar, *one.batch, asked.selectors[one.selector].metric, asked.wanted)]
        .push_back({.unix_ns = TimeOf(exemplar),
                    .labels = ExemplarLabels(one, state),
                    .value = exemplar.value()});
  }
  return series;
}

// Finds the measurements of ours that an upstream has too. Its times are milliseconds, and the
// same measurement may have come to it by another clock.
class OurMeasurements {
 public:
  explicit OurMeasurements(const FoundExemplars& found) {
    for (const FoundExemplar& one : found.exemplars) {
      const Exemplar& exemplar = *one.exemplar;
      // NaN has no order, and is nobody's measurement.
      if (!exemplar.trace_id.IsValid() || std::isnan(exemplar.value())) continue;
      times_.emplace(Key{exemplar.trace_id.low, exemplar.value()},
                     Ours{exemplar.span_id, TimeOf(exemplar)});
    }
  }

  bool Has(const UpstreamExemplar& theirs) const {
    const auto [begin, end] = times_.equal_range(Key{theirs.trace_id.low, theirs.value});
    return std::any_of(begin, end, [&](const auto& item) {
      const auto [span_id, unix_ns] = item.second;
      const std::uint64_t apart =
          std::max(unix_ns, theirs.unix_ns) - std::min(unix_ns, theirs.unix_ns);
      return span_id == theirs.span_id && apart <= kSameNs;
    });
  }

 private:
  static constexpr std::uint64_t kSameNs = 1'000'000;
  using Key = std::pair<std::uint64_t, double>;
  using Ours = std::pair<SpanId, std::uint64_t>;
  std::multimap<Key, Ours> times_;
};

// Adds what the upstream has and we have not.
Result<void> AddUpstream(const Request& request, const Context& context, links::KnownTraces& known,
                         FoundExemplars& found, DrawnSeries& series) {
  if (!request.upstream_failure.empty()) {
    found.warnings.push_back("prometheus.upstream: " + request.upstream_failure);
  }
  if (request.upstream_body.empty()) return {};
  const auto theirs =
      ReadUpstreamExemplars(request.upstream_body, context.settings.exemplars_answered);
  if (!theirs) {
    found.warnings.push_back("prometheus.upstream: " + theirs.error().message);
    return {};
  }
  if (theirs->left_out > 0) {
    found.warnings.push_back("prometheus.upstream: its oldest " + std::to_string(theirs->left_out) +
                             " exemplars are left out (limits.exemplars_answered)");
  }
  const OurMeasurements ours(found);
  for (const UpstreamExemplar& exemplar : theirs->exemplars) {
    LabelSet labels = exemplar.labels;
    if (exemplar.trace_id.IsValid()) {
      if (!std::isnan(exemplar.value) && ours.Has(exemplar)) continue;
      if (request.scope.Expired()) {
        found.warnings.push_back(
            "exemplars of prometheus.upstream are missing: they could not all "
            "be looked up in limits.lookup_deadline");
        break;
      }
      TL_TRY_ASSIGN(const links::KnownTrace* trace, known.Find(exemplar.trace_id));
      AddLink(exemplar.trace_id, exemplar.span_id,
              links::LinkOf(*trace, exemplar.unix_ns, context).state, labels);
    }
    series[theirs->series[exemplar.series]].push_back(
        {.unix_ns = exemplar.unix_ns, .labels = std::move(labels), .value = exemplar.value});
  }
  for (auto& [labels, drawn] : series) {
    std::stable_sort(drawn.begin(), drawn.end(),
                     [](const Drawn& a, const Drawn& b) { return a.unix_ns > b.unix_ns; });
  }
  return {};
}

void WriteSeries(JsonWriter& json, const LabelSet& labels, const std::vector<Drawn>& newest_first) {
  json.BeginObject();
  json.Key("seriesLabels");
  WriteLabels(json, labels);
  json.Key("exemplars").BeginArray();
  for (auto drawn = newest_first.rbegin(); drawn != newest_first.rend(); ++drawn) {
    json.BeginObject();
    json.Key("labels");
    WriteLabels(json, drawn->labels);
    json.Key("value").String(NumberText(drawn->value));
    WriteTimestamp(json.Key("timestamp"), drawn->unix_ns);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

}  // namespace

Response QueryExemplars(const Request& request, const Context& context) {
  const auto asked = ReadQuery(Form(request));
  if (!asked) return ErrorAnswer(asked.error());
  auto found = FindExemplars(asked->selectors, asked->range, request.scope, context);
  if (!found) return ErrorAnswer(found.error());
  Cap(*asked, context, *found);
  links::KnownTraces known(request.scope, context);
  auto series = Draw(*asked, request.scope, context, known, *found);
  if (!series) return ErrorAnswer(series.error());
  if (const auto added = AddUpstream(request, context, known, *found, *series); !added) {
    return ErrorAnswer(added.error());
  }
  return Answer(
      [&](JsonWriter& json) {
        json.BeginArray();
        for (const auto& [labels, drawn] : *series) WriteSeries(json, labels, drawn);
        json.EndArray();
      },
      found->warnings);
}

}  // namespace throughline::api::prometheus
