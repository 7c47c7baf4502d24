#include "wire/error.h"

#include <cstdio>
#include <cstdlib>

namespace throughline::wire {

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  std::fprintf(stderr, "value() of an error at %s:%u: %s\n", where.file_name(), where.line(),
               error.message.c_str());
  std::abort();
}

}  // namespace throughline::wire
