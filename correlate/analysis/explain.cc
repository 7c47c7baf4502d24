#include "correlate/analysis/explain.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "correlate/analysis/explain_attributes.h"
#include "correlate/analysis/explain_latency.h"
#include "correlate/analysis/explain_structure.h"
#include "correlate/analysis/record_names.h"

namespace throughline {
namespace {

constexpr double kCpuPoints = 20;      // Percent more, and
constexpr double kCpuTimes = 2;        // so many times as much, is a change.
constexpr double kCpuFullPoints = 80;  // Counts in full.
constexpr double kCpuIsTheKind = 0.25;
constexpr double kLatencyShare = 0.3;    // Of the window's time added: it is about latency.
constexpr double kNoLatencyShare = 0.1;  // It is not.
constexpr double kOtherEvidence = 0.7;   // What the evidence of the other sort then counts.
constexpr double kInward = 0.6;
constexpr double kMostTerm = 0.99;
// A culprit is named where its calls and operations added so much of the window's time in so many
// traces, or where so many traces changed that no usual error touched, of all or so surely.
constexpr double kSureAddedShare = 0.1;
constexpr std::uint32_t kSureSlowTraces = 3;
constexpr double kSureSlowShare = 0.5;   // Of its calls slow:
constexpr double kSureSlowZ = 3;         // then so sure,
constexpr double kSurePartlySlowZ = 15;  // else so sure.
constexpr double kSureChangedTraces = 5;
constexpr double kSureChangedShare = 0.15;
constexpr double kSureManyChangedZ = 3;  // Of so large a share: hundreds of features are tested.
constexpr double kSureChangedZ = 8;

class Explainer {
 public:
  Explainer(const RecordedTraces& traces, TraceWindow window, std::span<const TraceWindow> baseline,
            const ExplainOptions& options)
      : traces_(traces), window_(window), baseline_windows_(baseline), options_(options) {}

  Explanation Run() {
    Count();
    if (window_.size() == 0 || out_.baseline_traces == 0) {
      out_.reason = window_.size() == 0 ? "no traces in the window" : "no baseline";
      return std::move(out_);
    }
    baseline_ = BuildBaseline(traces_, baseline_windows_);
    slow_ = FindSlowParts(traces_, baseline_, window_);
    changed_ = FindChanges(traces_, baseline_, window_);
    out_.added_share = slow_.share();
    Rank();
    if (TooLittle()) out_.verdict = Verdict::kTooLittleData;
    ListSymptoms();
    return std::move(out_);
  }

 private:
  void Count() {
    out_.traces = window_.size();
    for (std::uint32_t t = window_.first; t < window_.last; ++t) {
      out_.spans += traces_.traces[t].spans.count;
      out_.lines += traces_.traces[t].lines;
    }
    out_.baseline_windows = baseline_windows_.size();
    for (const TraceWindow& part : baseline_windows_) out_.baseline_traces += part.size();
  }

  // Sets the reason.
  bool TooLittle() {
    std::string reason;
    if (window_.size() < kLeastWindowTraces) {
      reason = std::to_string(window_.size()) + " traces in the window, want " +
               std::to_string(kLeastWindowTraces);
    } else if (out_.baseline_traces < kLeastBaselineTraces) {
      reason = std::to_string(out_.baseline_traces) + " traces in " +
               std::to_string(baseline_windows_.size()) + " baseline windows, want " +
               std::to_string(kLeastBaselineTraces);
    }
    if (!reason.empty()) out_.reason = std::move(reason);
    return out_.baseline_traces < kLeastBaselineTraces || window_.size() < kLeastWindowTraces;
  }

  // --- the score ------------------------------------------------------------------------------

  struct Suspect {
    std::string_view service;
    double score = 0;
    double slow = 0;
    double changed = 0;
    double metric = 0;
  };

  double MetricOf(std::string_view service) const {
    double most = 0;
    for (const CpuChange& cpu : options_.cpu) {
      if (cpu.service == service) most = std::max(most, MetricOf(cpu));
    }
    return most;
  }
  static double MetricOf(const CpuChange& cpu) {
    const double points = cpu.window - cpu.baseline;
    if (points < kCpuPoints || cpu.window < kCpuTimes * cpu.baseline) return 0;
    return std::min(1.0, points / kCpuFullPoints);
  }

  std::vector<Suspect> Suspects() const {
    std::set<std::string_view> names;
    for (const auto& [name, service] : slow_.services) names.insert(name);
    for (const auto& [name, service] : changed_.services) names.insert(name);
    for (const CpuChange& cpu : options_.cpu) {
      if (MetricOf(cpu) > 0) names.insert(cpu.service);
    }
    const double added = slow_.share();
    const bool slowness = added >= kLatencyShare || options_.kind == SpikeKind::kLatency;
    const bool no_slowness = added < kNoLatencyShare || options_.kind == SpikeKind::kError;
    std::vector<Suspect> suspects;
    for (const std::string_view name : names) {
      Suspect suspect{.service = name};
      const auto slow = slow_.services.find(name);
      if (slow != slow_.services.end()) suspect.slow = slow->second.score;
      const auto changed = changed_.services.find(name);
      if (changed != changed_.services.end()) suspect.changed = changed->second.score;
      suspect.metric = MetricOf(name);
      const auto without = [](double term) { return 1 - std::min(kMostTerm, term); };
      suspect.score = 1 - without((no_slowness ? kOtherEvidence : 1) * suspect.slow) *
                              without((slowness ? kOtherEvidence : 1) * suspect.changed) *
                              without(suspect.metric);
      if (suspect.score > 0) suspects.push_back(suspect);
    }
    std::sort(suspects.begin(), suspects.end(), [](const Suspect& a, const Suspect& b) {
      return a.score != b.score ? a.score > b.score : a.service < b.service;
    });
    return suspects;
  }

  // What ranks services also ranks the noise of a quiet window; to name one takes more.
  bool IsSure(const Suspect& suspect) const {
    if (suspect.metric >= kCpuIsTheKind) return true;
    const auto slow = slow_.services.find(suspect.service);
    if (slow != slow_.services.end() && slow->second.traces >= kSureSlowTraces &&
        slow->second.added_share >= kSureAddedShare) {
      const bool most = slow->second.slow_share >= kSureSlowShare;
      if (slow->second.z >= (most ? kSureSlowZ : kSurePartlySlowZ)) return true;
    }
    const auto changed = changed_.services.find(suspect.service);
    if (changed == changed_.services.end()) return false;
    const double traces = changed->second.unusual_traces;
    const bool many = traces >= kSureChangedShare * window_.size();
    return traces >= kSureChangedTraces &&
           changed->second.unusual_z >= (many ? kSureManyChangedZ : kSureChangedZ);
  }

  void Rank() {
    std::vector<Suspect> suspects = Suspects();
    if (!suspects.empty() && IsSure(suspects.front())) {
      out_.verdict = Verdict::kCulprit;
    } else {
      out_.verdict = Verdict::kNoClearCulprit;
      out_.reason = suspects.empty() ? "the window is like the baseline"
                                     : "no service differs enough from the baseline";
    }
    if (suspects.size() > options_.culprits) suspects.resize(options_.culprits);
    for (const Suspect& suspect : suspects) out_.culprits.push_back(Describe(suspect));
  }

  // --- the proof ------------------------------------------------------------------------------

  std::string KindOf(const Suspect& suspect) const {
    if (suspect.metric >= kCpuIsTheKind) return "cpu";
    if (suspect.changed > suspect.slow) {
      const auto changed = changed_.services.find(suspect.service);
      for (const std::uint32_t f : changed->second.findings) {
        const Finding& finding = changed_.findings[f];
        const FeatureKey& feature = traces_.features.At(finding.feature);
        const bool error = feature.kind == FeatureKind::kStatus ||
                           feature.kind == FeatureKind::kException ||
                           feature.grade == LineGrade::kError;
        if (error && finding.is_new && finding.explained_by.empty()) return "error";
      }
      return "code";
    }
    const auto slow = slow_.services.find(suspect.service);
    const bool inward = slow != slow_.services.end() && slow->second.inward >= kInward;
    return inward ? "network" : "own_time";
  }

  Culprit Describe(const Suspect& suspect) const {
    Culprit culprit;
    culprit.service = suspect.service;
    culprit.score = suspect.score;
    culprit.kind = KindOf(suspect);
    std::vector<std::uint32_t> examples;
    const auto slow = slow_.services.find(suspect.service);
    if (slow != slow_.services.end()) {
      culprit.added_share = slow->second.added_share;
      culprit.slow_traces = slow->second.traces;
      for (const std::uint32_t i : slow->second.items) {
        const SlowItem& item = slow_.items[i];
        if (culprit.edges.size() < kShownEdges) culprit.edges.push_back(EdgeOf(item));
        examples.insert(examples.end(), item.traces.begin(), item.traces.end());
      }
      culprit.example = ExampleOfSlow(suspect.service, slow->second);
    }
    const auto changed = changed_.services.find(suspect.service);
    if (changed != changed_.services.end()) {
      culprit.changed_traces = changed->second.unusual_traces;
      for (const std::uint32_t f : changed->second.findings) {
        const Finding& finding = changed_.findings[f];
        if (culprit.findings.size() == kShownFindings) break;
        culprit.findings.push_back(FindingOf(finding));
        examples.insert(examples.end(), finding.traces.begin(), finding.traces.end());
      }
      for (const std::string_view caller : changed->second.stopped_callers) {
        culprit.stopped_callers.emplace_back(caller);
      }
    }
    for (const CpuChange& cpu : options_.cpu) {
      if (cpu.service == suspect.service && MetricOf(cpu) > 0) culprit.cpu.push_back(cpu);
    }
    culprit.pods = PodsOf(suspect.service);
    std::sort(examples.begin(), examples.end());
    examples.erase(std::unique(examples.begin(), examples.end()), examples.end());
    if (options_.attributes) DescribeAttributes(suspect.service, examples, culprit);
    culprit.trace_ids = ExamplesOf(traces_, std::move(examples), kShownTraces);
    return culprit;
  }

  // Of the trace that was asked about, else of the first one with an exemplar, else of the first.
  ExplainedExample ExampleOfSlow(std::string_view service, const SlowService& slow) const {
    std::vector<std::uint32_t> items;
    std::uint32_t best = kNoIndex;
    const auto rank = [this](std::uint32_t t) {
      const TraceRecord& trace = traces_.traces[t];
      return std::tuple(trace.trace_id != options_.trace_id, !trace.has_exemplar, t);
    };
    for (const std::uint32_t i : slow.items) {
      items.push_back(slow_.items[i].item);
      for (const std::uint32_t t : slow_.items[i].traces) {
        if (best == kNoIndex || rank(t) < rank(best)) best = t;
      }
    }
    if (best == kNoIndex) return {};
    std::sort(items.begin(), items.end());
    return ExampleOf(traces_, best, options_.service, service, items);
  }

  void DescribeAttributes(std::string_view service, const std::vector<std::uint32_t>& deviating,
                          Culprit& culprit) const {
    for (const AttributeShare& share :
         FindAttributes(traces_, service, window_, baseline_windows_, deviating)) {
      if (culprit.attributes.size() == kShownAttributes) break;
      const AttributeKey& key = traces_.attributes.At(share.attribute);
      culprit.attributes.push_back({std::string(traces_.names.At(key.key)),
                                    std::string(traces_.names.At(key.value)), share.share_window,
                                    share.share_baseline, share.z});
    }
  }

  std::vector<std::string> PodsOf(std::string_view service) const {
    std::set<std::string_view> pods;
    for (std::uint32_t t = window_.first; t < window_.last; ++t) {
      const Range spans = traces_.traces[t].spans;
      for (std::uint32_t i = spans.begin; i < spans.begin + spans.count; ++i) {
        const RecordedResource& resource = traces_.resources[traces_.spans[i].resource];
        if (traces_.names.At(resource.service) != service) continue;
        if (resource.pod != NameTable::kEmpty) pods.insert(traces_.names.At(resource.pod));
      }
    }
    return {pods.begin(), pods.end()};
  }

  ExplainedEdge EdgeOf(const SlowItem& item) const {
    constexpr double kNsAMs = 1e6;
    ExplainedEdge edge;
    const ItemName name = NameOf(traces_, traces_.items.At(item.item));
    edge.caller = name.caller;
    edge.callee = name.callee;
    edge.operation = name.operation;
    edge.added_ns = item.added_ms * kNsAMs;
    edge.slower = item.slow;
    edge.total = item.total;
    edge.baseline_median_ns = item.median_ms * kNsAMs;
    edge.z = item.z;
    return edge;
  }

  ExplainedFinding FindingOf(const Finding& from) const {
    ExplainedFinding finding;
    FeatureName name = NameOf(traces_, traces_.features.At(from.feature));
    finding.kind = name.kind;
    finding.pattern = std::move(name.pattern);
    finding.is_new = from.is_new;
    finding.context = ContextText(traces_, from.context);
    finding.share_change = from.share;
    finding.z = from.z;
    finding.spans = from.count;
    finding.traces = from.traces.size();
    finding.explained_by = from.explained_by;
    return finding;
  }

  void ListSymptoms() {
    for (const Finding& finding : changed_.findings) {
      if (finding.explained_by.empty()) continue;
      if (out_.symptoms.size() == kShownSymptoms) return;
      const ContextKey& context = traces_.contexts.At(finding.context);
      out_.symptoms.push_back({std::string(traces_.names.At(context.service)),
                               std::string(finding.explained_by), FindingOf(finding)});
    }
  }

  const RecordedTraces& traces_;
  const TraceWindow window_;
  const std::span<const TraceWindow> baseline_windows_;
  const ExplainOptions& options_;
  BaselineModel baseline_;
  SlowParts slow_;
  ChangedParts changed_;
  Explanation out_;
};

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kCulprit: return "culprit";
    case Verdict::kNoClearCulprit: return "no_clear_culprit";
    case Verdict::kTooLittleData: break;
  }
  return "too_little_data";
}

Explanation Explain(const RecordedTraces& traces, TraceWindow window,
                    std::span<const TraceWindow> baseline, const ExplainOptions& options) {
  return Explainer(traces, window, baseline, options).Run();
}

}  // namespace throughline
