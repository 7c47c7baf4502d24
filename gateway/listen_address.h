// Where to listen, as a user writes it.
#pragma once

#include <cstdint>
#include <string>

#include "correlate/result.h"

namespace throughline::gateway {

struct ListenAddress {
  std::string ip;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
};

// "127.0.0.1:4380", "[::1]:0", "localhost:80", ":4380" (all of IPv4). The address is checked where
// it is bound.
Result<ListenAddress> ParseListenAddress(const std::string& text);

// "127.0.0.1:4380", "[::1]:80"
std::string PrintAddress(const std::string& ip, std::uint16_t port);

}  // namespace throughline::gateway
