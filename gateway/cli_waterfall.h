// One trace as a waterfall for a terminal: a bar a span, its log lines and exemplars beneath it.
#pragma once

#include <cstddef>
#include <string>

#include "gateway/cli_answer.h"
#include "gateway/terminal.h"

namespace throughline::gateway {

struct WaterfallLimits {
  std::size_t spans = 1'000;      // Rows with a bar.
  std::size_t lines_a_span = 20;  // Log lines, and exemplars, beneath one span.
};

// `trace` is the answer of GET /traces/{id} (docs/api.md). Work and output are bounded by its size:
// parent loops are cut, and spans whose parent is missing stand at the left.
std::string RenderTrace(const Json& trace, const WaterfallLimits& limits,
                        const TerminalStyle& style);

}  // namespace throughline::gateway
