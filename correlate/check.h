// TL_CHECK: a broken invariant stops the process, in every build.
#pragma once

namespace throughline {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace throughline

#define TL_CHECK(condition)           \
  (__builtin_expect(!!(condition), 1) \
       ? void(0)                      \
       : ::throughline::CheckFailed(#condition, __FILE__, __LINE__))
