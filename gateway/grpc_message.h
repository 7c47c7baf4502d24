// One message of a gRPC call, and how it is compressed.
//
// gRPC 1.51 inflates without a bound, so here it does not inflate at all. It tells of gzip and
// deflate; any other grpc-encoding it hides, and hands over the compressed bytes. Framed snappy and
// zstd, which senders use, are known by their magic.
// Source: gRPC over HTTP/2, "Compressed-Flag", "Message-Encoding".
#pragma once

#include <cstddef>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "wire/compress.h"

namespace throughline::gateway {

struct GrpcMessage {
  Body bytes;
  bool compressed = false;                              // The flag before the message.
  wire::Encoding encoding = wire::Encoding::kIdentity;  // grpc-encoding, where gRPC knows it.
};

// The inflated bytes. kTooLarge: more than `limit_bytes`; kInvalidArgument: damaged, or compressed
// by nobody knows what; kUnsupported: gzip that grpc-encoding does not name.
Result<Body> InflateMessage(GrpcMessage message, std::size_t limit_bytes);

}  // namespace throughline::gateway
