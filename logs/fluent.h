// Fluent Forward, protocol version 1 (and 0, which is a part of it): what fluentd, Fluent Bit,
// Docker's logging driver and the fluent-logger libraries send.
//
// A message is one MessagePack array:
//   Message                  [tag, time, record, option?]
//   Forward                  [tag, [[time, record]*], option?]
//   PackedForward            [tag, bytes of [time, record]*, option?]
//   CompressedPackedForward  the same, compressed as option "compressed" says (gzip, zstd)
// or nil, which is a heartbeat. A time is an integer of seconds, an EventTime (extension 0: seconds
// and nanoseconds), or a float; Fluent Bit wraps it as [time, metadata]. Option "chunk" asks for an
// acknowledgement.
//
// A record becomes the line that the same object would be as JSON (logs/lines.h: text, severity,
// service, trace ids at any depth). Its own time comes before the event's; the tag is the attribute
// fluent.tag, metadata the field fluent.metadata. Bytes are text; what is no UTF-8 in them becomes
// U+FFFD.
//
// Source: github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1, and -v1.5 for metadata
// and signals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "wire/msgpack.h"

namespace throughline::logs {

// Finds where each message of a connection ends, in a buffer that grows as bytes arrive.
class FluentFramer {
 public:
  enum class State {
    kNeedMore,
    kHeartbeat,
    kMessage,    // DecodeFluent reads it (or the handshake, logs/fluent_handshake.h).
    kMalformed,  // Neither an array nor nil, or no MessagePack. Nothing after it can be trusted.
    kTooLarge,   // It is, or says that it will be, longer than the limit.
  };
  struct Frame {
    State state = State::kNeedMore;
    std::size_t size = 0;  // Of a heartbeat or a message.
  };

  explicit FluentFramer(std::size_t message_bytes) : scanner_(message_bytes) {}

  // `unread` begins with the first byte behind the last message. Linear work in what arrives.
  Frame Next(std::string_view unread);

 private:
  wire::MsgpackScanner scanner_;
};

struct FluentMessage {
  Decoded decoded;
  std::string_view chunk;  // To be acknowledged when the lines are stored. Views the message.
};

// Appends the lines of one message. What is kept is copied. After an error (not MessagePack, not
// one of the modes, an unknown compression, more than `inflated_bytes` or than
// options.records_per_request) the batch is as it was; a record that is no map or has no time costs
// only itself.
Result<FluentMessage> DecodeFluent(std::string_view message, std::size_t inflated_bytes,
                                   const DecodeOptions& options, Batch& batch);

// {"ack": chunk}
std::string FluentAck(std::string_view chunk);

}  // namespace throughline::logs
