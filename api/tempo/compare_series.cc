#include "api/tempo/compare_series.h"

#include <algorithm>
#include <numeric>

#include "api/query/traceql_names.h"
#include "api/query/traceql_value.h"

namespace throughline::api::tempo {
namespace {

using query::traceql::Constant;
using query::traceql::Datum;
using query::traceql::Intrinsic;
using query::traceql::Type;

constexpr std::size_t kMostValueBytes = 1024;  // Of a longer one the beginning is compared.
constexpr std::array<std::string_view, 2> kSides = {"baseline", "selection"};
constexpr std::array<std::string_view, 2> kTotals = {"baseline_total", "selection_total"};
constexpr std::array<Intrinsic, 6> kCompared = {Intrinsic::kName,     Intrinsic::kKind,
                                                Intrinsic::kStatus,   Intrinsic::kStatusMessage,
                                                Intrinsic::kRootName, Intrinsic::kRootService};

Constant Text(std::string_view text) { return {.type = Type::kString, .text = std::string(text)}; }

std::uint64_t Sum(const std::vector<std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

CompareSeries::CompareSeries(const Steps& steps, std::size_t most_series)
    : steps_(steps),
      most_(std::max<std::size_t>(1, std::min(10 * most_series, kMostSamples / steps.count))) {}

void CompareSeries::Add(const query::traceql::Trace& trace, std::uint32_t place, bool selected) {
  const Span& span = trace.At(place);
  const Batch& batch = trace.batch();
  const std::size_t side = selected ? 1 : 0;
  const std::size_t step = steps_.IndexOf(span.start_unix_ns);
  std::vector<Datum> values;
  for (const Intrinsic intrinsic : kCompared) {
    query::traceql::Field field;
    field.intrinsic = intrinsic;
    values.clear();
    trace.Values(field, place, values);
    const std::string name(query::traceql::NameOf(intrinsic));
    for (const Datum& value : values) Count(name, value, side, step);
  }
  const auto attributes = [&](std::string_view scope, Range range) {
    for (const Attribute& attribute : batch.Of(range)) {
      values.clear();
      query::traceql::AppendData(attribute.value(), values);
      const std::string name = std::string(scope).append(attribute.key());
      for (const Datum& value : values) Count(name, value, side, step);
    }
  };
  attributes("span.", span.attributes);
  if (const Resource* resource = batch.ResourceOf(span.resource)) {
    attributes("resource.", resource->attributes);
  }
}

void CompareSeries::Count(const std::string& name, const Datum& value, std::size_t side,
                          std::size_t step) {
  std::pair key{value.type, TextOf(value)};
  key.second.resize(std::min(key.second.size(), kMostValueBytes));
  const auto add = [&](Sides& sides) {
    if (sides[side].empty()) sides[side].resize(steps_.count);
    ++sides[side][step];
  };
  const auto known = keys_.find(name);
  const bool is_new = known == keys_.end() || !known->second.values.contains(key);
  if (is_new && values_ >= most_) {
    cut_ = "more than " + std::to_string(most_) + " values to compare (limits.query_series)";
    return;
  }
  if (is_new) ++values_;
  Key& of = keys_[name];
  add(of.totals);
  add(of.values[std::move(key)]);
}

std::vector<Series> CompareSeries::Finish(std::size_t top_values) const {
  std::vector<Series> series;
  const auto add = [&](std::string_view type, const std::string& name, Constant value,
                       const Counts& counts) {
    Series& one = series.emplace_back();
    one.labels = {{"__meta_type", Text(type)}, {name, std::move(value)}};
    one.samples.assign(counts.begin(), counts.end());
  };
  for (const auto& [name, key] : keys_) {
    for (std::size_t side = 0; side < kSides.size(); ++side) {
      std::vector<std::pair<std::uint64_t, const std::string*>> order;
      for (const auto& [value, sides] : key.values) {
        if (!sides[side].empty()) order.emplace_back(Sum(sides[side]), &value.second);
      }
      std::stable_sort(order.begin(), order.end(),
                       [](const auto& a, const auto& b) { return a.first > b.first; });
      order.resize(std::min(order.size(), top_values));
      for (const auto& [value, sides] : key.values) {
        const bool kept =
            std::any_of(order.begin(), order.end(),
                        [&text = value.second](const auto& item) { return item.second == &text; });
        if (kept) add(kSides[side], name, Text(value.second), sides[side]);
      }
      if (!key.totals[side].empty()) add(kTotals[side], name, Constant(), key.totals[side]);
    }
  }
  return series;
}

}  // namespace throughline::api::tempo
