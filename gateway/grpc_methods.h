// The methods of the gRPC server, one table: what routes.h is for HTTP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "gateway/doors/otlp_grpc.h"

namespace throughline::gateway {

enum class GrpcKind : std::uint8_t { kExport, kHealthCheck, kHealthWatch, kReflection };

struct GrpcMethod {
  std::string_view path;  // "/package.Service/Method"
  GrpcKind kind = GrpcKind::kExport;
  const GrpcDoor* door = nullptr;  // Of kExport.

  std::string_view service() const { return path.substr(1, path.rfind('/') - 1); }
};

std::span<const GrpcMethod> GrpcMethods();
// Null: no such method.
const GrpcMethod* FindGrpcMethod(std::string_view path);
// Each service once, sorted.
std::span<const std::string_view> GrpcServiceNames();

}  // namespace throughline::gateway
