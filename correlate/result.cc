#include "correlate/result.h"

#include <cstdio>
#include <cstdlib>

#include "correlate/check.h"

namespace throughline {

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  std::fprintf(stderr, "value() of an error at %s:%u: %s\n", where.file_name(), where.line(),
               error.message.c_str());
  std::abort();
}

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "check failed at %s:%d: %s\n", file, line, condition);
  std::abort();
}

std::string_view ErrcName(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument: return "invalid_argument";
    case Errc::kUnauthenticated: return "unauthenticated";
    case Errc::kPermissionDenied: return "permission_denied";
    case Errc::kNotFound: return "not_found";
    case Errc::kConflict: return "conflict";
    case Errc::kTooLarge: return "too_large";
    case Errc::kUnsupported: return "unsupported";
    case Errc::kOverloaded: return "overloaded";
    case Errc::kUnavailable: return "unavailable";
    case Errc::kDataLoss: return "data_loss";
  }
  CheckFailed("known error code", __FILE__, __LINE__);
}

}  // namespace throughline
