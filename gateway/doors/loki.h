// POST /loki/api/v1/push: Loki's push, JSON and protobuf.
// Source: Loki HTTP API, "Ingest logs"; grafana/loki pkg/loghttp/push.
#pragma once

#include "gateway/doors/door.h"

namespace throughline::gateway::doors {

extern const HttpDoor kLoki;

}  // namespace throughline::gateway::doors
