// POST /api/v1/write: Prometheus remote write 1.0 and 2.0. The content type says which.
// Source: Prometheus remote write specifications 1.0 and 2.0.
#pragma once

#include "gateway/doors/door.h"

namespace throughline::gateway::doors {

extern const HttpDoor kRemoteWrite;

}  // namespace throughline::gateway::doors
