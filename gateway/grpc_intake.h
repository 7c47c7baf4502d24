// Intake over gRPC: what every Export call goes through.
//
//   header:  tenant, the tenant's rate              -> refused before the message is read
//   message: inflated, decoded (on gRPC's thread that read it), stored
//   answer:  when the records are durable
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "correlate/result.h"
#include "gateway/doors/otlp_grpc.h"
#include "gateway/grpc_message.h"
#include "gateway/ingest.h"

namespace throughline::gateway {

// How a call is answered: with the response message, or an error. Any thread; once.
using GrpcRespond = std::function<void(Result<std::string>)>;

class GrpcIntake {
 public:
  struct Limits {
    std::size_t message_bytes = 20UL << 20U;  // Inflated.
  };

  // `ingest` must outlive it.
  GrpcIntake(const Limits& limits, Ingest& ingest) : limits_(limits), ingest_(ingest) {}

  // The tenant of the metadata x-scope-orgid; or what that rules out.
  Result<std::string> Admit(std::string_view org_id) const;

  // Any thread.
  void Handle(const GrpcDoor& door, std::string tenant, GrpcMessage message, GrpcRespond respond);

 private:
  Result<GrpcDoor::Read> Read(const GrpcDoor& door, GrpcMessage message, Batch& batch) const;

  const Limits limits_;
  Ingest& ingest_;
};

}  // namespace throughline::gateway
