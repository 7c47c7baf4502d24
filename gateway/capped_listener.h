// Accepts TCP connections for a server that takes file descriptors, and bounds how many are open.
//
// gRPC cannot bound its connections itself. Once a descriptor is handed over only its new owner
// knows when it is closed: whether one of ours is still open is seen by the inode of its socket,
// which no later socket has.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "correlate/result.h"
#include "gateway/http_server.h"

namespace throughline::gateway {

class CappedListener {
 public:
  struct Hooks {
    // Takes over a connected, non-blocking socket.
    std::function<void(int listener_fd, int connection_fd)> take;
    std::function<void()> every_second;
  };

  // Listens; accepts nothing yet.
  static Result<std::unique_ptr<CappedListener>> Listen(const std::string& address,
                                                        std::size_t connections);
  ~CappedListener();
  CappedListener(const CappedListener&) = delete;
  CappedListener& operator=(const CappedListener&) = delete;

  // "127.0.0.1:4317", with the port that was really taken.
  const std::string& address() const { return address_; }

  // Starts the thread that accepts and calls the hooks. Once.
  void Start(Hooks hooks);
  // Accepts no more; every_second goes on until the end.
  void StopAccepting();

  // Of connections; those over the bound were closed at once.
  ServerStats Stats() const;

 private:
  struct Open {
    int fd = -1;
    ino_t inode = 0;
  };

  CappedListener(int listener, int wake, std::string address, std::size_t connections)
      : listener_(listener), wake_(wake), address_(std::move(address)), limit_(connections) {}
  void Run();
  // What waits. False: accepting fails.
  bool Accept();
  // True: it may stay.
  bool Count(int fd);
  void ForgetClosed() const;  // Needs mutex_.

  const int listener_;
  const int wake_;  // An eventfd.
  const std::string address_;
  const std::size_t limit_;
  Hooks hooks_;
  mutable std::mutex mutex_;
  mutable std::vector<Open> open_;  // Guarded by mutex_, as all below.
  std::uint64_t accepted_ = 0;
  std::uint64_t refused_ = 0;
  bool accepting_ = true;
  bool stopping_ = false;
  std::thread thread_;  // Last.
};

}  // namespace throughline::gateway
