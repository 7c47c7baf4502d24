#include "correlate/analysis/explain_structure.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <unordered_map>

#include "correlate/analysis/explain_statistics.h"

namespace throughline {
namespace {

constexpr double kLeastZ = 2;
constexpr double kLeastShare = 0.1;
constexpr double kMostlyBelow = 0.6;     // Of a finding's spans, to be explained by what is below.
constexpr double kMostlyTogether = 0.6;  // Of a finding's traces.
constexpr double kAsStrong = 0.5;
constexpr double kUnusualZ = 3;
constexpr double kBoundaryTraces = 0.5;
constexpr double kTraceShare = 0.25;      // Of the window's traces: then a finding counts in full.
constexpr std::size_t kExplainers = 400;  // Findings that are compared with each other.

using TraceSet = std::vector<std::uint64_t>;  // A bit a trace of the window.

std::size_t CountCommon(const TraceSet& a, const TraceSet& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    count += static_cast<std::size_t>(__builtin_popcountll(a[i] & b[i]));
  }
  return count;
}

// The traces of the window with errors, but only such as are as frequent in the baseline: what they
// do differently is what errors do, and nothing new.
std::vector<bool> UsualTrouble(const RecordedTraces& traces, const BaselineModel& baseline,
                               TraceWindow window) {
  std::vector<std::uint32_t> in_window(traces.features.size(), 0);
  std::vector<std::uint32_t> last(traces.features.size(), kNoIndex);
  const auto each = [&](auto visit) {
    for (std::uint32_t t = window.first; t < window.last; ++t) {
      EachTrouble(traces, t, [&](std::uint32_t feature) { visit(t, feature); });
    }
  };
  each([&](std::uint32_t t, std::uint32_t feature) {
    if (last[feature] != t) ++in_window[feature];
    last[feature] = t;
  });
  std::vector<bool> has_usual(window.size(), false);
  std::vector<bool> has_unusual(window.size(), false);
  each([&](std::uint32_t t, std::uint32_t feature) {
    StratifiedTest test;
    test.Add(static_cast<double>(baseline.traces), baseline.trouble_traces[feature], window.size(),
             in_window[feature]);
    auto& kind = test.Result().z < kUnusualZ ? has_usual : has_unusual;
    kind[t - window.first] = true;
  });
  for (std::size_t i = 0; i < has_usual.size(); ++i) {
    if (has_unusual[i]) has_usual[i] = false;
  }
  return has_usual;
}

class Finder {
 public:
  Finder(const RecordedTraces& traces, const BaselineModel& baseline, TraceWindow window)
      : traces_(traces),
        baseline_(baseline),
        window_(window),
        usual_trouble_(UsualTrouble(traces, baseline, window)) {}

  ChangedParts Find() {
    Count();
    TestAll();
    Weigh();
    Explain();
    Score();
    return std::move(parts_);
  }

 private:
  std::uint32_t ServiceId(std::uint32_t context) const {
    return traces_.contexts.At(context).service;
  }
  std::string_view ServiceOf(const Finding& finding) const {
    return traces_.names.At(ServiceId(finding.context));
  }
  const FeatureKey& FeatureOf(const Finding& finding) const {
    return traces_.features.At(finding.feature);
  }
  std::string_view NameOf(std::uint32_t context) const {
    return traces_.names.At(traces_.contexts.At(context).operation);
  }
  auto TieOf(const Finding& finding) const {
    const FeatureKey& feature = FeatureOf(finding);
    std::string_view of;
    std::string_view of_service;
    switch (feature.kind) {
      case FeatureKind::kCall:
      case FeatureKind::kLastCall:
        if (feature.of != kNoIndex) {
          of_service = traces_.names.At(ServiceId(feature.of));
          of = NameOf(feature.of);
        }
        break;
      case FeatureKind::kLine:
      case FeatureKind::kException: of = traces_.names.At(feature.of); break;
      case FeatureKind::kClass: of = traces_.names.At(traces_.classes[feature.of]); break;
      case FeatureKind::kStatus: break;
    }
    return std::tuple(ServiceOf(finding), NameOf(finding.context), feature.kind, of_service, of,
                      feature.grade);
  }

  void Count() {
    cell_spans_.assign(traces_.cells.size(), 0);
    pair_spans_.assign(traces_.pairs.size(), 0);
    spans_of_context_.resize(traces_.contexts.size());
    for (std::uint32_t t = window_.first; t < window_.last; ++t) {
      const Range range = traces_.traces[t].spans;
      for (std::uint32_t i = range.begin; i < range.begin + range.count; ++i) {
        const SpanRecord& span = traces_.spans[i];
        ++cell_spans_[span.cell];
        spans_of_context_[traces_.cells.At(span.cell).context].push_back({i, t});
        for (std::uint32_t p = span.pairs.begin; p < span.pairs.begin + span.pairs.count; ++p) {
          ++pair_spans_[traces_.pairs_of[p]];
        }
      }
    }
  }

  bool Comparable(std::uint32_t cell) const {
    return baseline_.cell_spans[cell] > 0 && cell_spans_[cell] > 0;
  }

  // Each feature of each context, over the strata that both sides have. A stratum where neither has
  // the feature counts too: so all strata are added as if they had it nowhere, once for a context,
  // and those that have it are put right.
  void TestAll() {
    std::vector<StratifiedTest> of_context(traces_.contexts.size());
    for (std::uint32_t cell = 0; cell < traces_.cells.size(); ++cell) {
      if (!Comparable(cell)) continue;
      of_context[traces_.cells.At(cell).context].Add(baseline_.cell_spans[cell], 0,
                                                     cell_spans_[cell], 0);
    }
    KeyTable<PairKey> tested;  // Here a context and a feature.
    std::vector<StratifiedTest> of_feature;
    for (std::uint32_t pair = 0; pair < traces_.pairs.size(); ++pair) {
      const PairKey& key = traces_.pairs.At(pair);
      if (!Comparable(key.cell)) continue;
      const std::uint32_t context = traces_.cells.At(key.cell).context;
      const std::uint32_t id = tested.Of({context, key.feature});
      if (id == of_feature.size()) of_feature.push_back(of_context[context]);
      const double n0 = baseline_.cell_spans[key.cell];
      const double n1 = cell_spans_[key.cell];
      of_feature[id].Remove(n0, 0, n1, 0);
      of_feature[id].Add(n0, baseline_.pair_spans[pair], n1, pair_spans_[pair]);
    }
    for (std::uint32_t id = 0; id < of_feature.size(); ++id) {
      const Deviation deviation = of_feature[id].Result();
      Finding finding;
      finding.context = tested.At(id).cell;
      finding.feature = tested.At(id).feature;
      finding.z = deviation.z;
      finding.share = deviation.share;
      finding.is_new = deviation.share > 0;
      if (std::abs(finding.z) < kLeastZ || std::abs(finding.share) < kLeastShare) continue;
      if (SeverityOf(finding) > 0) parts_.findings.push_back(std::move(finding));
    }
    std::sort(parts_.findings.begin(), parts_.findings.end(),
              [this](const Finding& a, const Finding& b) {
                const double x = std::abs(a.share) * Confidence(a.z) * SeverityOf(a);
                const double y = std::abs(b.share) * Confidence(b.z) * SeverityOf(b);
                if (x != y) return x > y;
                return TieOf(a) < TieOf(b);
              });
    if (parts_.findings.size() > kMostFindings) parts_.findings.resize(kMostFindings);
  }

  // 0: says nothing.
  double SeverityOf(const Finding& finding) const {
    const FeatureKey& feature = FeatureOf(finding);
    const bool grave = feature.grade == LineGrade::kError;
    switch (feature.kind) {
      case FeatureKind::kClass: return finding.is_new ? 0.5 : 0;
      case FeatureKind::kLastCall: return finding.is_new && feature.of != kNoIndex ? 1 : 0;
      case FeatureKind::kStatus:
      case FeatureKind::kException: return finding.is_new ? 1.25 : 0.5;
      case FeatureKind::kCall: return 1;
      case FeatureKind::kLine: break;
    }
    if (!finding.is_new) return grave ? 0.5 : 1;
    if (baseline_.service_lines[ServiceId(finding.context)] == 0) return grave ? 0.5 : 0;
    return grave ? 1.25 : 1;
  }

  // Which spans deviate, and how much a finding counts by that.
  void Weigh() {
    sets_.resize(parts_.findings.size());
    deviating_.resize(parts_.findings.size());
    const double wanted = kTraceShare * window_.size();
    for (std::size_t f = 0; f < parts_.findings.size(); ++f) {
      Finding& finding = parts_.findings[f];
      sets_[f].assign((window_.size() + 63) / 64, 0);
      ShareIn(finding);
      for (const auto& [span, trace] : spans_of_context_[finding.context]) {
        const std::uint32_t cell = traces_.spans[span].cell;
        if (!Comparable(cell)) continue;
        const auto usual = usual_.find(cell);
        const bool mostly = usual != usual_.end() && usual->second > 0.5;
        if (mostly == finding.is_new || Has(span, finding.feature) != finding.is_new) continue;
        deviating_[f].push_back(span);
        if (finding.traces.empty() || finding.traces.back() != trace) {
          finding.traces.push_back(trace);
        }
        const std::uint32_t bit = trace - window_.first;
        sets_[f][bit / 64] |= 1ULL << (bit % 64);
      }
      finding.count = static_cast<std::uint32_t>(deviating_[f].size());
      finding.unusual_traces = static_cast<std::uint32_t>(std::count_if(
          finding.traces.begin(), finding.traces.end(),
          [this](std::uint32_t trace) { return !usual_trouble_[trace - window_.first]; }));
      const double base = std::abs(finding.share) * Confidence(finding.z) * SeverityOf(finding);
      const double spread = std::min(1.0, static_cast<double>(finding.traces.size()) / wanted);
      finding.strength = std::min(0.99, base) * (0.7 + 0.3 * spread);
    }
  }

  bool Has(std::uint32_t span, std::uint32_t feature) const {
    const Range pairs = traces_.spans[span].pairs;
    for (std::uint32_t p = pairs.begin; p < pairs.begin + pairs.count; ++p) {
      if (traces_.pairs.At(traces_.pairs_of[p]).feature == feature) return true;
    }
    return false;
  }

  // The baseline's share of the finding's feature, by cell, into usual_.
  void ShareIn(const Finding& finding) {
    usual_.clear();
    if (pairs_of_.empty()) {
      for (std::uint32_t pair = 0; pair < traces_.pairs.size(); ++pair) {
        const PairKey& key = traces_.pairs.At(pair);
        if (!Comparable(key.cell)) continue;
        pairs_of_[PairId(traces_.cells.At(key.cell).context, key.feature)].push_back(pair);
      }
    }
    for (const std::uint32_t pair : pairs_of_[PairId(finding.context, finding.feature)]) {
      const std::uint32_t cell = traces_.pairs.At(pair).cell;
      usual_[cell] = (baseline_.pair_spans[pair] + 0.5) / (baseline_.cell_spans[cell] + 1.0);
    }
  }
  static std::uint64_t PairId(std::uint32_t context, std::uint32_t feature) {
    return (static_cast<std::uint64_t>(context) << 32U) | feature;
  }

  // --- what explains what ---------------------------------------------------------------------

  void Explain() {
    FindBoundaries();
    const std::size_t count = std::min(parts_.findings.size(), kExplainers);
    for (std::size_t f = 0; f < count; ++f) {
      Finding& finding = parts_.findings[f];
      if (FeatureOf(finding).kind == FeatureKind::kLastCall) continue;
      ExplainByWhatIsBelow(f, count);
      if (finding.explained_by.empty() && !finding.is_new) ExplainByBoundary(f);
    }
  }

  // How many of the finding's spans have each service below them, by name id.
  std::unordered_map<std::uint32_t, std::uint32_t> ServicesBelow(std::size_t f) const {
    std::unordered_map<std::uint32_t, std::uint32_t> spans;
    std::unordered_map<std::uint32_t, std::uint32_t> seen_at;
    for (const std::uint32_t span : deviating_[f]) {
      const std::uint32_t last = span + traces_.spans[span].below;
      for (std::uint32_t i = span + 1; i <= last; ++i) {
        const std::uint32_t service = traces_.ServiceIdOf(traces_.spans[i]);
        auto [at, added] = seen_at.emplace(service, span);
        if (!added && at->second == span) continue;
        at->second = span;
        ++spans[service];
      }
    }
    return spans;
  }

  void ExplainByWhatIsBelow(std::size_t f, std::size_t count) {
    Finding& finding = parts_.findings[f];
    const auto below = ServicesBelow(f);
    const double spans = kMostlyBelow * static_cast<double>(deviating_[f].size());
    const double together = kMostlyTogether * static_cast<double>(finding.traces.size());
    double best = 0;
    for (std::size_t g = 0; g < count; ++g) {
      const Finding& other = parts_.findings[g];
      const FeatureKind kind = FeatureOf(other).kind;
      if (kind == FeatureKind::kClass || kind == FeatureKind::kLastCall) continue;
      if (ServiceId(other.context) == ServiceId(finding.context)) continue;
      if (other.strength < kAsStrong * finding.strength || other.strength <= best) continue;
      const auto at = below.find(ServiceId(other.context));
      if (at == below.end() || static_cast<double>(at->second) < spans) continue;
      if (static_cast<double>(CountCommon(sets_[f], sets_[g])) < together) continue;
      finding.explained_by = ServiceOf(other);
      best = other.strength;
    }
  }

  struct Boundary {
    std::vector<std::string_view> callers;  // Sorted, distinct.
    double strength = 0;
  };

  void FindBoundaries() {
    for (std::size_t f = 0; f < parts_.findings.size(); ++f) {
      const Finding& finding = parts_.findings[f];
      const FeatureKey& feature = FeatureOf(finding);
      if (feature.kind != FeatureKind::kLastCall || !LosesInTheSameTraces(f)) continue;
      Boundary& boundary = boundaries_[traces_.names.At(ServiceId(feature.of))];
      boundary.callers.push_back(ServiceOf(finding));
      boundary.strength = std::max(boundary.strength, finding.strength);
    }
    for (auto& [service, boundary] : boundaries_) {
      auto& callers = boundary.callers;
      std::sort(callers.begin(), callers.end());
      callers.erase(std::unique(callers.begin(), callers.end()), callers.end());
    }
  }

  bool LosesInTheSameTraces(std::size_t f) const {
    const Finding& finding = parts_.findings[f];
    const double wanted = kBoundaryTraces * static_cast<double>(finding.traces.size());
    for (std::size_t g = 0; g < parts_.findings.size(); ++g) {
      const Finding& other = parts_.findings[g];
      if (other.is_new || ServiceId(other.context) != ServiceId(finding.context)) continue;
      if (static_cast<double>(CountCommon(sets_[f], sets_[g])) >= wanted) return true;
    }
    return false;
  }

  void ExplainByBoundary(std::size_t f) {
    Finding& finding = parts_.findings[f];
    const std::string_view service = ServiceOf(finding);
    double best = 0;
    for (const auto& [callee, boundary] : boundaries_) {
      if (callee == service || boundary.callers.size() < 2 || boundary.strength <= best) continue;
      if (!std::binary_search(boundary.callers.begin(), boundary.callers.end(), service)) continue;
      finding.explained_by = callee;
      best = boundary.strength;
    }
  }

  void Score() {
    std::vector<std::uint32_t> order(parts_.findings.size());
    for (std::uint32_t f = 0; f < order.size(); ++f) order[f] = f;
    std::stable_sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
      return parts_.findings[a].score() > parts_.findings[b].score();
    });
    for (const std::uint32_t f : order) {
      const Finding& finding = parts_.findings[f];
      if (FeatureOf(finding).kind == FeatureKind::kLastCall) continue;
      ChangedService& service = parts_.services[ServiceOf(finding)];
      service.score = std::max(service.score, finding.score());
      const std::pair unusual(finding.unusual_traces, std::abs(finding.z));
      if (finding.explained_by.empty() &&
          unusual > std::pair(service.unusual_traces, service.unusual_z)) {
        std::tie(service.unusual_traces, service.unusual_z) = unusual;
      }
      service.findings.push_back(f);
    }
    for (const auto& [callee, boundary] : boundaries_) {
      ChangedService& service = parts_.services[callee];
      const double sure = boundary.callers.size() >= 2 ? 0.95 : 0.6;
      service.score = std::max(service.score, sure * boundary.strength);
      service.stopped_callers = boundary.callers;
    }
  }

  const RecordedTraces& traces_;
  const BaselineModel& baseline_;
  const TraceWindow window_;
  const std::vector<bool> usual_trouble_;  // By trace of the window.
  ChangedParts parts_;
  std::vector<std::uint32_t> cell_spans_;  // Of the window, as the baseline's.
  std::vector<std::uint32_t> pair_spans_;
  struct SpanAt {
    std::uint32_t span = 0;
    std::uint32_t trace = 0;
  };
  std::vector<std::vector<SpanAt>> spans_of_context_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> pairs_of_;
  std::unordered_map<std::uint32_t, double> usual_;  // Of the finding at hand: share by cell.
  // By finding.
  std::vector<TraceSet> sets_;
  std::vector<std::vector<std::uint32_t>> deviating_;
  std::map<std::string_view, Boundary> boundaries_;
};

}  // namespace

ChangedParts FindChanges(const RecordedTraces& traces, const BaselineModel& baseline,
                         TraceWindow window) {
  return Finder(traces, baseline, window).Find();
}

}  // namespace throughline
