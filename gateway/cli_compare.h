// `throughline compare`: whether one selection of traces is worse than another, for a pipeline, a
// terminal or an incident channel.
#pragma once

#include <string>
#include <vector>

#include "gateway/cli_report.h"

namespace throughline::gateway {

inline constexpr int kExitPass = 0;
inline constexpr int kExitFail = 1;
inline constexpr int kExitInconclusive = 4;  // 2 and 3 are every command's (cli_state.h).

// What is asked, as on the command line; empty: not given.
struct CompareQuestion {
  WindowQuestion window;
  WindowQuestion baseline_window;  // Where it is another.
  std::string service, operation;
  std::vector<std::string> baseline, candidate;  // "key=value": conditions on attributes.
};

// The body of POST /api/v1/compare. A condition without '=' has an empty value.
std::string CompareBody(const CompareQuestion& question);

Rendered RenderCompare(const Json& answer, const TerminalStyle& style);

}  // namespace throughline::gateway
