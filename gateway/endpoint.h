// Addresses to listen on, as the configuration writes them.
#pragma once

#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "correlate/result.h"

namespace throughline::gateway {

// "127.0.0.1:4380", "[::1]:0", ":4380" (all of IPv4), "localhost:80" or "0.0.0.0:80". No names are
// looked up.
Result<boost::asio::ip::tcp::endpoint> ParseEndpoint(const std::string& address);

// "127.0.0.1:4380", "[::1]:4380".
std::string TextOf(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace throughline::gateway
