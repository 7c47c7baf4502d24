#include "correlate/analysis/compare_features.h"

#include <algorithm>
#include <tuple>

#include "correlate/analysis/explain_model.h"
#include "correlate/analysis/record_names.h"

namespace throughline {
namespace {

constexpr double kMostlyBelow = 0.6;  // Of a finding's traces, to be a symptom of what is below.

}  // namespace

// In how many traces each cell is, and each pair, by side.
void FeatureComparer::CountFeatures(std::vector<Pair>& cells, std::vector<Pair>& pairs) const {
  std::vector<std::uint32_t> cell_seen(all().cells.size(), kNoIndex);
  std::vector<std::uint32_t> pair_seen(all().pairs.size(), kNoIndex);
  records_.EachComparable([&](std::size_t side, std::uint32_t t) {
    records_.EachSpan(t, [&](std::uint32_t i) {
      const SpanRecord& span = all().spans[i];
      if (std::exchange(cell_seen[span.cell], t) != t) ++cells[span.cell][side];
      for (std::uint32_t p = span.pairs.begin; p < span.pairs.begin + span.pairs.count; ++p) {
        const std::uint32_t pair = all().pairs_of[p];
        if (std::exchange(pair_seen[pair], t) != t) ++pairs[pair][side];
      }
    });
  });
}

void FeatureComparer::Test() {
  std::vector<Pair> cells(all().cells.size());
  std::vector<Pair> pairs(all().pairs.size());
  CountFeatures(cells, pairs);
  std::vector<Pair> contexts(all().contexts.size());
  const auto comparable = [](const Pair& cell) { return cell[0] > 0 && cell[1] > 0; };
  for (std::uint32_t cell = 0; cell < cells.size(); ++cell) {
    if (!comparable(cells[cell])) continue;
    Pair& context = contexts[all().cells.At(cell).context];
    for (const std::size_t side : {kBaseline, kCandidate}) context[side] += cells[cell][side];
  }
  KeyTable<PairKey> ids;  // Here of a context and a feature.
  std::vector<ShareTest> tests;
  for (std::uint32_t pair = 0; pair < pairs.size(); ++pair) {
    const PairKey& key = all().pairs.At(pair);
    const Pair& cell = cells[key.cell];
    if (!comparable(cell)) continue;
    const std::uint32_t context = all().cells.At(key.cell).context;
    if (!IsTested(all().features.At(key.feature), context)) continue;
    const std::uint32_t id = ids.Of({context, key.feature});
    if (id == tests.size()) {
      tests.emplace_back();
      features_.push_back({context, key.feature, {}, {}, contexts[context], {}, {}});
    }
    tests[id].Add({pairs[pair][kBaseline], cell[kBaseline]},
                  {pairs[pair][kCandidate], cell[kCandidate]});
    for (const std::size_t side : {kBaseline, kCandidate}) {
      features_[id].has[side] += pairs[pair][side];
    }
  }
  for (std::size_t id = 0; id < tests.size(); ++id) {
    const Pair& has = features_[id].has;
    if (has[kBaseline] + has[kCandidate] >= kLeastCases) features_[id].test = tests[id].Result();
  }
}

bool FeatureComparer::IsTested(const FeatureKey& feature, std::uint32_t context) const {
  if (feature.kind == FeatureKind::kLastCall || feature.kind == FeatureKind::kClass) return false;
  if (feature.kind != FeatureKind::kLine || feature.grade == LineGrade::kError) return true;
  // Where one side's lines are not here at all, each of them would be new or gone.
  const Pair& lines = records_.LinesOf(all().contexts.At(context).service);
  return lines[kBaseline] > 0 && lines[kCandidate] > 0;
}

void FeatureComparer::Tell(const Surety& surety, Comparison& out) {
  std::erase_if(features_,
                [&surety](const FeatureShares& feature) { return !surety.Of(feature.test); });
  for (FeatureShares& feature : features_) {
    by_context_[feature.context].push_back(&feature);
    if (IsWorse(feature)) {
      failing_[feature.context].insert(feature.feature);
    }
  }
  GatherTraces();
  for (const FeatureShares& feature : features_) {
    const FeatureKey& key = all().features.At(feature.feature);
    auto& list = IsTrouble(key)                   ? out.errors
                 : key.kind == FeatureKind::kCall ? out.calls
                                                  : out.logs;
    list.push_back(Told(feature, surety));
  }
  for (auto* list : {&out.errors, &out.calls, &out.logs}) {
    std::sort(list->begin(), list->end(), [](const ComparedFeature& a, const ComparedFeature& b) {
      const bool a_symptom = !a.symptom_of.empty();
      const bool b_symptom = !b.symptom_of.empty();
      return std::tie(a_symptom, a.p, a.context, a.kind, a.pattern) <
             std::tie(b_symptom, b.p, b.context, b.kind, b.pattern);
    });
    if (list->size() > kShownDifferences) list->resize(kShownDifferences);
  }
}

bool FeatureComparer::IsWorse(const FeatureShares& feature) const {
  return feature.test.more && IsTrouble(all().features.At(feature.feature));
}
std::uint32_t FeatureComparer::ServiceOf(std::uint32_t span) const {
  return all().ServiceIdOf(all().spans[span]);
}
template <typename Visit>
void FeatureComparer::EachFeature(std::uint32_t span, Visit visit) const {
  const Range pairs = all().spans[span].pairs;
  for (std::uint32_t p = pairs.begin; p < pairs.begin + pairs.count; ++p) {
    visit(all().pairs.At(all().pairs_of[p]).feature);
  }
}

// The traces of each sure difference, and of errors which services fail below them.
void FeatureComparer::GatherTraces() {
  records_.EachComparable([&](std::size_t side, std::uint32_t t) {
    // Services that fail in this trace, with the spans that do.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> failing;
    if (side == kCandidate) {
      records_.EachSpan(t, [&](std::uint32_t i) {
        const auto known = failing_.find(ContextOf(i));
        if (known == failing_.end()) return;
        bool fails = false;
        EachFeature(i, [&](std::uint32_t f) { fails = fails || known->second.contains(f); });
        if (fails) failing.emplace_back(i, ServiceOf(i));
      });
    }
    records_.EachSpan(t, [&](std::uint32_t i) { TakeSpan(side, t, i, failing); });
  });
}
std::uint32_t FeatureComparer::ContextOf(std::uint32_t span) const {
  return all().cells.At(all().spans[span].cell).context;
}

void FeatureComparer::TakeSpan(
    std::size_t side, std::uint32_t t, std::uint32_t i,
    const std::vector<std::pair<std::uint32_t, std::uint32_t>>& failing) {
  const auto known = by_context_.find(ContextOf(i));
  if (known == by_context_.end()) return;
  for (FeatureShares* const feature : known->second) {
    const std::size_t told_side = feature->test.more ? kCandidate : kBaseline;
    if (side != told_side || (!feature->traces.empty() && feature->traces.back() == t)) continue;
    bool has = false;
    EachFeature(i, [&](std::uint32_t f) { has = has || f == feature->feature; });
    if (!has) continue;
    feature->traces.push_back(t);
    if (!IsWorse(*feature)) continue;
    std::set<std::uint32_t> below;
    for (const auto& [span, service] : failing) {
      if (span > i && span <= i + all().spans[i].below && service != ServiceOf(i)) {
        below.insert(service);
      }
    }
    for (const std::uint32_t service : below) ++feature->below[service];
  }
}

// The service that fails below it in most of its traces; of several the one whose own failures
// are nobody's symptom.
std::string_view FeatureComparer::CauseOf(const FeatureShares& feature) const {
  const double wanted = kMostlyBelow * static_cast<double>(feature.traces.size());
  std::string_view best;
  std::tuple<bool, std::uint32_t> best_rank = {false, 0};
  for (const auto& [service, traces] : feature.below) {
    if (traces < wanted) continue;
    const std::string_view name = all().names.At(service);
    const std::tuple<bool, std::uint32_t> rank = {HasOwnFault(service), traces};
    if (best.empty() || rank > best_rank || (rank == best_rank && name < best)) {
      best = name;
      best_rank = rank;
    }
  }
  return best;
}
bool FeatureComparer::HasOwnFault(std::uint32_t service) const {
  return std::any_of(features_.begin(), features_.end(), [&](const FeatureShares& feature) {
    const double wanted = kMostlyBelow * static_cast<double>(feature.traces.size());
    return IsWorse(feature) && all().contexts.At(feature.context).service == service &&
           std::none_of(feature.below.begin(), feature.below.end(),
                        [&](const auto& below) { return below.second >= wanted; });
  });
}

ComparedFeature FeatureComparer::Told(const FeatureShares& feature, const Surety& surety) const {
  ComparedFeature told;
  FeatureName name = NameOf(all(), all().features.At(feature.feature));
  told.kind = name.kind;
  told.pattern = std::move(name.pattern);
  told.context = ContextText(all(), feature.context);
  const auto share = [&](std::size_t side) {
    return static_cast<double>(feature.has[side]) / static_cast<double>(feature.of[side]);
  };
  told.baseline_share = share(kBaseline);
  told.candidate_share = share(kCandidate);
  told.baseline_traces = feature.has[kBaseline];
  told.candidate_traces = feature.has[kCandidate];
  if (feature.test.more) {
    told.change = feature.has[kBaseline] == 0 ? "new" : "more";
  } else {
    told.change = feature.has[kCandidate] == 0 ? "gone" : "fewer";
  }
  told.p = surety.Corrected(feature.test.p);
  told.symptom_of = CauseOf(feature);
  told.trace_ids = ExamplesOf(all(), feature.traces, kComparedExamples);
  return told;
}

void FeatureComparer::AddTests(std::vector<TestResult>& tests) const {
  for (const FeatureShares& feature : features_) tests.push_back(feature.test);
}

bool FeatureComparer::got_worse() const {
  return std::any_of(features_.begin(), features_.end(),
                     [this](const FeatureShares& feature) { return IsWorse(feature); });
}

}  // namespace throughline
