// Sizes and durations as people write them: "20MiB", "1m30s".
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::gateway {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

std::span<const Unit> ByteUnits();
std::span<const Unit> TimeUnits();  // In nanoseconds.

// "20MiB" with the units given; a bare number where `bare` is not 0 counts in that unit. The error
// says `want`.
Result<std::uint64_t> ParseQuantity(std::string_view text, std::span<const Unit> units,
                                    std::uint64_t bare, std::string_view want);

// In the largest unit that divides it.
std::string PrintQuantity(std::uint64_t value, std::span<const Unit> units);

// A duration of one part or several, "15s" or "1m30s", as Prometheus writes it.
Result<std::chrono::nanoseconds> ParseDuration(std::string_view text);
std::string PrintDuration(std::chrono::nanoseconds duration);

}  // namespace throughline::gateway
