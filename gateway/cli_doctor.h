// `throughline doctor`: how well the records of a range hang together, and what to change.
#pragma once

#include "gateway/cli_render.h"

namespace throughline::gateway {

// GET /api/v1/coverage as a table of services and a list of advice. The exit code is kExitFound; 1
// (kExitNotFound) where something is wrong, or nothing came at all.
Rendered RenderDoctor(const Json& answer, const TerminalStyle& style);

}  // namespace throughline::gateway
