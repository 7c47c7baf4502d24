// A small HTTP server that says exactly the bytes it is told to, for tests of what calls servers.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace throughline::gateway {

// Answers each connection's request with what `answer` makes of it; nothing: it stays open until
// the server ends.
class RawServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  explicit RawServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
    thread_ = std::thread([this] { Run(); });
  }
  ~RawServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (const int held : held_) ::close(held);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  const std::string& address() const { return address_; }
  std::vector<std::string> requests() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }

 private:
  void Run() {
    for (int fd = 0; (fd = ::accept(listener_, nullptr, nullptr)) >= 0;) Serve(fd);
  }
  void Serve(int fd) {
    std::string request;
    char bytes[4096];
    while (!IsWhole(request)) {
      const ssize_t size = ::recv(fd, bytes, sizeof bytes, 0);
      if (size <= 0) break;
      request.append(bytes, static_cast<std::size_t>(size));
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      requests_.push_back(request);
    }
    const std::string answer = answer_(request);
    if (answer.empty()) {
      held_.push_back(fd);
      return;
    }
    for (std::size_t sent = 0; sent < answer.size();) {
      const ssize_t size = ::send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) break;
      sent += static_cast<std::size_t>(size);
    }
    ::close(fd);
  }

  // With as much of a body as its header promises.
  static bool IsWhole(const std::string& request) {
    constexpr char kLength[] = "Content-Length: ";
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::size_t at = request.find(kLength);
    if (at > end) return true;
    return request.size() - end - 4 >= std::stoul(request.substr(at + sizeof kLength - 1));
  }

  Answer answer_;
  int listener_ = -1;
  std::string address_;
  std::vector<int> held_;  // On the thread, then by the destructor.
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace throughline::gateway
