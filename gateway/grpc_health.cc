#include "gateway/grpc_health.h"

#include <algorithm>

#include "gateway/grpc_methods.h"
#include "wire/protobuf.h"

namespace throughline::gateway {

Result<GrpcServing> ReadHealthRequest(std::string_view bytes, GrpcServing of_server) {
  std::string_view service;
  wire::ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) {
      service = reader.Bytes();
    } else {
      reader.Skip();
    }
  }
  if (!reader.ok()) return InvalidArgument("HealthCheckRequest: " + reader.fault().Text(bytes));
  const auto services = GrpcServiceNames();
  const bool known =
      service.empty() || std::find(services.begin(), services.end(), service) != services.end();
  return known ? of_server : GrpcServing::kServiceUnknown;
}

std::string HealthResponse(GrpcServing serving) { return {'\x08', static_cast<char>(serving)}; }

}  // namespace throughline::gateway
