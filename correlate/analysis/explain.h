// From a spike to its cause, with proof: which service made the traces of a window differ from
// those of the baseline windows, and by what one can tell.
//
// Four kinds of evidence speak for a service: time that its calls and operations added on critical
// paths, what its spans do and say that they did not (or no longer do), and the CPU of its pods.
// Whatever only passes on what another one did is a symptom, and is named as one. Nothing is
// learned and nothing is random: the same records give the same answer, in whatever order they
// came; ties go to the higher value, then to the name.
//
// Pure and bounded by the records (RecordLimits); about n log n in the spans of all windows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/analysis/explain_example.h"
#include "correlate/analysis/explain_model.h"
#include "correlate/analysis/explain_records.h"

namespace throughline {

enum class Verdict : std::uint8_t { kCulprit, kNoClearCulprit, kTooLittleData };
std::string_view VerdictName(Verdict verdict);  // "culprit", "no_clear_culprit", ...

// What kind of spike the caller looks at, where he knows.
enum class SpikeKind : std::uint8_t { kUnknown, kLatency, kError };

// CPU of one pod, in percent of one core or of its limit, as the sender measures it.
struct CpuChange {
  std::string service;
  std::string pod;
  double baseline = 0;
  double window = 0;
};

struct ExplainOptions {
  SpikeKind kind = SpikeKind::kUnknown;
  std::vector<CpuChange> cpu;
  std::size_t culprits = 10;
  bool attributes = true;  // Else no culprit has any: for deciding whether a window was a spike.
  // What was asked about: a culprit's example begins at this service, and is this trace, where it
  // can be.
  std::string service = {};
  TraceId trace_id = {};
};

// Below either it is too little data.
inline constexpr std::uint32_t kLeastWindowTraces = 5;
inline constexpr std::uint32_t kLeastBaselineTraces = 20;

// Of each culprit so many.
inline constexpr std::size_t kShownEdges = 4;
inline constexpr std::size_t kShownFindings = 4;
inline constexpr std::size_t kShownAttributes = 5;
inline constexpr std::size_t kShownTraces = 3;
inline constexpr std::size_t kShownSymptoms = 10;

struct ExplainedEdge {
  std::string caller;
  std::string callee;     // Empty: the caller's own operation.
  std::string operation;  // Empty for a call.
  double added_ns = 0;
  std::uint64_t slower = 0;  // Of `total` spans.
  std::uint64_t total = 0;
  double baseline_median_ns = 0;
  double z = 0;
};

struct ExplainedFinding {
  std::string kind;  // log, call, status, exception, class.
  bool is_new = false;
  std::string pattern;
  std::string context;  // "service operation".
  double share_change = 0;
  double z = 0;
  std::uint64_t spans = 0;
  std::uint64_t traces = 0;
  std::string explained_by;  // Empty: by nothing.
};

struct ExplainedAttribute {
  std::string key;
  std::string value;
  double share_window = 0;    // Of the spans that deviate.
  double share_baseline = 0;  // Of the others.
  double z = 0;
};

struct Culprit {
  std::string service;
  double score = 0;
  double added_share = 0;  // Of the window's time, what its calls and operations added.
  std::uint64_t slow_traces = 0;
  std::uint64_t changed_traces = 0;  // See ChangedService::unusual_traces.
  std::string kind;                  // cpu, code, error, network, own_time.
  std::vector<std::string> pods;
  std::vector<ExplainedEdge> edges;
  std::vector<ExplainedFinding> findings;
  std::vector<ExplainedAttribute> attributes;
  std::vector<CpuChange> cpu;
  ExplainedExample example;                  // Of a trace in which it was slow.
  std::vector<std::string> stopped_callers;  // Whose flow now ends at this service.
  std::vector<TraceId> trace_ids;            // Those with exemplars first, then by time.
};

struct Symptom {
  std::string service;
  std::string explained_by;
  ExplainedFinding finding;
};

struct Explanation {
  Verdict verdict = Verdict::kTooLittleData;
  std::string reason;             // Of a verdict that names nobody.
  double added_share = 0;         // Of the window's time.
  std::vector<Culprit> culprits;  // The likeliest first; where nobody is named, the candidates.
  std::vector<Symptom> symptoms;
  std::uint64_t traces = 0;  // Of the window, as the next two.
  std::uint64_t spans = 0;
  std::uint64_t lines = 0;
  std::uint64_t baseline_windows = 0;
  std::uint64_t baseline_traces = 0;
};

Explanation Explain(const RecordedTraces& traces, TraceWindow window,
                    std::span<const TraceWindow> baseline, const ExplainOptions& options);

}  // namespace throughline
