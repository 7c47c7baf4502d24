// Undoes a request's Content-Encoding, within a bound.
#pragma once

#include <cstddef>

#include "api/http.h"
#include "correlate/result.h"

namespace throughline::gateway {

// Replaces request.body by its inflated bytes, with Body::kPadding to spare. kUnsupported: an
// encoding that nobody here reads; kTooLarge: more than `limit_bytes`; kInvalidArgument: damaged.
Result<void> InflateBody(api::Request& request, std::size_t limit_bytes);

// The same for the header alone: kUnsupported, before a body is read for nothing.
Result<void> CheckEncoding(const api::Request& head);

}  // namespace throughline::gateway
