// `throughline explain`: why a window's traces differ, for a terminal or an incident channel.
#pragma once

#include <string>
#include <string_view>

#include "gateway/cli_render.h"
#include "gateway/terminal.h"

namespace throughline::gateway {

// What is asked, as on the command line; empty: not given.
struct ExplainQuestion {
  std::string since, start, end;
  std::string baseline_start, baseline_end;
  std::string service, operation, metric, trace_id, kind, limit;
};

// The body of POST /api/v1/explain.
std::string ExplainBody(const ExplainQuestion& question);

// The answer's text. Found: a culprit is named.
Rendered RenderExplain(const Json& answer, const TerminalStyle& style);

}  // namespace throughline::gateway
