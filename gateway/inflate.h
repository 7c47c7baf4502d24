// Undoes a request's Content-Encoding, within a bound.
#pragma once

#include <cstddef>

#include "api/http.h"
#include "correlate/batch.h"
#include "correlate/result.h"
#include "wire/compress.h"

namespace throughline::gateway {

// As the Content-Encoding header says; kUnsupported: one that nobody here reads.
Result<wire::Encoding> EncodingFromHeader(const api::Request& head);

// Replaces `body` by its inflated bytes, with Body::kPadding to spare. kTooLarge: more than
// `limit_bytes`; kInvalidArgument: damaged.
Result<void> InflateBody(wire::Encoding encoding, std::size_t limit_bytes, Body& body);

}  // namespace throughline::gateway
