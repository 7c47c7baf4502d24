// The event loop of the doors that are not HTTP: syslog, Fluent Forward and scraping.
//
// One thread, "streams", and one io_context, which it runs until Stop(). What these doors carry is
// small next to HTTP, and one thread keeps their state free of locks. The object outlives
// everything that may still post to the loop: what is posted after Stop() is dropped when it dies.
#pragma once

#include <memory>

namespace boost::asio {
class io_context;
}

namespace throughline::gateway {

class Streams {
 public:
  Streams();
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  boost::asio::io_context& loop();

  // Ends the thread. The servers on it were stopped before.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace throughline::gateway
