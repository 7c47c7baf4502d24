// What the doors that are not HTTP count of themselves.
#pragma once

#include <cstdint>

namespace throughline::gateway {

// Of one TCP door.
struct StreamStats {
  std::uint64_t connections = 0;           // Now.
  std::uint64_t connections_accepted = 0;  // Ever.
  std::uint64_t connections_refused = 0;   // Over a limit.
  std::uint64_t timeouts = 0;
  std::uint64_t problems = 0;      // Connections closed for what they sent.
  std::uint64_t retries = 0;       // Batches offered again.
  std::uint64_t lost_batches = 0;  // Refused for good.
  std::uint64_t held_bytes = 0;    // Now: buffered, or not yet stored.
};

struct SyslogStats {
  StreamStats tcp;
  std::uint64_t datagrams = 0;
  std::uint64_t dropped_datagrams = 0;  // Read, and not stored.
  std::uint64_t cut_messages = 0;       // Over UDP or TCP.
};

}  // namespace throughline::gateway
