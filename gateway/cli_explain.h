// `throughline explain`: why a window's traces differ, for a terminal or an incident channel.
#pragma once

#include <string>

#include "gateway/cli_report.h"

namespace throughline::gateway {

// What is asked, as on the command line; empty: not given.
struct ExplainQuestion {
  WindowQuestion window;
  WindowQuestion baseline;  // Its `since` is not used.
  std::string service, operation, metric, trace_id, kind, limit;
};

// The body of POST /api/v1/explain.
std::string ExplainBody(const ExplainQuestion& question);

// The answer's text. Found: a culprit is named.
Rendered RenderExplain(const Json& answer, const TerminalStyle& style);

}  // namespace throughline::gateway
