#include "gateway/http_session.h"

#include <sys/socket.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>

#include "gateway/http_head.h"

namespace throughline::gateway {

namespace {

constexpr int kRequestsInARow = 32;  // Without giving other connections a turn.

}  // namespace

Task<bool> HttpSession::WriteAll(std::array<iovec, 2> pieces) {
  std::size_t first = 0;
  while (true) {
    while (first < pieces.size() && pieces[first].iov_len == 0) ++first;
    if (first == pieces.size()) break;
    msghdr message{};
    message.msg_iov = &pieces[first];
    message.msg_iovlen = pieces.size() - first;
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) co_return false;
    if (sent < 0) {
      deadline_ = SteadyClock::now() + shared_.limits.write_timeout;
      const auto [ec] = co_await socket_.async_wait(Socket::wait_write, kAwaitTuple);
      deadline_ = TimePoint::max();
      if (ec) co_return false;
      continue;
    }
    auto left = static_cast<std::size_t>(sent);
    for (iovec& piece : pieces) {
      const std::size_t here = std::min(left, piece.iov_len);
      piece.iov_base = static_cast<char*>(piece.iov_base) + here;
      piece.iov_len -= here;
      left -= here;
    }
  }
  co_return true;
}

Task<bool> HttpSession::Write(const api::Response& response, bool keep) {
  deadline_ = TimePoint::max();
  timed_out_ = false;
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  const bool is_head = request_.method == "HEAD";
  FormatHead(response, parser_ ? parser_->version() : 11, keep, !bodiless, loop_.date, head_);
  const std::size_t body_size = bodiless || is_head ? 0 : response.body.size();
  const std::array<iovec, 2> pieces = {
      iovec{head_.data(), head_.size()},
      iovec{const_cast<char*>(response.body.data()), body_size},  // sendmsg only reads.
  };
  const bool written = co_await WriteAll(pieces);
  finished_.status = response.status;
  finished_.response_bytes = head_.size() + body_size;
  co_return written;
}

// Hands the request over, waits for its answer and writes it. True: the connection goes on.
Task<bool> HttpSession::Serve(std::uint32_t route) {
  ++slot_->generation;
  slot_->answered.reset();
  finished_.request_bytes = request_.body.size();
  const bool is_head = request_.method == "HEAD";
  if (AsksForWebSocket(request_)) handshake_.headers = request_.headers;
  auto exchange = std::make_shared<Exchange>(slot_, slot_->generation);
  shared_.handler.Handle(route, std::move(request_), Reply(std::move(exchange)));
  request_.method = is_head ? "HEAD" : "";  // What Write asks of it.
  if (!slot_->answered) {
    in_a_row_ = 0;
    auto initiate = [this](auto handler) { slot_->waiter.emplace(std::move(handler)); };
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(initiate, kAwait);
  }
  Answer answer = std::move(*slot_->answered);
  if (auto* const feed = std::get_if<std::shared_ptr<Feed>>(&answer)) {
    if (unread() == 0) {
      feed_ = std::move(*feed);
      finished_.status = 101;
      co_return false;
    }
    answer = shared_.handler.Refuse(400, "bytes behind the request for a websocket", request_);
  }
  const bool keep = parser_->keep_alive() && !shared_.draining.load(std::memory_order_relaxed);
  const api::Response response = std::move(std::get<api::Response>(answer));
  const bool written = co_await Write(response, keep);
  co_return written&& keep;
}

// Asks the handler, invites the body where its sender waits for that, and reads it.
Task<HttpSession::Step> HttpSession::AdmitAndReadBody() {
  Admission admission = shared_.handler.Admit(door_, request_);
  finished_.route = admission.route;
  refusal_ = std::move(admission.refusal);
  if (refusal_) co_return Step::kRefused;
  const auto length = parser_->content_length();
  if (length && *length > shared_.limits.request_bytes) {
    co_return RefuseParsed(http::error::body_limit);
  }
  body_begun_ = true;
  if (parser_->expects_continue() && !parser_->is_done() && unread() == 0) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const std::array<iovec, 2> pieces = {
        iovec{const_cast<char*>(kContinue.data()), kContinue.size()}, iovec{nullptr, 0}};
    if (!co_await WriteAll(pieces)) co_return Step::kClosed;
  }
  co_return co_await ReadBody();
}

// One request, from its first byte to the end of its answer. True: the connection goes on.
Task<bool> HttpSession::RunOne() {
  finished_ = Finished();
  body_begun_ = false;
  Step step = co_await ReadHead();
  const bool has_head = step == Step::kGoOn;
  if (has_head) step = co_await AdmitAndReadBody();
  if (step == Step::kClosed) co_return false;
  bool go_on = false;
  if (step == Step::kGoOn) {
    go_on = co_await Serve(finished_.route);
  } else {
    // With its body unread: keep the connection where that is cheap.
    const bool keep = has_head && !body_begun_ && CanDiscardBody();
    const bool written = co_await Write(*refusal_, keep);
    if (written && keep) go_on = co_await DiscardBody();
    linger_ = written && !go_on;
  }
  finished_.elapsed_ns = static_cast<std::uint64_t>((SteadyClock::now() - request_start_).count());
  ReleaseInflight();
  shared_.handler.OnFinished(finished_);
  co_return go_on;
}

// From here on the socket is the websocket's.
Task<void> HttpSession::RunWebSocket() {
  deadline_ = TimePoint::max();
  const ServerLimits& limits = shared_.limits;
  const WebSocket::Limits of_websocket = {.handshake_timeout = limits.read_timeout,
                                          .ping = limits.websocket_ping,
                                          .write_timeout = limits.write_timeout,
                                          .duration = limits.websocket_duration};
  websocket_ = NewWebSocket(std::move(socket_), of_websocket, std::move(feed_));
  if (shared_.draining.load(std::memory_order_relaxed)) websocket_->Close();
  co_await websocket_->Run(handshake_);
}

Task<void> HttpSession::Run() {
  while (true) {
    const bool go_on = co_await RunOne();
    if (!go_on) break;
    if (++in_a_row_ < kRequestsInARow) continue;
    in_a_row_ = 0;
    co_await asio::post(socket_.get_executor(), kAwait);
  }
  if (feed_ != nullptr) co_await RunWebSocket();
  if (linger_) co_await Linger();
}

}  // namespace throughline::gateway
