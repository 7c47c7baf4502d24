// The CPU of pods in a window beside that in its baseline, from the gauge points that are kept.
//
// A point describes the time before it: it belongs to the window that holds the middle between it
// and the point before. Cumulative times become rates. In percent: of a core, or of what the sender
// takes for the whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "correlate/analysis/explain.h"
#include "correlate/analysis/explain_baseline.h"
#include "correlate/batch.h"

namespace throughline {

class CpuPoints {
 public:
  static constexpr std::size_t kMostPoints = 200'000;  // Further ones are left out.
  // How far behind a window's end a point may stand that describes its end.
  static constexpr std::uint64_t kLongestStepNs = 300'000'000'000;

  // Takes the points whose metric is about CPU. Keeps no view of the batch.
  void Add(const Batch& batch);
  bool full() const { return count_ >= kMostPoints; }

  // Of each pod the series that changed most. Points without a service have that of their pod in
  // `traces`. By service, then pod.
  std::vector<CpuChange> Changes(const RecordedTraces& traces, TimeSpan window,
                                 std::span<const TimeSpan> baseline) const;

 private:
  struct Series {
    std::string service;
    std::string pod;
    double scale = 1;
    bool cumulative = false;
    std::map<std::uint64_t, double> points;  // By time.
  };
  std::map<std::string, Series> series_;
  std::size_t count_ = 0;
};

}  // namespace throughline
