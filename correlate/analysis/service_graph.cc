#include "correlate/analysis/service_graph.h"

#include <tuple>
#include <vector>

namespace throughline {

void CallTotals::Merge(const CallTotals& other) {
  calls += other.calls;
  errors += other.errors;
  durations.Merge(other.durations);
}

void ServiceGraph::MergeCall(const CallKey& key, const CallTotals& totals) {
  if (calls_.size() >= kMostCalls && !calls_.contains(key)) {
    cut_ = true;
    return;
  }
  calls_[key].Merge(totals);
}

void ServiceGraph::Add(const RecordedTraces& traces, TraceWindow window) {
  using Ids = std::tuple<std::uint32_t, std::uint32_t, bool>;  // Names, and instrumented.
  std::map<Ids, CallTotals> calls;
  const auto add = [&](std::uint32_t caller, std::uint32_t callee, bool instrumented,
                       const SpanRecord& span) {
    if (caller == callee || caller == NameTable::kEmpty || callee == NameTable::kEmpty) return;
    CallTotals& totals = calls[{caller, callee, instrumented}];
    ++totals.calls;
    if (span.is_error) ++totals.errors;
    totals.durations.Add(span.duration_ns);
  };
  std::vector<std::uint32_t> above;  // Spans that the one at hand stands under, by record.
  for (std::uint32_t t = window.first; t < window.last; ++t) {
    ++traces_;
    above.clear();
    const Range range = traces.traces[t].spans;
    for (std::uint32_t i = range.begin; i < range.begin + range.count; ++i) {
      const SpanRecord& span = traces.spans[i];
      const std::uint32_t service = traces.ServiceIdOf(span);
      while (!above.empty() && above.back() + traces.spans[above.back()].below < i) {
        above.pop_back();
      }
      if (!above.empty()) add(traces.ServiceIdOf(traces.spans[above.back()]), service, true, span);
      const ItemKey& item = traces.items.At(span.item);
      if (span.below == 0 && item.is_edge) add(service, item.to, false, span);
      above.push_back(i);
    }
  }
  for (const auto& [ids, totals] : calls) {
    const auto& [caller, callee, instrumented] = ids;
    MergeCall(
        {std::string(traces.names.At(caller)), std::string(traces.names.At(callee)), instrumented},
        totals);
  }
}

void ServiceGraph::Merge(const ServiceGraph& other) {
  for (const auto& [key, totals] : other.calls_) MergeCall(key, totals);
  traces_ += other.traces_;
  cut_ = cut_ || other.cut_;
}

}  // namespace throughline
