#include "gateway/listen_address.h"

#include <charconv>

namespace throughline::gateway {

Result<ListenAddress> ParseListenAddress(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return InvalidArgument("listen address \"" + text + "\" has no port, want HOST:PORT");
  }
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || port > 65535) {
    return InvalidArgument("listen address \"" + text + "\" has a bad port, want 0-65535");
  }
  ListenAddress address;
  address.port = static_cast<std::uint16_t>(port);
  address.ip = text.substr(0, colon);
  if (address.ip.size() >= 2 && address.ip.front() == '[' && address.ip.back() == ']') {
    address.ip = address.ip.substr(1, address.ip.size() - 2);
  }
  if (address.ip.empty()) address.ip = "0.0.0.0";
  if (address.ip == "localhost") address.ip = "127.0.0.1";
  return address;
}

std::string PrintAddress(const std::string& ip, std::uint16_t port) {
  const bool is_v6 = ip.find(':') != std::string::npos;
  return (is_v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

}  // namespace throughline::gateway
