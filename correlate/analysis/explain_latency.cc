#include "correlate/analysis/explain_latency.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <tuple>

#include "correlate/analysis/explain_statistics.h"

namespace throughline {
namespace {

constexpr double kMostOfTheWeight = 0.9;
constexpr std::size_t kMostSuspects = 1000;  // Services that are given items.

// Names an item, for ties.
auto NameOf(const RecordedTraces& traces, std::uint32_t item) {
  const ItemKey& key = traces.items.At(item);
  if (key.is_edge) return std::tuple(traces.names.At(key.from), traces.names.At(key.to), true);
  const ContextKey& context = traces.contexts.At(key.from);
  return std::tuple(traces.names.At(context.service), traces.names.At(context.operation), false);
}

// The slow spans of each item. An operation that the baseline has not seen says nothing: what it
// took before is not known.
std::vector<SlowItem> CountSlow(const RecordedTraces& traces, const BaselineModel& baseline,
                                TraceWindow window) {
  std::vector<SlowItem> by_item(traces.items.size());
  for (std::uint32_t t = window.first; t < window.last; ++t) {
    const Range range = traces.traces[t].spans;
    for (std::uint32_t i = range.begin; i < range.begin + range.count; ++i) {
      const SpanRecord& span = traces.spans[i];
      const ItemModel& model = baseline.items[span.item];
      SlowItem& item = by_item[span.item];
      ++item.total;
      const bool seen = model.count > 0;
      if (!seen && !traces.items.At(span.item).is_edge) continue;
      const double ms = static_cast<double>(span.self_ms());
      if (ms <= (seen ? model.threshold_ms : kNewEdgeThresholdMs)) continue;
      ++item.slow;
      item.added_ms += ms - model.median_ms;
      if (item.traces.empty() || item.traces.back() != t) item.traces.push_back(t);
    }
  }
  return by_item;
}

void Weigh(const ItemModel& model, SlowItem& item) {
  StratifiedTest test;
  if (model.count > 0) {
    test.Add(model.count, model.slow, item.total, item.slow);
  } else {
    test.AddUnseen(item.total, item.slow);
  }
  const Deviation deviation = test.Result();
  item.z = deviation.z;
  item.share = deviation.share;
  item.median_ms = model.median_ms;
  item.weight_ms = item.added_ms * item.share * Confidence(item.z);
}

// Scores one service by the items it was given.
class Scorer {
 public:
  Scorer(const RecordedTraces& traces, const BaselineModel& baseline, const SlowParts& parts)
      : traces_(traces), baseline_(baseline), parts_(parts) {}

  void Score(std::string_view name, SlowService& service) const {
    double weight = 0;
    double explained = 0;  // Added time beyond chance.
    double share = 0;
    double inward = 0;
    double most_z = 0;
    std::vector<std::uint32_t> affected;
    for (const std::uint32_t i : service.items) {
      const SlowItem& item = parts_.items[i];
      const ItemKey& key = traces_.items.At(item.item);
      weight += item.weight_ms;
      explained += item.added_ms * item.share;
      share += item.weight_ms * item.share;
      most_z = std::max(most_z, item.z);
      if (key.is_edge && traces_.names.At(key.to) == name) inward += item.weight_ms;
      affected.insert(affected.end(), item.traces.begin(), item.traces.end());
    }
    if (weight <= 0) return;
    std::sort(affected.begin(), affected.end());
    affected.erase(std::unique(affected.begin(), affected.end()), affected.end());
    double normal_ms = 0;
    for (const std::uint32_t t : affected) {
      normal_ms += baseline_.ClassMs(traces_.traces[t].trace_class);
    }
    const double effect = explained / (explained + normal_ms);
    const Heaviest heaviest = HeaviestOf(service, weight);
    const double z = std::max(most_z, heaviest.z);
    service.added_share = weight / (parts_.weight_ms + parts_.normal_ms);
    service.score = std::max(effect * Confidence(z) * share / weight, service.added_share);
    service.z = z;
    service.slow_share = heaviest.slow_share;
    service.traces = static_cast<std::uint32_t>(affected.size());
    service.inward = inward / weight;
  }

 private:
  // The items that carry most of the weight, together.
  struct Heaviest {
    double z = 0;  // Stouffer's.
    double slow_share = 0;
  };
  Heaviest HeaviestOf(const SlowService& service, double weight) const {
    double carried = 0;
    double sum = 0;
    double count = 0;
    double slow = 0;
    double total = 0;
    for (const std::uint32_t i : service.items) {
      if (carried >= kMostOfTheWeight * weight) break;
      const SlowItem& item = parts_.items[i];
      carried += item.weight_ms;
      sum += item.z;
      count += 1;
      slow += item.slow;
      total += item.total;
    }
    return {sum / std::sqrt(std::max(count, 1.0)), slow / std::max(total, 1.0)};
  }

  const RecordedTraces& traces_;
  const BaselineModel& baseline_;
  const SlowParts& parts_;
};

// The services that an item speaks against, and how much.
template <typename Visit>
void EachSuspect(const RecordedTraces& traces, const ItemKey& key, Visit visit) {
  if (!key.is_edge) {
    visit(traces.names.At(traces.contexts.At(key.from).service), 1.0);
    return;
  }
  visit(traces.names.At(key.to), 1.0);
  if (key.from != key.to) visit(traces.names.At(key.from), kCallerWeight);
}

void Cover(const RecordedTraces& traces, SlowParts& parts) {
  std::map<std::string_view, std::vector<std::uint32_t>> incident;
  std::map<std::string_view, double> credit;
  for (std::uint32_t i = 0; i < parts.items.size(); ++i) {
    EachSuspect(traces, traces.items.At(parts.items[i].item),
                [&](std::string_view service, double part) {
                  auto& items = incident[service];
                  if (items.empty() || items.back() != i) items.push_back(i);
                  credit[service] += part * parts.items[i].weight_ms;
                });
  }
  std::vector<bool> given(parts.items.size(), false);
  while (!credit.empty() && parts.services.size() < kMostSuspects) {
    auto best = credit.begin();
    for (auto at = credit.begin(); at != credit.end(); ++at) {
      if (at->second > best->second) best = at;
    }
    if (best->second <= 0) break;
    const std::string_view service = best->first;
    credit.erase(best);
    SlowService mine;
    for (const std::uint32_t i : incident[service]) {
      if (given[i]) continue;
      given[i] = true;
      mine.items.push_back(i);
      EachSuspect(traces, traces.items.At(parts.items[i].item),
                  [&](std::string_view other, double part) {
                    const auto at = credit.find(other);
                    if (at != credit.end()) at->second -= part * parts.items[i].weight_ms;
                  });
    }
    if (!mine.items.empty()) parts.services.emplace(service, std::move(mine));
  }
}

}  // namespace

SlowParts FindSlowParts(const RecordedTraces& traces, const BaselineModel& baseline,
                        TraceWindow window) {
  SlowParts parts;
  std::vector<SlowItem> by_item = CountSlow(traces, baseline, window);
  for (std::uint32_t i = 0; i < by_item.size(); ++i) {
    SlowItem& item = by_item[i];
    item.item = i;
    if (item.slow == 0) continue;
    Weigh(baseline.items[i], item);
    if (item.share <= 0 || item.weight_ms <= 0) continue;
    parts.items.push_back(std::move(item));
  }
  std::sort(parts.items.begin(), parts.items.end(), [&](const SlowItem& a, const SlowItem& b) {
    if (a.weight_ms != b.weight_ms) return a.weight_ms > b.weight_ms;
    return NameOf(traces, a.item) < NameOf(traces, b.item);
  });
  for (const SlowItem& item : parts.items) parts.weight_ms += item.weight_ms;
  for (std::uint32_t t = window.first; t < window.last; ++t) {
    parts.normal_ms += baseline.ClassMs(traces.traces[t].trace_class);
  }
  Cover(traces, parts);
  const Scorer scorer(traces, baseline, parts);
  for (auto& [name, service] : parts.services) scorer.Score(name, service);
  return parts;
}

}  // namespace throughline
