// grpc.reflection.v1.ServerReflection (v1alpha is the same): which services are here, and what
// their messages look like, for tools such as grpcurl.
// Source: the gRPC Server Reflection Protocol; google/protobuf/descriptor.proto.
#pragma once

#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::gateway {

// The ServerReflectionResponse to a ServerReflectionRequest. What is asked for and not here is
// NOT_FOUND within the response. Any thread.
Result<std::string> AnswerReflection(std::string_view request);

}  // namespace throughline::gateway
