// Syslog over UDP (RFC 5426) and TCP (RFC 6587).
//
// Messages that come together are stored together. Over TCP nothing is lost while the sender can
// wait (stream_server.h). Over UDP nobody waits: datagrams that cannot be stored are dropped and
// counted, and so are those beyond the receive buffer, by the kernel.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "correlate/result.h"
#include "gateway/ingest.h"
#include "gateway/stream_server.h"
#include "gateway/stream_stats.h"
#include "gateway/streams.h"

namespace throughline::gateway {

class SyslogServer {
 public:
  struct Limits {
    std::size_t message_bytes = 64U << 10U;    // Longer ones are cut, and counted.
    std::size_t batch_bytes = 64U << 10U;      // Of messages stored together.
    std::size_t udp_buffer_bytes = 4U << 20U;  // Asked of the kernel, which may give less.
    StreamLimits stream;
  };
  using Stats = SyslogStats;

  // Empty: off. `streams` and `ingest` outlive the server, and every batch it gave away.
  static Result<std::unique_ptr<SyslogServer>> Start(const std::string& udp_listen,
                                                     const std::string& tcp_listen,
                                                     const Limits& limits, Streams& streams,
                                                     Ingest& ingest);
  ~SyslogServer();
  SyslogServer(const SyslogServer&) = delete;
  SyslogServer& operator=(const SyslogServer&) = delete;

  // With the ports that were really taken; empty: off.
  std::string udp_address() const;
  std::string tcp_address() const;

  // Reads no more, and waits at most `patience` for what was read over TCP. True: all was stored.
  // Before Streams::Stop, on any thread but the loop's.
  bool Stop(std::chrono::milliseconds patience);
  Stats GetStats() const;

 private:
  class Udp;
  SyslogServer();

  std::shared_ptr<std::atomic<std::uint64_t>> cut_messages_;
  std::shared_ptr<Udp> udp_;           // Null: off.
  std::unique_ptr<StreamServer> tcp_;  // Null: off.
};

}  // namespace throughline::gateway
