// Which service calls which: a call is a span whose parent is of another service, or a client's
// span that names its peer and has nothing under it.
//
// Graphs can be merged, and neither the order nor the cut of the traces changes them, as long as
// there are at most kMostCalls.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "correlate/analysis/duration_histogram.h"
#include "correlate/analysis/explain_model.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

struct CallKey {
  std::string caller;
  std::string callee;
  // The callee sends spans. Else it is what the caller says (peer.service, server.address,
  // net.peer.name).
  bool instrumented = true;
  auto operator<=>(const CallKey&) const = default;
};

struct CallTotals {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;     // Spans with status error.
  DurationHistogram durations;  // Of the callee's span; of the caller's where there is none.

  void Merge(const CallTotals& other);
};

class ServiceGraph {
 public:
  static constexpr std::size_t kMostCalls = 10'000;  // Further ones are left out.

  void Add(const RecordedTraces& traces, TraceWindow window);
  void Merge(const ServiceGraph& other);

  const std::map<CallKey, CallTotals>& calls() const { return calls_; }
  std::uint64_t traces() const { return traces_; }
  bool cut() const { return cut_; }  // Some were left out.

 private:
  void MergeCall(const CallKey& key, const CallTotals& totals);

  std::map<CallKey, CallTotals> calls_;
  std::uint64_t traces_ = 0;
  bool cut_ = false;
};

}  // namespace throughline
