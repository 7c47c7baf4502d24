#include "gateway/endpoint.h"

#include <charconv>
#include <cstdint>

#include <boost/asio/ip/address.hpp>

namespace throughline::gateway {

using boost::asio::ip::tcp;

Result<tcp::endpoint> ParseEndpoint(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  unsigned port = 0;
  const char* const end = address.data() + address.size();
  if (colon == std::string::npos) {
    return InvalidArgument("listen address \"" + address + "\" has no port, want HOST:PORT");
  }
  const auto parsed = std::from_chars(address.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || port > 65535) {
    return InvalidArgument("listen address \"" + address + "\" has a bad port, want 0-65535");
  }
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  boost::system::error_code ec;
  const auto ip = boost::asio::ip::make_address(host, ec);
  if (ec) return InvalidArgument("listen address \"" + address + "\" has no IP address for a host");
  return tcp::endpoint(ip, static_cast<std::uint16_t>(port));
}

std::string TextOf(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

}  // namespace throughline::gateway
