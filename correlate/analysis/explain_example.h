// One trace that shows a culprit's part: from the service that was asked about down to the culprit,
// as in "payment 1.8 s > fraud-check 1.5 s > external-api 1.4 s".
//
// Pure; linear in the spans of the trace.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/analysis/explain_records.h"

namespace throughline {

// Shown of a way down; of a longer one the first, and the culprit.
inline constexpr std::size_t kExampleSteps = 12;

struct ExampleStep {
  std::string service;
  std::uint64_t duration_ns = 0;  // Of the span by which the way enters the service.
};

struct ExplainedExample {
  TraceId trace_id;
  std::uint64_t culprit_ns = 0;    // Of the trace's critical path: the culprit's slow parts.
  std::uint64_t duration_ns = 0;   // Of the first step.
  std::vector<ExampleStep> steps;  // The last one is the culprit. Empty: there is no example.
};

// Of a trace with slow parts of `culprit`: `items`, sorted. The way begins at the topmost span of
// `asked`, where the culprit is below it; else at the root.
ExplainedExample ExampleOf(const RecordedTraces& traces, std::uint32_t trace,
                           std::string_view asked, std::string_view culprit,
                           std::span<const std::uint32_t> items);

}  // namespace throughline
