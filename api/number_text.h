// Numbers and times as the APIs of Prometheus and Loki write them.
//
// Source: prometheus/prometheus util/jsonutil; Go's strconv.
#pragma once

#include <cstdint>
#include <string>

#include "wire/json_writer.h"

namespace throughline::api {

// The shortest text that reads back as the same double; no exponent from 1e-6 to 1e21; NaN, +Inf,
// -Inf.
std::string NumberText(double value);
// Seconds, with three digits behind the point where it is no whole second.
void WriteTimestamp(wire::JsonWriter& json, std::uint64_t unix_ns);

}  // namespace throughline::api
