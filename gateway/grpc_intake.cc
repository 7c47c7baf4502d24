#include "gateway/grpc_intake.h"

#include <memory>
#include <utility>

#include "correlate/scope.h"

namespace throughline::gateway {

Result<std::string> GrpcIntake::Admit(std::string_view org_id) const {
  TL_TRY_ASSIGN(std::string tenant, TenantFromHeader(org_id));
  TL_TRY(ingest_.Admit(tenant));
  return tenant;
}

Result<GrpcDoor::Read> GrpcIntake::Read(const GrpcDoor& door, GrpcMessage message,
                                        Batch& batch) const {
  TL_TRY_ASSIGN(batch.body, InflateMessage(std::move(message), limits_.message_bytes));
  return door.decode(ingest_.decode_options(), batch);
}

void GrpcIntake::Handle(const GrpcDoor& door, std::string tenant, GrpcMessage message,
                        GrpcRespond respond) {
  auto batch = std::make_shared<Batch>();
  const auto read = Read(door, std::move(message), *batch);
  if (!read) {
    ingest_.CountMalformed(door.intake);
    return respond(read.error());
  }
  ingest_.CountPassed(door.intake, read->passed_points);
  auto taken = [response = door.answer(read->decoded),
                respond = std::move(respond)](Result<Outcome> outcome) {
    if (outcome) return respond(response);
    respond(std::move(outcome).error());
  };
  ingest_.Take(door.intake, std::move(tenant), read->decoded, std::move(batch), std::move(taken));
}

}  // namespace throughline::gateway
