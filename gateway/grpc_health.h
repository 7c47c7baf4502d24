// grpc.health.v1.Health: what its messages say.
// Source: grpc/health/v1/health.proto; the gRPC Health Checking Protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::gateway {

// HealthCheckResponse.ServingStatus.
enum class GrpcServing : std::uint8_t { kServing = 1, kNotServing = 2, kServiceUnknown = 3 };

// How the service is that a HealthCheckRequest asks for. "" is the whole server, which is
// `of_server`, as all of its services are; kServiceUnknown: it is not here.
Result<GrpcServing> ReadHealthRequest(std::string_view bytes, GrpcServing of_server);

// A HealthCheckResponse.
std::string HealthResponse(GrpcServing serving);

}  // namespace throughline::gateway
