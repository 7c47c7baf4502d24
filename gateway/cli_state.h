// Link states and severities as the client commands show them, and what they exit with.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/terminal.h"

namespace throughline::gateway {

// What scripts get: the API of the command line.
inline constexpr int kExitFound = 0;
inline constexpr int kExitNotFound = 1;     // Nothing there, or only dead links.
inline constexpr int kExitUsage = 2;        // Wrong arguments, or an id that cannot be one.
inline constexpr int kExitUnreachable = 3;  // No gateway, or one that cannot answer now.

inline Colour StateColour(std::string_view state) {
  if (state == "live") return Colour::kGreen;
  if (state == "pending") return Colour::kYellow;
  return Colour::kRed;
}

// A link is dead when its spans are not here and will not come.
inline bool IsDead(std::string_view state) { return state != "live" && state != "pending"; }

// By OTLP's numbers: 13-16 are warnings, from 17 on errors.
inline Colour SeverityColour(std::uint64_t number) {
  if (number >= 17) return Colour::kRed;
  if (number >= 13) return Colour::kYellow;
  return Colour::kNone;
}

}  // namespace throughline::gateway
