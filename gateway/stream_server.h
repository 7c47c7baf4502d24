// A TCP door for protocols that send records one after the other over a lasting connection.
//
// The server owns sockets, limits and acknowledgements; a StreamSession for each connection knows
// the protocol. Bytes are read, the session makes a batch of the messages that are whole, and the
// batch goes to Ingest; replies that promise something are sent when it is stored.
//
// Nothing is dropped while a sender can wait: with too many bytes read and not yet stored, or with
// a batch that was refused (kOverloaded, kUnavailable) and waits to be offered again, a connection
// is not read, and TCP holds its sender back. Other errors cost their batch; where a reply was due
// the connection is closed without it, so that the sender repeats.
//
// Everything runs on the loop of Streams.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "gateway/ingest.h"
#include "gateway/stream_stats.h"
#include "gateway/streams.h"

namespace throughline::gateway {

struct StreamLimits {
  std::size_t connections = 1024;          // More are closed at once.
  std::size_t inflight_bytes = 1U << 20U;  // A connection's, read and not stored: reading pauses.
  std::size_t total_bytes = 256U << 20U;   // Of all connections; who adds to more is closed.
  std::size_t reply_bytes = 64U << 10U;    // Not yet taken by the peer: reading pauses.
  std::chrono::milliseconds idle_timeout{3'600'000};    // Without a byte in or out: closed.
  std::chrono::milliseconds handshake_timeout{20'000};  // Until the session is ready: closed.
  std::chrono::milliseconds first_retry{20};            // After a refusal; doubles up to
  std::chrono::milliseconds last_retry{2'000};
};

// The meaning of one connection's bytes. Called on the loop, one call at a time.
class StreamSession {
 public:
  // What the bytes at hand came to.
  struct Step {
    std::size_t taken = 0;               // Of the bytes; they are not seen again.
    std::shared_ptr<const Batch> batch;  // The messages among them; null: none.
    Decoded decoded;                     // Of the batch.
    std::string reply;                   // Sent at once.
    std::string reply_when_stored;
    std::string problem;  // Not empty: no more can be read. The rest of the step still counts.
  };

  virtual ~StreamSession() = default;
  // Sent when the connection opens.
  virtual std::string Greeting() { return {}; }
  // Whether the peer may stay as long as it likes.
  virtual bool ready() const { return true; }
  // Reads from the front of `unread`. A step that takes nothing waits for more bytes; one that
  // takes something is followed by another. At the end of the connection (`at_end`) what is left is
  // all there will be.
  virtual Step Read(std::string_view unread, bool at_end) = 0;
};

class StreamServer {
 public:
  using Stats = StreamStats;
  using MakeSession = std::function<std::unique_ptr<StreamSession>()>;

  // Listens; `address` as ParseEndpoint (endpoint.h) reads it. `streams` and `ingest` outlive the
  // server, and every batch it gave away.
  static Result<std::unique_ptr<StreamServer>> Start(const std::string& address, Intake intake,
                                                     const StreamLimits& limits, Streams& streams,
                                                     Ingest& ingest, MakeSession make_session);
  // Stops at once if Stop() was not called.
  ~StreamServer();
  StreamServer(const StreamServer&) = delete;
  StreamServer& operator=(const StreamServer&) = delete;

  // With the port that was really taken.
  const std::string& address() const;
  // Accepts and reads no more; waits until what was read is stored and acknowledged, at most
  // `patience`; closes all. True: all was. Before Streams::Stop, on any thread but the loop's.
  bool Stop(std::chrono::milliseconds patience);
  Stats GetStats() const;

 private:
  class Impl;
  explicit StreamServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace throughline::gateway
