// Where the time of many traces goes: the share of each call and each operation in their critical
// paths, added up trace by trace.
//
// The own times of one trace add up to the duration of its root, so those of all parts add up to
// the duration of all traces, exactly. What hangs on no root is left out. Totals can be merged, and
// neither the order nor the cut of the traces changes them, as long as there are at most kMostParts
// parts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "correlate/analysis/explain_model.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

// A call, or a service's own operation.
struct PathKey {
  std::string caller;
  std::string callee;     // Empty: the caller's own operation.
  std::string operation;  // Empty for a call.
  auto operator<=>(const PathKey&) const = default;
};

struct PathPart {
  struct Example {
    bool has_exemplar = false;
    std::uint64_t self_ns = 0;
    TraceId trace_id;
  };
  std::uint64_t self_ns = 0;
  std::uint64_t traces = 0;  // That have it on their path for any time at all.
  std::uint64_t spans = 0;
  std::vector<Example> examples;  // With exemplars first, then by time; at most kPathExamples.

  void Merge(const PathPart& other);
};
inline constexpr std::size_t kPathExamples = 3;

class PathTotals {
 public:
  static constexpr std::size_t kMostParts = 10'000;  // Further ones are one, without names.

  void Add(const RecordedTraces& traces, TraceWindow window);
  void Merge(const PathTotals& other);

  const std::map<PathKey, PathPart>& parts() const { return parts_; }
  std::uint64_t traces() const { return traces_; }
  std::uint64_t undetermined() const { return undetermined_; }  // Of traces(): see CriticalPathOf.
  std::uint64_t duration_ns() const { return duration_ns_; }    // Of all traces.
  std::size_t size_bytes() const;                               // About what it holds in memory.

 private:
  PathPart& PartOf(PathKey key);

  std::map<PathKey, PathPart> parts_;
  std::uint64_t traces_ = 0;
  std::uint64_t undetermined_ = 0;
  std::uint64_t duration_ns_ = 0;
};

}  // namespace throughline
