// What gRPC counts of a connection (its channelz), where it says more than the call does.
#pragma once

#include <string_view>

namespace throughline::gateway {

// False: the connection of this peer ("ipv4:127.0.0.1:52144") has not brought one whole message, by
// gRPC's count. gRPC 1.51 hands a frame that is none (its flag is neither 0 nor 1) to the server as
// an empty message, and counts it as none. True where nothing is known. The cost is a look at all
// connections: for empty messages only.
bool HasBroughtAMessage(std::string_view peer);

}  // namespace throughline::gateway
