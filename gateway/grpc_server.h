// The gRPC server: OTLP's three Export methods, health and reflection.
//
// gRPC hands over raw bytes (its generic callback service), so the decoders of HTTP read these too.
// gRPC's own threads read a message and decode it; the writer thread finishes the call. Each call
// is looked at before its message is read. Bounds: GrpcLimits.
//
// Source: gRPC over HTTP/2; OTLP 1.x, "OTLP/gRPC".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "correlate/result.h"
#include "gateway/grpc_intake.h"
#include "gateway/http_server.h"
#include "gateway/metrics.h"

namespace throughline::gateway {

struct GrpcLimits {
  std::size_t message_bytes = 20UL << 20U;    // As sent: RESOURCE_EXHAUSTED.
  std::size_t metadata_bytes = 32UL << 10U;   // Of a call's header: refused by gRPC.
  std::size_t inflight_bytes = 256UL << 20U;  // Of messages not yet answered: UNAVAILABLE.
  std::size_t memory_bytes = 256UL << 20U;    // Of gRPC's buffers: it cancels calls.
  std::size_t connections = 1024;             // More are closed.
  std::size_t streams = 100;                  // Calls at once on a connection: the client waits.
  std::chrono::milliseconds handshake_timeout{20'000};  // To the connection's first SETTINGS.
  std::chrono::milliseconds read_timeout{60'000};       // Of a message: DEADLINE_EXCEEDED.
  std::chrono::milliseconds idle_timeout{300'000};      // Of a connection without a call: GOAWAY.
  std::chrono::milliseconds keepalive{60'000};          // Silence, then a ping.
  std::chrono::milliseconds ping_interval{10'000};      // Clients that ping more often: GOAWAY.
};

class GrpcServer {
 public:
  // Listens and serves. `intake` and `metrics` must outlive the server.
  static Result<std::unique_ptr<GrpcServer>> Start(const std::string& address,
                                                   const GrpcLimits& limits, GrpcIntake& intake,
                                                   Metrics& metrics);
  // Stop() must have been called.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // "127.0.0.1:4317", with the port that was really taken.
  const std::string& address() const;

  // No new connections, no new calls (UNAVAILABLE); health is NOT_SERVING. Those under way go on.
  void Drain();
  // Drains, lets calls under way finish (at most `patience`), cancels the others. Answers given
  // later are dropped. True when all had finished.
  bool Stop(std::chrono::milliseconds patience);

  ServerStats Stats() const;

 private:
  class Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace throughline::gateway
