// A comparison as JSON, and as text to paste into an incident channel.
#pragma once

#include <string>

#include "api/links/compare_request.h"
#include "correlate/analysis/compare.h"
#include "wire/json_writer.h"

namespace throughline::api::links {

struct Compared {
  Comparison comparison;
  CompareRequest request;
  bool complete = true;
  std::string incomplete_reason;
};

// The whole answer, with its text form as a member.
void WriteReport(wire::JsonWriter& json, const Compared& compared);

// Some lines, each with its newline; control characters of names and patterns as '?'.
std::string TextOf(const Compared& compared);

}  // namespace throughline::api::links
