// Fluent Forward over TCP, as in_forward of fluentd takes it.
//
// With a shared key the connection begins with the handshake; without one, records come at once.
// Messages that come together are stored together, and each that asked for it (option "chunk") is
// acknowledged when it is stored. Overload and limits: stream_server.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "correlate/result.h"
#include "gateway/ingest.h"
#include "gateway/stream_server.h"
#include "gateway/streams.h"
#include "logs/fluent_handshake.h"

namespace throughline::gateway {

class FluentServer {
 public:
  struct Limits {
    std::size_t message_bytes = 16U << 20U;   // Of one message: longer ones close the connection.
    std::size_t inflated_bytes = 20U << 20U;  // Of a compressed one.
    std::size_t batch_bytes = 64U << 10U;     // Of messages stored together, unless one is larger.
    StreamLimits stream;
  };

  // `secrets` with an empty shared key: no handshake. `streams` and `ingest` outlive the server,
  // and every batch it gave away.
  static Result<std::unique_ptr<FluentServer>> Start(const std::string& listen,
                                                     const Limits& limits,
                                                     logs::FluentSecrets secrets, Streams& streams,
                                                     Ingest& ingest);

  // With the port that was really taken.
  const std::string& address() const { return tcp_->address(); }
  // As StreamServer's.
  bool Stop(std::chrono::milliseconds patience) { return tcp_->Stop(patience); }
  StreamServer::Stats GetStats() const { return tcp_->GetStats(); }

 private:
  explicit FluentServer(std::unique_ptr<StreamServer> tcp) : tcp_(std::move(tcp)) {}

  std::unique_ptr<StreamServer> tcp_;
};

}  // namespace throughline::gateway
