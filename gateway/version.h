// The version of the program, from CMake's project().
#pragma once

namespace throughline::gateway {

inline constexpr char kVersion[] = THROUGHLINE_VERSION;

}  // namespace throughline::gateway
