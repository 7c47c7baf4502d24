// OTLP answers: the export response with its partial success, and google.rpc.Status for failures,
// each in the request's own encoding.
// Source: OTLP 1.x, "OTLP/HTTP Response", "OTLP/gRPC Throttling"; google/rpc/status.proto,
// error_details.proto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace throughline::otlp {

enum class Format { kProtobuf, kJson };

// The rejected count's JSON name: "rejectedSpans", "rejectedDataPoints", "rejectedLogRecords". An
// empty message and zero rejected give the empty response. A message with zero rejected is a
// warning.
std::string ExportResponse(Format format, std::string_view rejected_name, std::uint64_t rejected,
                           std::string_view message);

// `code` is a gRPC status code.
std::string StatusResponse(Format format, int code, std::string_view message);

// A google.rpc.Status in protobuf whose details are a google.rpc.RetryInfo: gRPC's
// grpc-status-details-bin, which makes senders try again.
std::string RetryStatus(int code, std::string_view message, int retry_seconds);

}  // namespace throughline::otlp
