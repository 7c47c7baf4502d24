// Both sides of a comparison, as its tests look at them, and when a test is sure. Internal to
// compare.cc and compare_features.cc.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "correlate/analysis/compare.h"
#include "correlate/analysis/compare_statistics.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

inline constexpr std::size_t kBaseline = 0;
inline constexpr std::size_t kCandidate = 1;

using Pair = std::array<std::uint64_t, 2>;  // Of the baseline and of the candidate.

// Views what it is given.
class ComparedRecords {
 public:
  ComparedRecords(const RecordedTraces& traces, const ComparedTraces& compared)
      : all(traces),
        compared_(compared),
        class_traces_(traces.classes.size()),
        service_lines_(traces.names.size()) {
    std::vector<std::uint8_t> side_of(traces.traces.size(), 2);
    for (const std::size_t side : {kBaseline, kCandidate}) {
      for (const std::uint32_t t : TracesOf(side)) {
        side_of[t] = static_cast<std::uint8_t>(side);
        ++class_traces_[traces.traces[t].trace_class][side];
      }
    }
    for (const auto& lines : traces.service_lines) {
      const std::uint8_t side = side_of[lines.trace];
      if (side < 2) service_lines_[lines.service][side] += lines.lines;
    }
  }

  const RecordedTraces& all;

  const std::vector<std::uint32_t>& TracesOf(std::size_t side) const {
    return side == kBaseline ? compared_.baseline : compared_.candidate;
  }
  // By the name of the service.
  const Pair& LinesOf(std::uint32_t service) const { return service_lines_[service]; }
  // Calls `visit` with the side and the index of each trace whose kind of request both sides have.
  template <typename Visit>
  void EachComparable(Visit visit) const {
    for (const std::size_t side : {kBaseline, kCandidate}) {
      for (const std::uint32_t trace : TracesOf(side)) {
        const Pair& traces = class_traces_[all.traces[trace].trace_class];
        if (traces[kBaseline] > 0 && traces[kCandidate] > 0) visit(side, trace);
      }
    }
  }
  template <typename Visit>
  void EachSpan(std::uint32_t trace, Visit visit) const {
    const Range spans = all.traces[trace].spans;
    for (std::uint32_t i = spans.begin; i < spans.begin + spans.count; ++i) visit(i);
  }

 private:
  const ComparedTraces& compared_;
  std::vector<Pair> class_traces_;
  std::vector<Pair> service_lines_;
};

// After the correction for all tests of a comparison.
struct Surety {
  double correction = 1;

  double Corrected(double p) const { return std::min(1.0, p * correction); }
  bool Of(const TestResult& test) const { return Corrected(test.p) <= kErrorLevel; }
};

}  // namespace throughline
