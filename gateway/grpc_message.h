// One message of a gRPC call, and how it is compressed.
//
// gRPC 1.51 inflates without a bound, so here it does not inflate at all. It names gzip and
// deflate; of any other grpc-encoding it says nothing and hands over the compressed bytes. Framed
// snappy and zstd, which senders use, are known by their magic.
// Source: gRPC over HTTP/2, "Compression".
#pragma once

#include <cstddef>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "wire/compress.h"

namespace throughline::gateway {

struct GrpcMessage {
  Body bytes;
  wire::Encoding encoding = wire::Encoding::kIdentity;  // As grpc-encoding says, where gRPC knows.
};

// The inflated bytes. kUnsupported: gzip that grpc-encoding does not name; kTooLarge: more than
// `limit_bytes`; kInvalidArgument: damaged.
Result<Body> InflateMessage(GrpcMessage message, std::size_t limit_bytes);

}  // namespace throughline::gateway
