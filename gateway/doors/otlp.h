// OTLP over HTTP: traces, metrics and logs, protobuf and JSON.
// Source: OTLP 1.x, "OTLP/HTTP".
#pragma once

#include <string>

#include "correlate/batch.h"
#include "gateway/doors/door.h"

namespace throughline::gateway::doors {

extern const HttpDoor kOtlpTraces;
extern const HttpDoor kOtlpMetrics;
extern const HttpDoor kOtlpLogs;

// What was refused or mended, in one sentence for the sender; empty: nothing.
std::string PartialSuccessMessage(const Decoded& decoded);

}  // namespace throughline::gateway::doors
