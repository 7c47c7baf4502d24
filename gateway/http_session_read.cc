// How a connection's requests are read: their heads, then their bodies.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "correlate/check.h"
#include "gateway/http_session.h"

namespace throughline::gateway {

namespace {

constexpr std::size_t kFirstBodyBytes = 1UL << 20U;  // Allocated on a Content-Length's word.
constexpr std::size_t kDiscardBytes = 1UL << 20U;    // Of a refused body, to keep the connection.
constexpr std::size_t kLingerBytes = 32UL << 20U;    // Read and dropped so that an answer is seen.
constexpr std::chrono::seconds kLinger{2};
constexpr std::int64_t kSlowestBytesPerMs = 4;  // Slower peers run into their timeout.

}  // namespace

HttpSession::Step HttpSession::Refuse(int status, std::string detail) {
  refusal_ = shared_.handler.Refuse(status, std::move(detail), request_);
  return Step::kRefused;
}

HttpSession::Step HttpSession::RefuseParsed(const ErrorCode& ec) {
  if (ec == http::error::header_limit) {
    return Refuse(431, "the header has more than " + std::to_string(shared_.limits.header_bytes) +
                           " bytes (limits.header_bytes)");
  }
  if (ec == http::error::body_limit) {
    return Refuse(413, "the body has more than " + std::to_string(shared_.limits.request_bytes) +
                           " bytes (limits.request_bytes)");
  }
  return Refuse(400, "not an HTTP request: " + ec.message());
}

// Room at the end of the buffer; false when it holds all it may.
bool HttpSession::MakeRoom() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ < capacity_) return true;
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, unread());
    end_ -= begin_;
    begin_ = 0;
    return true;
  }
  const std::size_t most = std::max(shared_.limits.header_bytes, kBufferBytes) + 1;
  if (capacity_ >= most) return false;
  const std::size_t larger = std::min(2 * capacity_, most);
  auto grown = std::make_unique_for_overwrite<char[]>(larger);
  std::memcpy(grown.get(), buffer_.get(), end_);
  buffer_ = std::move(grown);
  capacity_ = larger;
  return true;
}

// Bytes into `to`; 0: closed, broken or timed out. `likely`: they are probably there already, so
// that asking the socket at once saves a turn of the loop.
Task<std::size_t> HttpSession::Receive(char* to, std::size_t size, bool likely) {
  while (likely) {
    const ssize_t received = ::recv(socket_.native_handle(), to, size, 0);
    if (received >= 0) co_return static_cast<std::size_t>(received);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return 0;
    break;
  }
  in_a_row_ = 0;
  const auto [ec, received] = co_await socket_.async_read_some(asio::buffer(to, size), kAwaitTuple);
  co_return ec ? 0 : received;
}

Task<bool> HttpSession::ReceiveMore(bool likely) {
  const std::size_t received = co_await Receive(buffer_.get() + end_, capacity_ - end_, likely);
  end_ += received;
  co_return received > 0;
}

HttpSession::Step HttpSession::ParseHead(ErrorCode& ec) {
  const std::size_t parsed = parser_->put(asio::const_buffer(buffer_.get() + begin_, unread()), ec);
  begin_ += parsed;
  header_bytes_ += parsed;
  const std::size_t most = shared_.limits.header_bytes;
  if (header_bytes_ > most || (!parser_->is_header_done() && header_bytes_ + unread() > most)) {
    return RefuseParsed(http::error::header_limit);
  }
  if (ec && ec != http::error::need_more) return RefuseParsed(ec);
  return Step::kGoOn;
}

// What Beast lets pass and RFC 9112 does not.
HttpSession::Step HttpSession::CheckHead() {
  const bool has_length = parser_->content_length().has_value();
  if (parser_->has_transfer_encoding() && !parser_->chunked()) {
    return Refuse(400, "transfer-encoding is not chunked");
  }
  if (parser_->chunked() && (has_length || parser_->version() == 10)) {
    return Refuse(400, "transfer-encoding beside content-length or in HTTP/1.0");
  }
  if (parser_->hosts() > 1 || (parser_->hosts() == 0 && parser_->version() >= 11)) {
    return Refuse(400, "want one Host header, got " + std::to_string(parser_->hosts()));
  }
  if (parser_->expects_other()) return Refuse(417, "want no Expect but 100-continue");
  return Step::kGoOn;
}

Task<HttpSession::Step> HttpSession::ReadHead() {
  request_ = api::Request();
  parser_.emplace(
      request_,
      [](void* self, std::size_t size) { return static_cast<HttpSession*>(self)->GrowBody(size); },
      this);
  parser_->header_limit(static_cast<std::uint32_t>(shared_.limits.header_bytes));
  header_bytes_ = 0;
  idle_ = unread() == 0;
  request_start_ = SteadyClock::now();
  deadline_ = request_start_ + (idle_ ? shared_.limits.idle_timeout : shared_.limits.read_timeout);
  while (true) {
    if (unread() > 0) {
      ErrorCode ec;
      if (ParseHead(ec) == Step::kRefused) co_return Step::kRefused;
      if (parser_->is_header_done()) break;
    }
    if (!MakeRoom()) co_return RefuseParsed(http::error::header_limit);
    if (idle_ && shared_.draining.load(std::memory_order_relaxed)) co_return Step::kClosed;
    const bool received = co_await ReceiveMore(!idle_);
    if (!received && timed_out_ && !idle_)
      co_return Refuse(408, "the header did not arrive in time");
    if (!received) co_return Step::kClosed;
    if (idle_) deadline_ = SteadyClock::now() + shared_.limits.read_timeout;
    idle_ = false;
  }
  request_start_ = SteadyClock::now();
  co_return CheckHead();
}

TimePoint HttpSession::BodyDeadline(TimePoint start, std::size_t bytes) const {
  return start + shared_.limits.read_timeout +
         std::chrono::milliseconds(static_cast<std::int64_t>(bytes) / kSlowestBytesPerMs);
}

// Room for `size` bytes of body in all; false: the budget for bodies is spent.
bool HttpSession::GrowBody(std::size_t size) {
  if (size + Body::kPadding <= request_.body.capacity()) return true;
  const std::size_t most = shared_.limits.request_bytes;
  TL_CHECK(size <= most);
  const std::size_t capacity =
      std::min(most, std::max({size, 2 * request_.body.size(), kBufferBytes}));
  if (capacity > inflight_) {
    if (!shared_.TakeInflight(capacity - inflight_)) return false;
    inflight_ = capacity;
  }
  request_.body.Grow(capacity + Body::kPadding);
  return true;
}

Task<HttpSession::Step> HttpSession::ReadBody() {
  deadline_ = TimePoint::max();
  if (parser_->chunked()) co_return co_await ReadChunkedBody();
  const auto length = parser_->content_length();
  if (length && *length > 0) co_return co_await ReadSizedBody(static_cast<std::size_t>(*length));
  request_.body = Body(Body::kPadding);
  co_return Step::kGoOn;
}

// Straight from the socket into the body: memory grows as bytes arrive, never on the length's word.
Task<HttpSession::Step> HttpSession::ReadSizedBody(std::size_t total) {
  if (!shared_.TakeInflight(total)) {
    co_return Refuse(429, "too many bytes are in flight (limits.inflight_bytes)");
  }
  inflight_ = total;
  Body& body = request_.body;
  body = Body(std::min(total, kFirstBodyBytes) + Body::kPadding);
  std::size_t size = std::min(total, unread());
  std::memcpy(body.data(), buffer_.get() + begin_, size);
  begin_ += size;
  body.set_size(size);
  const TimePoint start = SteadyClock::now();
  while (size < total) {
    std::size_t room = body.capacity() - Body::kPadding;
    if (size == room) {
      room = std::min(total, 2 * room);
      body.Grow(room + Body::kPadding);
    }
    deadline_ = BodyDeadline(start, size);
    const std::size_t received = co_await Receive(body.data() + size, room - size, true);
    if (received == 0 && timed_out_) co_return Refuse(408, "the body did not arrive in time");
    if (received == 0) co_return Step::kClosed;
    size += received;
    body.set_size(size);
  }
  co_return Step::kGoOn;
}

Task<HttpSession::Step> HttpSession::ReadChunkedBody() {
  request_.body = Body(Body::kPadding);
  parser_->body_limit(shared_.limits.request_bytes);
  parser_->eager(true);
  const TimePoint start = SteadyClock::now();
  while (!parser_->is_done()) {
    if (unread() > 0) {
      ErrorCode ec;
      begin_ += parser_->put(asio::const_buffer(buffer_.get() + begin_, unread()), ec);
      if (parser_->no_room()) {
        co_return Refuse(429, "too many bytes are in flight (limits.inflight_bytes)");
      }
      if (ec && ec != http::error::need_more) co_return RefuseParsed(ec);
      if (parser_->is_done()) break;
    }
    if (!MakeRoom()) co_return Refuse(400, "a chunk header is longer than limits.header_bytes");
    deadline_ = BodyDeadline(start, request_.body.size());
    const bool received = co_await ReceiveMore(true);
    if (!received && timed_out_) co_return Refuse(408, "the body did not arrive in time");
    if (!received) co_return Step::kClosed;
  }
  co_return Step::kGoOn;
}

// Whether the unread body of a refused request is worth reading to keep the connection.
bool HttpSession::CanDiscardBody() const {
  const auto length = parser_->content_length();
  return parser_->keep_alive() && !parser_->chunked() && !parser_->expects_continue() &&
         (!length || *length <= kDiscardBytes);
}

// Drops that body, once the refusal is on its way. False: it did not come.
Task<bool> HttpSession::DiscardBody() {
  const auto length = parser_->content_length();
  std::size_t left = length ? static_cast<std::size_t>(*length) : 0;
  deadline_ = SteadyClock::now() + kLinger;
  while (true) {
    const std::size_t here = std::min(left, unread());
    begin_ += here;
    left -= here;
    if (left == 0) co_return true;
    begin_ = end_ = 0;
    if (!co_await ReceiveMore(true)) co_return false;
  }
}

// Lets the peer read our last answer: closing with bytes unread would reset the connection.
Task<void> HttpSession::Linger() {
  ErrorCode ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  deadline_ = SteadyClock::now() + kLinger;
  std::size_t dropped = 0;
  while (dropped < kLingerBytes && !timed_out_) {
    const std::size_t received = co_await Receive(buffer_.get(), capacity_, true);
    if (received == 0) break;
    dropped += received;
  }
}

}  // namespace throughline::gateway
