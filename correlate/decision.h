// Sampling decisions as records: what a sampler did with a whole trace, and why.
//
// A decision is a log record with the event name kDecisionEvent and the id of its trace, so every
// road in takes it, every store keeps it as durably as a line, and exports and backups carry it
// (docs/adr/011). Its attributes:
//
//   sampling.kept          bool    false: the spans were dropped; without it nothing was decided
//   sampling.rule          string  which rule said so
//   sampling.probability   double  the share of such traces that is kept
//
// Source: OpenTelemetry Logs Data Model, "EventName".
#pragma once

#include <optional>
#include <string_view>

#include "correlate/batch.h"

namespace throughline {

inline constexpr std::string_view kDecisionEvent = "throughline.sampling.decision";

// Views the line.
struct Decision {
  bool kept = true;
  std::string_view rule = {};         // Empty: not stated.
  std::optional<double> probability;  // In [0, 1].
};

// nullopt: not a decision, or one that does not say what was decided.
std::optional<Decision> DecisionOf(const LogLine& line, const Batch& batch);

}  // namespace throughline
