#include "api/prometheus/exemplar_series.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "api/number_text.h"
#include "correlate/hash.h"
#include "correlate/metric_name.h"
#include "correlate/record_time.h"

namespace throughline::api::prometheus {
namespace {

constexpr std::uint64_t kSameMomentNs = 1'000'000;
constexpr std::size_t kMetricsAtOnce = 8;

// A metric's ':' is none of a label's.
std::string LabelName(std::string_view key) {
  std::string name = PrometheusName(key);
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

const Attribute* Find(std::span<const Attribute> attributes, std::string_view key) {
  const auto found = std::find_if(attributes.begin(), attributes.end(), [&](const Attribute& a) {
    return a.key() == key || IsPrometheusName(key, a.key());
  });
  return found == attributes.end() ? nullptr : &*found;
}

std::span<const Attribute> ResourceOf(const Exemplar& exemplar, const Batch& batch) {
  const Resource* const resource = batch.ResourceOf(exemplar.resource);
  return resource == nullptr ? std::span<const Attribute>() : batch.Of(resource->attributes);
}

void AddAbsent(std::string_view name, std::string value, LabelSet& labels) {
  if (!value.empty()) labels.try_emplace(std::string(name), std::move(value));
}

std::string TextOf(const Attribute* attribute) {
  return attribute == nullptr ? std::string() : ValueText(attribute->value());
}

// Records that are one measurement stand together, the same with any order of doors.
auto MeasurementOf(const FoundExemplar& found) {
  const Exemplar& exemplar = *found.exemplar;
  return std::tuple(exemplar.trace_id.low, exemplar.span_id, exemplar.value(), TimeOf(exemplar));
}

bool IsSameMeasurement(const FoundExemplar& a, const FoundExemplar& b) {
  const Exemplar& first = *a.exemplar;
  const Exemplar& second = *b.exemplar;
  return first.trace_id.IsValid() && SameTrace(first.trace_id, second.trace_id) &&
         first.span_id == second.span_id && first.value() == second.value() &&
         TimeOf(second) - TimeOf(first) <= kSameMomentNs &&
         PrometheusMetricName(first.metric, first.unit, first.metric_type) ==
             PrometheusMetricName(second.metric, second.unit, second.metric_type);
}

// Of one measurement the record that tells the most of its series stays.
bool TellsMore(const FoundExemplar& a, const FoundExemplar& b) {
  const auto rank = [](const FoundExemplar& found) {
    return std::tuple(found.exemplar->has_le, found.exemplar->labels.count,
                      found.exemplar->identity);
  };
  return rank(a) > rank(b);
}

void MergeDoors(std::vector<FoundExemplar>& exemplars) {
  const auto by_measurement = [](const FoundExemplar& a, const FoundExemplar& b) {
    // NaN has no order of its own.
    const bool a_nan = std::isnan(a.exemplar->value());
    const bool b_nan = std::isnan(b.exemplar->value());
    if (a_nan || b_nan) return a_nan < b_nan;
    return MeasurementOf(a) < MeasurementOf(b);
  };
  std::stable_sort(exemplars.begin(), exemplars.end(), by_measurement);
  std::size_t kept = 0;
  for (const FoundExemplar& found : exemplars) {
    // Of several metrics that one span measured at once, the same one may stand a few places back.
    const std::size_t last = kept - std::min(kept, kMetricsAtOnce);
    std::size_t place = kept;
    while (place > last && !IsSameMeasurement(exemplars[place - 1], found)) --place;
    if (place == last) {
      exemplars[kept++] = found;
    } else if (TellsMore(found, exemplars[place - 1])) {
      exemplars[place - 1] = found;
    }
  }
  exemplars.resize(kept);
  std::stable_sort(exemplars.begin(), exemplars.end(),
                   [](const FoundExemplar& a, const FoundExemplar& b) {
                     return std::pair(TimeOf(*a.exemplar), a.exemplar->identity) >
                            std::pair(TimeOf(*b.exemplar), b.exemplar->identity);
                   });
}

}  // namespace

void WriteLabels(wire::JsonWriter& json, const LabelSet& labels) {
  json.BeginObject();
  for (const auto& [name, value] : labels) json.Key(name).String(value);
  json.EndObject();
}

LabelSet SeriesLabels(const Exemplar& exemplar, const Batch& batch, std::string_view name,
                      std::span<const std::string> wanted) {
  LabelSet labels;
  for (const Attribute& attribute : batch.Of(exemplar.labels)) {
    std::string value = ValueText(attribute.value());
    if (value.empty()) continue;
    const auto [label, added] = labels.try_emplace(LabelName(attribute.key()), value);
    if (!added) label->second += ";" + value;
  }
  labels["__name__"] =
      name.empty() ? PrometheusMetricName(exemplar.metric, exemplar.unit, exemplar.metric_type)
                   : std::string(name);
  if (exemplar.has_le && exemplar.metric_type == MetricType::kHistogram) {
    AddAbsent("le", NumberText(exemplar.le), labels);
  }
  const auto resource = ResourceOf(exemplar, batch);
  const std::string space = TextOf(Find(resource, "service.namespace"));
  const std::string service(exemplar.service);
  AddAbsent("service", service, labels);
  AddAbsent("service_name", service, labels);
  if (!service.empty()) AddAbsent("job", space.empty() ? service : space + "/" + service, labels);
  AddAbsent("instance", TextOf(Find(resource, "service.instance.id")), labels);
  for (const std::string& key : wanted) {
    const Attribute* found = Find(batch.Of(exemplar.attributes), key);
    if (found == nullptr) found = Find(resource, key);
    AddAbsent(key, TextOf(found), labels);
  }
  return labels;
}

std::uint64_t SeriesHash(const Exemplar& exemplar, const Batch& batch) {
  std::uint64_t hash = HashBytes(exemplar.metric, static_cast<std::uint64_t>(exemplar.metric_type));
  for (const Attribute& label : batch.Of(exemplar.labels)) hash = HashCombine(hash, label.hash);
  if (const Resource* const resource = batch.ResourceOf(exemplar.resource)) {
    hash = HashCombine(hash, resource->hash);
  }
  return HashCombine(hash, exemplar.has_le ? HashBytes(NumberText(exemplar.le), 0) : 0);
}

Result<FoundExemplars> FindExemplars(std::span<const query::Selector> selectors,
                                     const TimeRange& range, const Scope& scope,
                                     const links::Context& context) {
  FoundExemplars found;
  found.pages.reserve(selectors.size());  // What is found points into them.
  std::unordered_set<std::uint64_t> seen;
  std::size_t left = context.settings.exemplars_read;
  for (std::size_t i = 0; i < selectors.size() && left > 0; ++i) {
    ExemplarQuery query;
    query.time = range;
    query.metric = selectors[i].metric;
    query.labels = selectors[i].matchers;
    query.limit = left;
    TL_TRY_ASSIGN(RecordPage read, context.store.FindExemplars(scope, query));
    found.pages.push_back(std::move(read));
    const RecordPage& page = found.pages.back();
    for (const Exemplar& exemplar : page.records.exemplars) {
      if (!seen.insert(HashCombine(exemplar.identity, SeriesHash(exemplar, page.records))).second) {
        continue;
      }
      found.exemplars.push_back({&page.records, &exemplar, static_cast<std::uint32_t>(i)});
    }
    left -= page.records.exemplars.size();
    if (!page.complete) {
      found.warnings.push_back("exemplars may be missing: " + page.incomplete_reason);
    } else if (!page.cursor.empty()) {
      found.warnings.push_back("only the newest " +
                               std::to_string(context.settings.exemplars_read) +
                               " exemplars were looked at (limits.exemplars_read)");
    }
  }
  MergeDoors(found.exemplars);
  return found;
}

}  // namespace throughline::api::prometheus
