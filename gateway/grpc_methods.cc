#include "gateway/grpc_methods.h"

#include <algorithm>
#include <array>
#include <vector>

namespace throughline::gateway {
namespace {

// Those that carry the traffic first.
constexpr std::array kMethods = {
    GrpcMethod{"/opentelemetry.proto.collector.trace.v1.TraceService/Export", GrpcKind::kExport,
               &doors::kGrpcTraces},
    GrpcMethod{"/opentelemetry.proto.collector.logs.v1.LogsService/Export", GrpcKind::kExport,
               &doors::kGrpcLogs},
    GrpcMethod{"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", GrpcKind::kExport,
               &doors::kGrpcMetrics},
    GrpcMethod{"/grpc.health.v1.Health/Check", GrpcKind::kHealthCheck},
    GrpcMethod{"/grpc.health.v1.Health/Watch", GrpcKind::kHealthWatch},
    GrpcMethod{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", GrpcKind::kReflection},
    GrpcMethod{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
               GrpcKind::kReflection},
};

}  // namespace

std::span<const GrpcMethod> GrpcMethods() { return kMethods; }

const GrpcMethod* FindGrpcMethod(std::string_view path) {
  const auto* const found =
      std::find_if(kMethods.begin(), kMethods.end(),
                   [&](const GrpcMethod& method) { return method.path == path; });
  return found == kMethods.end() ? nullptr : found;
}

std::span<const std::string_view> GrpcServiceNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const GrpcMethod& method : kMethods) all.push_back(method.service());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }();
  return names;
}

}  // namespace throughline::gateway
