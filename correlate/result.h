// What an operation that can fail from outside returns, and the macros that pass failures on.
//
// Each code has exactly one HTTP and one gRPC status (api/status.h), so a new code is a change of
// the public API.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

namespace throughline {

enum class Errc {
  kInvalidArgument,  // The caller's bytes or arguments are wrong; the same call fails again.
  kUnauthenticated,
  kPermissionDenied,
  kNotFound,
  kConflict,     // Several answers where one was asked for.
  kTooLarge,     // Over a named limit; smaller requests pass.
  kUnsupported,  // A media type or an encoding that nobody here reads.
  kOverloaded,   // A queue or a budget is full; come back later.
  kUnavailable,  // Shutting down, or the store cannot take more.
  kDataLoss,     // What is on disk cannot be read.
};

struct Error {
  Errc code = Errc::kInvalidArgument;
  std::string message;  // Lower case, no full stop, with the numbers.
};

// Required by boost::system::result for value() on an error, which is a broken invariant here.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

template <typename T>
using Result = boost::system::result<T, Error>;

inline Error InvalidArgument(std::string message) {
  return Error{Errc::kInvalidArgument, std::move(message)};
}

// The name of a code as logs and problem documents spell it: "invalid_argument".
std::string_view ErrcName(Errc code);

}  // namespace throughline

#define TL_CONCAT_INNER(a, b) a##b
#define TL_CONCAT(a, b) TL_CONCAT_INNER(a, b)

// Returns the error of `expression`, or goes on.
#define TL_TRY(expression)                                       \
  do {                                                           \
    auto tl_try_result = (expression);                           \
    if (!tl_try_result) return std::move(tl_try_result).error(); \
  } while (false)

// Declares `declaration` with the value of `expression`, or returns its error.
#define TL_TRY_ASSIGN(declaration, expression)                                               \
  auto TL_CONCAT(tl_try_, __LINE__) = (expression);                                          \
  if (!TL_CONCAT(tl_try_, __LINE__)) return std::move(TL_CONCAT(tl_try_, __LINE__)).error(); \
  declaration = std::move(TL_CONCAT(tl_try_, __LINE__)).value()
