// POST /api/v2/spans: Zipkin v2, JSON or protobuf (spans/zipkin.h). 202 without a body, as Zipkin
// answers; what is wrong as text, since its reporters log it.
#pragma once

#include "gateway/doors/door.h"

namespace throughline::gateway::doors {

extern const HttpDoor kZipkin;

}  // namespace throughline::gateway::doors
