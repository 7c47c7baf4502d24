// Which attributes the deviating spans of a service have more often than its others: a pod, a
// version, a node, whatever has few values.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "correlate/analysis/explain_model.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

struct AttributeShare {
  std::uint32_t attribute = 0;
  double share_window = 0;
  double share_baseline = 0;
  double z = 0;
};

// Of the spans of `service`: in `deviating` traces (sorted) against all others of the window and
// the baseline, within each kind of request. As many attributes as are tested, so much surer must
// each be (Bonferroni). The surest first.
std::vector<AttributeShare> FindAttributes(const RecordedTraces& traces, std::string_view service,
                                           TraceWindow window,
                                           std::span<const TraceWindow> baseline,
                                           std::span<const std::uint32_t> deviating);

}  // namespace throughline
