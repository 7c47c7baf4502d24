// What a websocket of the HTTP server sends: texts, made when its client can take the next.
//
// A handler answers a request with a feed (Reply::Upgrade); the server keeps the protocol (RFC
// 6455: handshake, pings, the end) and asks the feed for one text after the other. So nothing but a
// feed's own bounded queue waits for a slow client. What a client sends is read and dropped.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace throughline::gateway {

class Feed {
 public:
  struct Next {
    std::string text;  // Empty: there is none now.
    // Then it is asked again at this time, and whenever it wakes the server.
    std::chrono::steady_clock::time_point not_before = std::chrono::steady_clock::time_point::max();
  };

  virtual ~Feed() = default;

  // The client is there. `wake` may be called from any thread until End returns.
  virtual void Begin(std::function<void()> wake) = 0;
  virtual Next Take() = 0;
  // The connection has ended. Without a Begin, where it came to none.
  virtual void End() = 0;
};

}  // namespace throughline::gateway
