#include "gateway/http_server.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <ctime>
#include <list>
#include <mutex>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>
#include <variant>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "correlate/check.h"
#include "gateway/endpoint.h"
#include "gateway/websocket.h"

namespace throughline::gateway {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;
using ErrorCode = boost::system::error_code;

// Concrete executors: the type-erased one costs an allocation or two an operation.
using Executor = WebSocket::Executor;
using Socket = WebSocket::Socket;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor>;
template <typename T>
using Task = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> kAwait;
constexpr auto kAwaitTuple = asio::as_tuple(kAwait);

constexpr std::size_t kBufferBytes = 16UL << 10U;    // To start with, a connection.
constexpr std::size_t kFirstBodyBytes = 1UL << 20U;  // Allocated on a Content-Length's word.
constexpr std::size_t kDiscardBytes = 1UL << 20U;    // Of a refused body, to keep the connection.
constexpr std::size_t kLingerBytes = 32UL << 20U;    // Read and dropped so that an answer is seen.
constexpr std::chrono::seconds kLinger{2};
constexpr std::chrono::milliseconds kSweep{250};  // How exact timeouts are.
constexpr std::int64_t kSlowestBytesPerMs = 4;    // Slower peers run into their timeout.
constexpr int kRequestsInARow = 32;               // Without giving other connections a turn.

// One request's header fields and body, from Beast's parser (RFC 9112 framing).
class Parser final : public http::basic_parser<true> {
 public:
  // Makes room for `size` body bytes in all; false: over a budget.
  using Room = bool (*)(void* self, std::size_t size);

  Parser(api::Request& request, Room room, void* room_self)
      : request_(request), room_(room), room_self_(room_self) {
    body_limit(boost::none);  // The server's own, before the body.
    eager(false);
  }

  int version() const { return version_; }
  int hosts() const { return hosts_; }
  bool has_transfer_encoding() const { return has_transfer_encoding_; }
  bool expects_continue() const { return expects_continue_; }
  bool expects_other() const { return expects_other_; }
  bool no_room() const { return no_room_; }

 private:
  using Text = boost::beast::string_view;

  void on_request_impl(http::verb /*verb*/, Text method, Text target, int version,
                       ErrorCode& /*ec*/) override {
    request_.method.assign(method.data(), method.size());
    request_.path.assign(target.data(), target.size());
    version_ = version;
  }
  void on_response_impl(int /*code*/, Text /*reason*/, int /*version*/,
                        ErrorCode& /*ec*/) override {}
  void on_field_impl(http::field field, Text name, Text value, ErrorCode& /*ec*/) override {
    if (header_done_) return;  // Trailers say nothing that anybody here reads.
    if (field == http::field::host) ++hosts_;
    if (field == http::field::transfer_encoding) has_transfer_encoding_ = true;
    if (field == http::field::expect) {
      const bool known = boost::beast::iequals(value, "100-continue");
      (known ? expects_continue_ : expects_other_) = true;
    }
    auto& header = request_.headers.emplace_back();
    header.first.resize(name.size());
    std::transform(name.begin(), name.end(), header.first.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    header.second.assign(value.data(), value.size());
  }
  void on_header_impl(ErrorCode& /*ec*/) override { header_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         ErrorCode& /*ec*/) override {}
  std::size_t on_body_impl(Text body, ErrorCode& /*ec*/) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/,
                            ErrorCode& /*ec*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, Text piece, ErrorCode& ec) override {
    const std::size_t size = request_.body.size();
    if (!room_(room_self_, size + piece.size())) {
      no_room_ = true;
      ec = http::error::body_limit;
      return 0;
    }
    std::memcpy(request_.body.data() + size, piece.data(), piece.size());
    request_.body.set_size(size + piece.size());
    return piece.size();
  }
  void on_finish_impl(ErrorCode& /*ec*/) override {}

  api::Request& request_;
  Room room_;
  void* room_self_;
  int version_ = 11;
  int hosts_ = 0;
  bool has_transfer_encoding_ = false;
  bool expects_continue_ = false;
  bool expects_other_ = false;
  bool header_done_ = false;
  bool no_room_ = false;
};

// A response, or what a websocket sends.
using Answer = std::variant<api::Response, std::shared_ptr<Feed>>;

// Where the answer to a connection's current request is left. Touched on its loop only, but for
// the two constants.
struct Slot {
  explicit Slot(asio::io_context& the_loop)
      : loop(the_loop), loop_thread(std::this_thread::get_id()) {}

  void Deliver(std::uint64_t to_generation, Answer answer) {
    if (to_generation != generation || answered) return;
    answered = std::move(answer);
    if (!waiter) return;
    auto resume = std::move(*waiter);
    waiter.reset();
    std::move(resume)();
  }

  asio::io_context& loop;
  const std::thread::id loop_thread;
  std::uint64_t generation = 0;  // Which request of the connection.
  std::optional<Answer> answered;
  // Boost 1.81: assigning one any_completion_handler to another never returns. Emplace, or move
  // into a new one.
  std::optional<asio::any_completion_handler<void()>> waiter;
};

}  // namespace

// One request's answer: see Reply.
class Exchange {
 public:
  Exchange(std::shared_ptr<Slot> slot, std::uint64_t generation)
      : slot_(std::move(slot)), generation_(generation) {}
  ~Exchange() {
    if (answered_.load(std::memory_order_relaxed)) return;
    api::Response dropped;
    dropped.status = 503;
    dropped.content_type = "text/plain";
    dropped.headers.emplace_back("Retry-After", "1");
    dropped.body = "the request was dropped\n";
    Give(std::move(dropped));
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void Give(Answer answer) {
    if (answered_.exchange(true, std::memory_order_relaxed)) return;
    // On the loop, before anybody waits (a handler that answers at once): no detour.
    if (std::this_thread::get_id() == slot_->loop_thread && !slot_->waiter) {
      slot_->Deliver(generation_, std::move(answer));
      return;
    }
    auto deliver = [slot = slot_, generation = generation_, moved = std::move(answer)]() mutable {
      slot->Deliver(generation, std::move(moved));
    };
    asio::post(slot_->loop, std::move(deliver));
  }
  asio::io_context& loop() const { return slot_->loop; }

 private:
  const std::shared_ptr<Slot> slot_;
  const std::uint64_t generation_;
  std::atomic<bool> answered_{false};
};

namespace {

// What all loops share.
struct Shared {
  Shared(const ServerLimits& the_limits, RequestHandler& the_handler)
      : limits(the_limits), handler(the_handler) {}

  // Takes `bytes` of the budget for bodies, or nothing.
  bool TakeInflight(std::size_t bytes) {
    const std::size_t before = inflight_bytes.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= limits.inflight_bytes) return true;
    inflight_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  void CloseOne() {
    const std::lock_guard<std::mutex> lock(mutex);
    connections.fetch_sub(1, std::memory_order_relaxed);
    closed.notify_all();
  }

  const ServerLimits limits;
  RequestHandler& handler;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> inflight_bytes{0};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::mutex mutex;
  std::condition_variable closed;  // With mutex: connections fell.
};

class Session;

// One thread's worth of the server.
struct Loop {
  explicit Loop(Shared& the_shared) : shared(the_shared), sweep(context) { SetDate(); }

  void Sweep();
  void SetDate();
  void Accept(Door door, Acceptor& acceptor);

  Shared& shared;
  std::unordered_set<Session*> sessions;  // Before context: sessions end with it.
  std::string date;                       // "Date: ...\r\n", at most a sweep old.
  asio::io_context context{1};
  Timer sweep;
  std::list<std::pair<Door, Acceptor>> acceptors;
  std::thread thread;
};

std::string_view WordsOf(int version) { return version == 10 ? "HTTP/1.0 " : "HTTP/1.1 "; }

// One connection, from accept to close. It lives in its coroutine's frame.
class Session {
 public:
  Session(Loop& loop, Door door, Socket socket)
      : loop_(loop),
        shared_(loop.shared),
        door_(door),
        socket_(std::move(socket)),
        slot_(std::make_shared<Slot>(loop.context)),
        buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)) {
    loop_.sessions.insert(this);
  }
  ~Session() {
    ReleaseInflight();
    loop_.sessions.erase(this);
    ErrorCode ignored;
    socket_.close(ignored);
    shared_.CloseOne();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

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
  const std::shared_ptr<Slot>& slot() const { return slot_; }

 private:
  enum class Step { kGoOn, kRefused, kClosed };

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
  void FormatHead(const api::Response& response, bool keep, bool has_body);
  void Cancel() {
    ErrorCode ignored;
    socket_.cancel(ignored);
  }
  void ReleaseInflight() {
    shared_.inflight_bytes.fetch_sub(inflight_, std::memory_order_relaxed);
    inflight_ = 0;
  }
  std::size_t unread() const { return end_ - begin_; }
  TimePoint BodyDeadline(TimePoint start, std::size_t bytes) const {
    return start + shared_.limits.read_timeout +
           std::chrono::milliseconds(static_cast<std::int64_t>(bytes) / kSlowestBytesPerMs);
  }

  Loop& loop_;
  Shared& shared_;
  const Door door_;
  Socket socket_;
  std::shared_ptr<Slot> slot_;

  // Bytes received and not yet parsed: [begin_, end_) of buffer_.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = kBufferBytes;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;

  // The request under way.
  api::Request request_;
  std::optional<Parser> parser_;
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

// --- Reading ----------------------------------------------------------------------------------

Session::Step Session::Refuse(int status, std::string detail) {
  refusal_ = shared_.handler.Refuse(status, std::move(detail), request_);
  return Step::kRefused;
}

Session::Step Session::RefuseParsed(const ErrorCode& ec) {
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
bool Session::MakeRoom() {
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
Task<std::size_t> Session::Receive(char* to, std::size_t size, bool likely) {
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

Task<bool> Session::ReceiveMore(bool likely) {
  const std::size_t received = co_await Receive(buffer_.get() + end_, capacity_ - end_, likely);
  end_ += received;
  co_return received > 0;
}

Session::Step Session::ParseHead(ErrorCode& ec) {
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
Session::Step Session::CheckHead() {
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

Task<Session::Step> Session::ReadHead() {
  request_ = api::Request();
  parser_.emplace(
      request_,
      [](void* self, std::size_t size) { return static_cast<Session*>(self)->GrowBody(size); },
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

// Room for `size` bytes of body in all; false: the budget for bodies is spent.
bool Session::GrowBody(std::size_t size) {
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

Task<Session::Step> Session::ReadBody() {
  deadline_ = TimePoint::max();
  if (parser_->chunked()) co_return co_await ReadChunkedBody();
  const auto length = parser_->content_length();
  if (length && *length > 0) co_return co_await ReadSizedBody(static_cast<std::size_t>(*length));
  request_.body = Body(Body::kPadding);
  co_return Step::kGoOn;
}

// Straight from the socket into the body: memory grows as bytes arrive, never on the length's word.
Task<Session::Step> Session::ReadSizedBody(std::size_t total) {
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

Task<Session::Step> Session::ReadChunkedBody() {
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
bool Session::CanDiscardBody() const {
  const auto length = parser_->content_length();
  return parser_->keep_alive() && !parser_->chunked() && !parser_->expects_continue() &&
         (!length || *length <= kDiscardBytes);
}

// Drops that body, once the refusal is on its way. False: it did not come.
Task<bool> Session::DiscardBody() {
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
Task<void> Session::Linger() {
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

// --- Writing ----------------------------------------------------------------------------------

void AppendHeader(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  out += ": ";
  for (const char c : value) out += static_cast<unsigned char>(c) < ' ' || c == 127 ? ' ' : c;
  out += "\r\n";
}

void AppendNumber(std::size_t value, std::string& out) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void Session::FormatHead(const api::Response& response, bool keep, bool has_body) {
  const int version = parser_ ? parser_->version() : 11;
  head_.clear();
  head_ += WordsOf(version);
  AppendNumber(static_cast<std::size_t>(response.status), head_);
  head_ += ' ';
  head_ += ReasonPhrase(response.status);
  head_ += "\r\n";
  if (has_body) {
    if (!response.content_type.empty()) AppendHeader("Content-Type", response.content_type, head_);
    head_ += "Content-Length: ";
    AppendNumber(response.body.size(), head_);
    head_ += "\r\n";
  }
  head_ += loop_.date;
  if (!keep) {
    head_ += "Connection: close\r\n";
  } else if (version == 10) {
    head_ += "Connection: keep-alive\r\n";
  }
  for (const auto& [name, value] : response.headers) AppendHeader(name, value, head_);
  head_ += "\r\n";
}

Task<bool> Session::WriteAll(std::array<iovec, 2> pieces) {
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

Task<bool> Session::Write(const api::Response& response, bool keep) {
  deadline_ = TimePoint::max();
  timed_out_ = false;
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  const bool is_head = request_.method == "HEAD";
  FormatHead(response, keep, !bodiless);
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

// --- A request, a connection ------------------------------------------------------------------

// Hands the request over, waits for its answer and writes it. True: the connection goes on.
Task<bool> Session::Serve(std::uint32_t route) {
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
Task<Session::Step> Session::AdmitAndReadBody() {
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
Task<bool> Session::RunOne() {
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
Task<void> Session::RunWebSocket() {
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

Task<void> Session::Run() {
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

// --- Loops ------------------------------------------------------------------------------------

void Loop::SetDate() {
  std::array<char, 64> text{};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  const std::size_t size =
      std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
  date.assign(text.data(), size);
}

void Loop::Sweep() {
  sweep.expires_after(kSweep);
  sweep.async_wait([this](const ErrorCode& ec) {
    if (ec) return;
    SetDate();
    const TimePoint now = SteadyClock::now();
    for (Session* const session : sessions) session->Expire(now);
    Sweep();
  });
}

Task<void> RunSession(Loop& loop, Door door, Socket socket) {
  Session session(loop, door, std::move(socket));
  co_await session.Run();
}

// Accepts until the acceptor is closed.
void Loop::Accept(Door door, Acceptor& acceptor) {
  acceptor.async_accept([this, door, &acceptor](const ErrorCode& ec, Socket socket) {
    if (ec == asio::error::operation_aborted || !acceptor.is_open()) return;
    if (ec) {  // Out of descriptors: the next sweep may find some free.
      auto timer = std::make_shared<Timer>(context, kSweep);
      timer->async_wait([this, door, &acceptor, timer](const ErrorCode& late) {
        if (!late && acceptor.is_open()) Accept(door, acceptor);
      });
      return;
    }
    shared.accepted.fetch_add(1, std::memory_order_relaxed);
    ErrorCode ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.native_non_blocking(true, ignored);
    const bool room =
        shared.connections.fetch_add(1, std::memory_order_relaxed) < shared.limits.connections;
    if (room) {
      asio::co_spawn(context, RunSession(*this, door, std::move(socket)), asio::detached);
    } else {
      static constexpr std::string_view kFull =
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
          "Connection: close\r\n\r\n";
      shared.refused.fetch_add(1, std::memory_order_relaxed);
      (void)!::send(socket.native_handle(), kFull.data(), kFull.size(), MSG_NOSIGNAL);
      shared.CloseOne();
    }
    Accept(door, acceptor);
  });
}

// Opens and binds; listens when asked to.
ErrorCode Bind(Acceptor& acceptor, const tcp::endpoint& endpoint, bool shared_port, bool listen) {
  ErrorCode ec;
  const int one = 1;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec && shared_port &&
      ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0) {
    ec.assign(errno, boost::system::system_category());
  }
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec && listen) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  return ec;
}

}  // namespace

void Reply::operator()(api::Response response) const { exchange_->Give(std::move(response)); }
void Reply::Upgrade(std::shared_ptr<Feed> feed) const { exchange_->Give(std::move(feed)); }
boost::asio::io_context& Reply::loop() const { return exchange_->loop(); }

class HttpServer::Impl {
 public:
  Impl(const ServerLimits& limits, RequestHandler& handler) : shared_(limits, handler) {}

  Result<void> Start(const std::vector<Listen>& listens, std::size_t loops);
  bool Stop(std::chrono::milliseconds patience);

  std::string AddressOf(Door door) const { return addresses_[static_cast<std::size_t>(door)]; }
  ServerStats Stats() const {
    return {.connections = shared_.connections.load(),
            .connections_accepted = shared_.accepted.load(),
            .connections_refused = shared_.refused.load(),
            .timeouts = shared_.timeouts.load(),
            .inflight_bytes = shared_.inflight_bytes.load()};
  }

 private:
  Result<void> Open(const Listen& listen);

  Shared shared_;
  std::list<Loop> loops_;
  std::array<std::string, kDoorCount> addresses_;
};

Result<void> HttpServer::Impl::Open(const Listen& listen) {
  TL_TRY_ASSIGN(tcp::endpoint endpoint, ParseEndpoint(listen.address));
  {
    // Without SO_REUSEPORT first: another process's listener must not share its port with us.
    Acceptor probe(loops_.front().context);
    const ErrorCode ec = Bind(probe, endpoint, false, false);
    if (ec)
      return Error{Errc::kUnavailable, "cannot listen on " + listen.address + ": " + ec.message()};
  }
  for (Loop& loop : loops_) {
    Acceptor acceptor(loop.context);
    const ErrorCode ec = Bind(acceptor, endpoint, true, true);
    if (ec)
      return Error{Errc::kUnavailable, "cannot listen on " + listen.address + ": " + ec.message()};
    endpoint = acceptor.local_endpoint();  // Port 0 became a real one; the others take the same.
    loop.acceptors.emplace_back(listen.door, std::move(acceptor));
  }
  addresses_[static_cast<std::size_t>(listen.door)] = TextOf(endpoint);
  return {};
}

Result<void> HttpServer::Impl::Start(const std::vector<Listen>& listens, std::size_t loops) {
  for (std::size_t i = 0; i < loops; ++i) loops_.emplace_back(shared_);
  for (const Listen& listen : listens) TL_TRY(Open(listen));
  for (Loop& loop : loops_) {
    loop.Sweep();
    for (auto& [door, acceptor] : loop.acceptors) loop.Accept(door, acceptor);
    loop.thread = std::thread([&loop] { loop.context.run(); });
  }
  return {};
}

bool HttpServer::Impl::Stop(std::chrono::milliseconds patience) {
  shared_.draining = true;
  for (Loop& loop : loops_) {
    asio::post(loop.context, [&loop] {
      ErrorCode ignored;
      for (auto& [door, acceptor] : loop.acceptors) acceptor.close(ignored);
      for (Session* const session : loop.sessions) session->EndIfIdle();
    });
  }
  bool finished = false;
  {
    std::unique_lock<std::mutex> lock(shared_.mutex);
    finished = shared_.closed.wait_for(lock, patience, [this] { return shared_.connections == 0; });
  }
  for (Loop& loop : loops_) {
    loop.context.stop();
    if (loop.thread.joinable()) loop.thread.join();
    // A loop without connections may have been stopped before it came to close them itself.
    ErrorCode ignored;
    for (auto& [door, acceptor] : loop.acceptors) acceptor.close(ignored);
  }
  for (Loop& loop : loops_) {
    // A slot whose answer never came owns the coroutine that owns the slot: cut the ring here.
    std::vector<std::shared_ptr<Slot>> slots;
    for (Session* const session : loop.sessions) slots.push_back(session->slot());
    for (const auto& slot : slots) slot->waiter.reset();
  }
  return finished;
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { impl_->Stop(std::chrono::milliseconds(0)); }

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::vector<Listen>& listens,
                                                      std::size_t loops, const ServerLimits& limits,
                                                      RequestHandler& handler) {
  TL_CHECK(loops > 0);
  auto impl = std::make_unique<Impl>(limits, handler);
  TL_TRY(impl->Start(listens, loops));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::string HttpServer::AddressOf(Door door) const { return impl_->AddressOf(door); }
bool HttpServer::Stop(std::chrono::milliseconds patience) { return impl_->Stop(patience); }
ServerStats HttpServer::Stats() const { return impl_->Stats(); }

const char* ReasonPhrase(int status) {
  switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

}  // namespace throughline::gateway
