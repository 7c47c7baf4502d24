// One connection of the HTTP server.
//
// Private to the HTTP server.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gateway/http_exchange.h"
#include "gateway/http_loop.h"
#include "gateway/http_parser.h"
#include "gateway/websocket.h"

namespace throughline::gateway {

// One connection, from accept to close. It lives in its coroutine's frame.
class HttpSession {
 public:
  HttpSession(HttpLoop& loop, Door door, Socket socket)
      : loop_(loop),
        shared_(loop.shared),
        door_(door),
        socket_(std::move(socket)),
        slot_(std::make_shared<HttpSlot>(loop.context)),
        buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)) {
    loop_.sessions.insert(this);
  }
  ~HttpSession() {
    ReleaseInflight();
    loop_.sessions.erase(this);
    ErrorCode ignored;
    socket_.close(ignored);
    shared_.CloseOne();
  }
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  Task<void> Run();

  // From the loop's sweep: ends what takes longer than it may.
  void Expire(TimePoint now) {
    if (now < deadline_) return;
    deadline_ = TimePoint::max();
    timed_out_ = true;
    shared_.timeouts.fetch_add(1, std::memory_order_relaxed);
    Cancel();
  }
  // The server stops: ends a connection that waits for its next request, or is a websocket.
  void EndIfIdle() {
    if (websocket_ != nullptr) return websocket_->Close();
    if (idle_) Cancel();
  }
  const std::shared_ptr<HttpSlot>& slot() const { return slot_; }

 private:
  enum class Step { kGoOn, kRefused, kClosed };

  static constexpr std::size_t kBufferBytes = 16UL << 10U;  // To start with.

  Task<Step> ReadHead();
  Task<Step> ReadBody();
  Task<Step> ReadSizedBody(std::size_t total);
  Task<Step> ReadChunkedBody();
  Task<bool> ReceiveMore(bool likely);
  Task<std::size_t> Receive(char* to, std::size_t size, bool likely);
  Task<Step> AdmitAndReadBody();
  Task<bool> RunOne();
  Task<bool> Serve(std::uint32_t route);
  Task<void> RunWebSocket();
  Task<bool> Write(const api::Response& response, bool keep);
  Task<bool> WriteAll(std::array<iovec, 2> pieces);
  Task<bool> DiscardBody();
  Task<void> Linger();

  bool CanDiscardBody() const;
  Step ParseHead(ErrorCode& ec);
  Step CheckHead();
  Step Refuse(int status, std::string detail);
  Step RefuseParsed(const ErrorCode& ec);
  bool MakeRoom();
  bool GrowBody(std::size_t size);
  void Cancel() {
    ErrorCode ignored;
    socket_.cancel(ignored);
  }
  void ReleaseInflight() {
    shared_.inflight_bytes.fetch_sub(inflight_, std::memory_order_relaxed);
    inflight_ = 0;
  }
  std::size_t unread() const { return end_ - begin_; }
  TimePoint BodyDeadline(TimePoint start, std::size_t bytes) const;

  HttpLoop& loop_;
  HttpShared& shared_;
  const Door door_;
  Socket socket_;
  std::shared_ptr<HttpSlot> slot_;

  // Bytes received and not yet parsed: [begin_, end_) of buffer_.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = kBufferBytes;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;

  // The request under way.
  api::Request request_;
  std::optional<HttpParser> parser_;
  std::size_t header_bytes_ = 0;
  std::size_t inflight_ = 0;  // Taken of the budget.
  TimePoint request_start_;
  Finished finished_;
  std::optional<api::Response> refusal_;

  TimePoint deadline_ = TimePoint::max();
  bool body_begun_ = false;  // Some of the body may have been read.
  bool linger_ = false;      // The peer may still be sending what we did not read.
  bool idle_ = false;
  bool timed_out_ = false;
  int in_a_row_ = 0;
  std::string head_;  // Of the answer being written.

  api::Request handshake_;                // The headers of a request for a websocket.
  std::shared_ptr<Feed> feed_;            // Set by Serve: the connection is a websocket now.
  std::shared_ptr<WebSocket> websocket_;  // Has the socket.
};

}  // namespace throughline::gateway
