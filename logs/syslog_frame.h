// Cuts the bytes of a TCP connection into syslog messages.
//
// RFC 6587 knows two framings, and senders choose without saying so: octet counting ("17 <13>...")
// and a trailing newline or NUL. Each message is looked at anew: one that begins with a count, a
// space and "<" is counted, any other ends at the next newline or NUL. (A line of text that begins
// with a number is thus no count.)
//
// A count is only a claim. Nothing is allocated for it, one of more than 9 digits is text, and a
// message longer than the limit is cut there and its rest passed by, whichever the framing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace throughline::logs {

class SyslogFramer {
 public:
  struct Frame {
    bool whole = false;        // There is a message; false: more bytes are needed.
    bool cut = false;          // It was longer than the limit.
    std::string_view message;  // Without its count and its end. Views what was given.
    std::size_t taken = 0;     // Bytes that are done with, also where there is no message.
  };

  // `message_bytes`: the longest message. A caller that keeps what is not taken never holds more
  // than that, a count, and what it read last.
  explicit SyslogFramer(std::size_t message_bytes) : message_bytes_(message_bytes) {}

  // The next message of `unread`, which begins with the first byte that was not taken yet. At the
  // end of the connection (`at_end`) what is left is a message too.
  Frame Next(std::string_view unread, bool at_end = false);

 private:
  bool PassRest(std::string_view unread, Frame& frame);
  Frame Counted(std::string_view unread, std::size_t count, std::size_t prefix, bool at_end);
  Frame Delimited(std::string_view unread, bool at_end);

  std::size_t message_bytes_;
  std::size_t searched_ = 0;         // Of the message at hand: bytes known to hold no end.
  std::uint64_t passing_bytes_ = 0;  // Still to come of a counted message that was cut.
  bool passing_line_ = false;        // The end of a line that was cut has not come yet.
};

}  // namespace throughline::logs
