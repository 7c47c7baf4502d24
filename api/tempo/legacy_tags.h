// The search before TraceQL: `tags`, `minDuration` and `maxDuration`.
#pragma once

#include <string>

#include "api/http.h"
#include "correlate/result.h"

namespace throughline::api::tempo {

// The same as TraceQL; "{}" where none of the three is there. `tags` is logfmt: key=value, values
// with spaces in double quotes. A value that reads as a number or a truth value matches both that
// and the text. kInvalidArgument, with the byte.
Result<std::string> QueryOfTags(const Request& request);

}  // namespace throughline::api::tempo
