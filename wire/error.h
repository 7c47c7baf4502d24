// Why bytes could not be read.
//
// `wire` does not know the domain's Error: callers turn this into theirs.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <boost/system/result.hpp>

namespace throughline::wire {

struct Error {
  enum class Kind { kMalformed, kTooLarge, kUnsupported };
  Kind kind = Kind::kMalformed;
  std::string message;     // Lower case, no full stop, with the place.
  std::size_t offset = 0;  // In the input, where that is known.
};

[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

template <typename T>
using Result = boost::system::result<T, Error>;

}  // namespace throughline::wire
