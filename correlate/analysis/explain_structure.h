// What the spans of the window do that they did not do, or no longer do: calls, log lines, status
// and exceptions, and who only passes on what another one did.
//
// Tested for each service and operation, within each kind of request. A finding is a symptom where
// a service below it has a finding as strong in the same traces; and a call that vanished is one
// where its flow now ends at a service that callers stop behind (the boundary).
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "correlate/analysis/explain_model.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

// Findings beyond are dropped, the least surprising first.
inline constexpr std::size_t kMostFindings = 1000;

struct Finding {
  std::uint32_t context = 0;
  std::uint32_t feature = 0;
  bool is_new = false;  // Else lost.
  double z = 0;
  double share = 0;
  double strength = 0;                // 0 to 1, before what explains it.
  std::uint32_t count = 0;            // Spans that deviate.
  std::vector<std::uint32_t> traces;  // Of these spans; sorted.
  std::uint32_t unusual_traces = 0;   // Of these, see ChangedService.
  std::string_view explained_by;      // A service; empty: nothing explains it.

  double score() const { return explained_by.empty() ? strength : kExplained * strength; }
  static constexpr double kExplained = 0.3;
};

struct ChangedService {
  double score = 0;
  // The most traces that one of its findings has which nothing explains, without the traces whose
  // errors are as frequent in the baseline.
  std::uint32_t unusual_traces = 0;
  double unusual_z = 0;                 // Of that finding, without its sign.
  std::vector<std::uint32_t> findings;  // Into ChangedParts::findings; the strongest first.
  std::vector<std::string_view> stopped_callers;  // Whose flow now ends at this service.
};

struct ChangedParts {
  std::vector<Finding> findings;                        // The strongest first.
  std::map<std::string_view, ChangedService> services;  // By name; views the traces' names.
};

ChangedParts FindChanges(const RecordedTraces& traces, const BaselineModel& baseline,
                         TraceWindow window);

}  // namespace throughline
