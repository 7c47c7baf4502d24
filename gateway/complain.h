// How a command says on standard error why it did not do what it was asked for, and with which exit
// code. Those that work on a data directory have these; fsck has its own.
#pragma once

#include <cstdio>
#include <string>

#include "correlate/result.h"

namespace throughline::gateway {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitWrong = 2;    // What was asked for.
inline constexpr int kExitStopped = 3;  // By a signal; the same command may go on.

inline int Complain(const std::string& text, int exit_code) {
  std::fprintf(stderr, "throughline: %s\n", text.c_str());
  return exit_code;
}

inline int Complain(const Error& error) {
  const bool is_wrong = error.code == Errc::kInvalidArgument || error.code == Errc::kConflict;
  return Complain(error.message, is_wrong ? kExitWrong : kExitFailed);
}

}  // namespace throughline::gateway
