// What the figures of a range (coverage.h) say is wrong with the senders' configuration, and the
// lines of configuration to change.
//
// Pure. Advice is given only for what the records show; each has its evidence in a sentence, with
// the numbers. A change names where it belongs and what to write there; `<...>` in it is for the
// reader to fill in. What follows from something's absence is not said where not all was read.
// Advice without a change: the cause shows, its place in the program does not.
//
// Sources: OpenTelemetry, "Environment Variable Specification" and "General SDK Configuration";
// the loggers' instrumentation libraries; docs/senders.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/analysis/coverage.h"

namespace throughline {

enum class Fault : std::uint8_t {
  kMissingServiceName,
  kLinesWithoutIds,
  kSpansWithoutLines,
  kLinesWithoutSpans,  // Lines name traces that nobody sent, and nor did the service.
  kDeadExemplars,      // Links of exemplars that do not open.
  kNoExemplars,        // Spans, and no exemplar at all.
  kExemplarsWithoutIds,
  kUnreadableIds,
  kZeroIds,
  kShortIds,     // 64 bits of an id in lines.
  kIdsInLabels,  // A trace id is a label of a stream of Loki's, or of a resource.
  kClockSkew,
};

// "missing_service_name", "lines_without_ids", ...: public names.
std::string_view FaultName(Fault fault);

// Static texts.
struct ConfigChange {
  std::string_view where;  // "environment of the process"
  std::string_view text;   // "OTEL_SERVICE_NAME=<name>"
};

struct Advice {
  Fault fault = Fault::kMissingServiceName;
  bool wrong = true;          // Else a hint: it may be as it is meant to be.
  std::string service;        // Empty: none was stated, or it is of all.
  std::uint64_t records = 0;  // That show it.
  std::uint64_t of = 0;       // Out of so many.
  std::string evidence;
  std::vector<ConfigChange> changes;
};

// Fewer records than this show no habit of a service.
inline constexpr std::uint64_t kFewestRecords = 10;
// Proven skew of less is no reason to change anything.
inline constexpr std::uint64_t kWorstSkewNs = 100'000'000;

// What is wrong first, then hints; each by fault, then service. `unlinked_kept`: lines and
// exemplars without an id are stored (logs.keep_unlinked), so that their absence means something.
std::vector<Advice> AdviseOn(const Coverage& coverage, bool unlinked_kept);

}  // namespace throughline
