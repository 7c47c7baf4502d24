// A blocking TCP client that says exactly the bytes it is given, for tests of the server.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace throughline::gateway {

struct RawResponse {
  int status = 0;    // 0: the connection ended before a whole answer came.
  std::string head;  // With the status line.
  std::string body;

  // The value of a header in `head`; empty: absent.
  std::string Header(std::string_view name) const {
    const std::string key = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(key);
    if (at == std::string::npos) return {};
    const std::size_t begin = at + key.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class RawClient {
 public:
  // `address` as the server says it: "127.0.0.1:PORT".
  explicit RawClient(const std::string& address) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(
        static_cast<std::uint16_t>(std::atoi(address.substr(address.rfind(':') + 1).c_str())));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) Close();
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void EndSending() const { ::shutdown(fd_, SHUT_WR); }

  // Errors are seen by the read that follows.
  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // One answer with a Content-Length, or none. `bodiless`: of a HEAD request.
  RawResponse Read(bool bodiless = false) {
    RawResponse response;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) return response;
    }
    response.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    const std::string length = response.Header("Content-Length");
    const std::size_t size =
        bodiless || length.empty() ? 0 : static_cast<std::size_t>(std::atoll(length.c_str()));
    while (buffer_.size() < size) {
      if (!Fill()) return response;
    }
    response.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    response.status = std::atoi(response.head.c_str() + 9);
    return response;
  }

  // Exactly `size` bytes, fewer where the connection ends.
  std::string ReadBytes(std::size_t size) {
    while (buffer_.size() < size && Fill()) {
    }
    const std::string bytes = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return bytes;
  }
  // Whether anything came that was not read yet; does not wait.
  bool HasBytes() const {
    char byte = 0;
    return !buffer_.empty() || ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }

  // True when the server has closed and nothing more came.
  bool AtEnd() { return buffer_.empty() && !Fill(); }

 private:
  bool Fill() {
    char bytes[65536];
    const ssize_t received = ::recv(fd_, bytes, sizeof bytes, 0);
    if (received <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(received));
    return true;
  }

  int fd_ = -1;
  std::string buffer_;
};

}  // namespace throughline::gateway
