// An explanation as JSON, and as text to paste into an incident channel.
#pragma once

#include <string>
#include <vector>

#include "correlate/analysis/explain.h"
#include "correlate/analysis/explain_baseline.h"
#include "wire/json_writer.h"

namespace throughline::api::links {

struct Explained {
  Explanation explanation;
  TimeSpan window;
  std::vector<TimeSpan> baseline;
  std::vector<TimeSpan> spikes;  // Left out of the baseline.
  bool baseline_chosen = false;  // Not given by the caller.
  bool complete = true;
  std::string incomplete_reason;
};

// The whole answer, with its text form as a member.
void WriteReport(wire::JsonWriter& json, const Explained& explained);

// Some lines, each with its newline; control characters of names and patterns as '?'.
std::string TextOf(const Explained& explained);

}  // namespace throughline::api::links
