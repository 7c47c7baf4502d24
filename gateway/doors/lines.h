// POST /api/v1/logs: JSON lines, JSON arrays and text lines (logs/lines.h).
#pragma once

#include "gateway/doors/door.h"

namespace throughline::gateway::doors {

extern const HttpDoor kLines;

}  // namespace throughline::gateway::doors
