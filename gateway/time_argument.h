// Times as people type them behind a flag or in a query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::gateway {

// "2h" (ago), or any time that the API takes.
Result<std::uint64_t> TimeArgument(std::string_view text, std::uint64_t now_unix_ns);

// Of the system's clock.
std::uint64_t NowUnixNs();

}  // namespace throughline::gateway
