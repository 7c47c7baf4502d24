#include "gateway/stream_server.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "correlate/scope.h"
#include "gateway/endpoint.h"
#include "gateway/log.h"

namespace throughline::gateway {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using SteadyClock = std::chrono::steady_clock;
using ErrorCode = boost::system::error_code;

// Concrete executors: the type-erased one costs an allocation or two an operation.
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor>;

constexpr std::size_t kReadBytes = 64U << 10U;    // At a time, of one connection.
constexpr std::chrono::milliseconds kSweep{250};  // How exact timeouts are.

struct Counters {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> problems{0};
  std::atomic<std::uint64_t> retries{0};
  std::atomic<std::uint64_t> lost_batches{0};
  std::atomic<std::uint64_t> held_bytes{0};
};

bool MayBeTriedAgain(const Error& error) {
  return error.code == Errc::kOverloaded || error.code == Errc::kUnavailable;
}

}  // namespace

// The listener and its connections. Lives as long as any of them: a batch may be stored long after
// the server has stopped.
class StreamServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Intake intake, const StreamLimits& limits, Streams& streams, Ingest& ingest,
       MakeSession make_session)
      : intake_(intake),
        limits_(limits),
        loop_(streams.loop()),
        ingest_(ingest),
        make_session_(std::move(make_session)),
        acceptor_(loop_),
        sweep_(loop_),
        scratch_(std::make_unique_for_overwrite<char[]>(kReadBytes)) {}

  Result<void> Listen(const std::string& text);
  bool Stop(std::chrono::milliseconds patience);
  const std::string& address() const { return address_; }
  Stats GetStats() const {
    return {.connections = counters_.connections.load(),
            .connections_accepted = counters_.accepted.load(),
            .connections_refused = counters_.refused.load(),
            .timeouts = counters_.timeouts.load(),
            .problems = counters_.problems.load(),
            .retries = counters_.retries.load(),
            .lost_batches = counters_.lost_batches.load(),
            .held_bytes = counters_.held_bytes.load()};
  }

 private:
  class Connection;

  void Accept();
  void Sweep();
  void BeginStop();
  void CloseAll();
  void Remove(const std::shared_ptr<Connection>& connection);

  const Intake intake_;
  const StreamLimits limits_;
  asio::io_context& loop_;
  Ingest& ingest_;
  const MakeSession make_session_;
  std::string address_;
  Counters counters_;

  // Of the loop.
  Acceptor acceptor_;
  Timer sweep_;
  std::unique_ptr<char[]> scratch_;  // What was read last, by whichever connection.
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  bool stopping_ = false;
  bool sweep_accepts_ = false;

  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;  // Guarded by mutex_: no connection is left.
};

class StreamServer::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Impl> server, Socket socket)
      : server_(std::move(server)),
        socket_(std::move(socket)),
        retry_(server_->loop_),
        retry_delay_(server_->limits_.first_retry),
        session_(server_->make_session_()),
        opened_(SteadyClock::now()),
        last_progress_(opened_) {}

  void Start() {
    Send(session_->Greeting());
    Read();
  }

  // The server stops: what was read is finished, nothing more is read.
  void BeginStop() {
    ends_ = true;
    EndIfDone();
  }

  void Sweep(SteadyClock::time_point now) {
    // While we owe the peer something, it is not the peer that is idle.
    const bool waits_for_peer = reading_ || writing_;
    const bool slow_handshake =
        !session_->ready() && now - opened_ > server_->limits_.handshake_timeout;
    const bool idle = waits_for_peer && now - last_progress_ > server_->limits_.idle_timeout;
    if (!slow_handshake && !idle) return;
    server_->counters_.timeouts.fetch_add(1, std::memory_order_relaxed);
    Close();
  }

  // Now, whatever is under way.
  void Close() {
    if (closed_) return;
    closed_ = true;
    retry_.cancel();
    KeepUnread({});
    for (const auto& pending : waiting_) Settle(*pending);
    waiting_.clear();
    ErrorCode ignored;
    socket_.close(ignored);
    server_->Remove(shared_from_this());
  }

 private:
  // A batch on its way to the store.
  struct Pending {
    std::shared_ptr<const Batch> batch;
    Decoded decoded;
    std::string reply;
    std::size_t bytes = 0;
  };

  void Hold(std::int64_t bytes) {
    server_->counters_.held_bytes.fetch_add(static_cast<std::uint64_t>(bytes),
                                            std::memory_order_relaxed);
  }
  void Settle(const Pending& pending) {
    inflight_bytes_ -= pending.bytes;
    --inflight_;
    Hold(-static_cast<std::int64_t>(pending.bytes));
  }

  bool MayRead() const {
    return !closed_ && !ends_ && !reading_ && waiting_.empty() &&
           inflight_bytes_ < server_->limits_.inflight_bytes &&
           outgoing_.size() < server_->limits_.reply_bytes;
  }

  void Read() {
    if (!MayRead()) return;
    reading_ = true;
    socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const ErrorCode& ec) {
      self->reading_ = false;
      if (self->closed_) return;
      if (!ec && !self->ends_) self->OnReadable();
      self->Read();
      self->EndIfDone();
    });
  }

  void OnReadable() {
    ErrorCode ec;
    const std::size_t size =
        socket_.read_some(asio::buffer(server_->scratch_.get(), kReadBytes), ec);
    if (ec == asio::error::would_block || ec == asio::error::interrupted) return;
    if (ec) ends_ = true;
    last_progress_ = SteadyClock::now();
    Feed({server_->scratch_.get(), size});
  }

  // Offers what is unread to the session until it takes no more. Only what is left is kept.
  void Feed(std::string_view bytes) {
    const std::size_t before = buffer_.size();
    if (!buffer_.empty()) {
      buffer_ += bytes;
      bytes = buffer_;
    }
    std::size_t taken = 0;
    while (true) {
      auto step = session_->Read(bytes.substr(taken), ends_);
      taken += step.taken;
      const bool goes_on = step.taken > 0 && step.problem.empty();
      if (!Take(std::move(step))) return;
      if (!goes_on) break;
    }
    KeepUnread(bytes.substr(taken));
    const bool over = server_->counters_.held_bytes.load(std::memory_order_relaxed) >
                      server_->limits_.total_bytes;
    if (over && buffer_.size() > before) {
      server_->counters_.refused.fetch_add(1, std::memory_order_relaxed);
      LogWarn("a stream was closed: all streams together hold too much",
              {{"limit_bytes", std::to_string(server_->limits_.total_bytes)}});
      Close();
    }
  }

  // `rest` may be a part of buffer_. A long message leaves no large buffer behind.
  void KeepUnread(std::string_view rest) {
    const auto change =
        static_cast<std::int64_t>(rest.size()) - static_cast<std::int64_t>(buffered_bytes_);
    Hold(change);
    buffered_bytes_ = rest.size();
    const bool inside =
        rest.data() >= buffer_.data() && rest.data() <= buffer_.data() + buffer_.size();
    if (rest.size() < buffer_.capacity() / 4 || !inside) {
      buffer_ = std::string(rest);
    } else {
      buffer_.erase(0, buffer_.size() - rest.size());
    }
  }

  // False: the connection is closed.
  bool Take(StreamSession::Step step) {
    Send(std::move(step.reply));
    if (step.batch != nullptr) {
      auto pending = std::make_shared<Pending>();
      pending->batch = std::move(step.batch);
      pending->decoded = std::move(step.decoded);
      pending->reply = std::move(step.reply_when_stored);
      pending->bytes = step.taken;
      inflight_bytes_ += pending->bytes;
      ++inflight_;
      Hold(static_cast<std::int64_t>(pending->bytes));
      Offer(std::move(pending));
    } else {
      Send(std::move(step.reply_when_stored));
    }
    if (!step.problem.empty()) {
      ends_ = true;
      server_->counters_.problems.fetch_add(1, std::memory_order_relaxed);
      server_->ingest_.CountMalformed(server_->intake_);
      LogWarn("a stream was closed", {{"door", server_->address_}, {"problem", step.problem}});
    }
    return !closed_;
  }

  void Offer(std::shared_ptr<Pending> pending) {
    const std::string tenant(kDefaultTenant);
    if (auto admitted = server_->ingest_.Admit(tenant); !admitted) {
      return OnTaken(pending, std::move(admitted).error());
    }
    // The answer comes on the writer's thread, or before Take returns.
    server_->ingest_.Take(server_->intake_, tenant, pending->decoded, pending->batch,
                          [self = shared_from_this(), pending](Result<Outcome> outcome) {
                            asio::post(self->server_->loop_,
                                       [self, pending, outcome = std::move(outcome)]() mutable {
                                         if (self->closed_) return self->Settle(*pending);
                                         if (outcome) {
                                           self->OnStored(*pending);
                                         } else {
                                           self->OnTaken(pending, std::move(outcome).error());
                                         }
                                       });
                          });
  }

  void OnStored(Pending& pending) {
    retry_delay_ = server_->limits_.first_retry;
    Settle(pending);
    Send(std::move(pending.reply));
    Read();
    EndIfDone();
  }

  void OnTaken(const std::shared_ptr<Pending>& pending, const Error& error) {
    if (MayBeTriedAgain(error)) {
      waiting_.push_back(pending);
      if (waiting_.size() == 1) RetryLater();
      return;
    }
    Settle(*pending);
    server_->counters_.lost_batches.fetch_add(1, std::memory_order_relaxed);
    LogWarn("records of a stream cannot be stored",
            {{"door", server_->address_}, {"error", error.message}});
    // Who waits for an acknowledgement repeats what got none.
    if (!pending->reply.empty()) return Close();
    Read();
    EndIfDone();
  }

  void RetryLater() {
    retry_.expires_after(retry_delay_);
    retry_delay_ = std::min(retry_delay_ * 2, server_->limits_.last_retry);
    retry_.async_wait([self = shared_from_this()](const ErrorCode& ec) {
      if (ec || self->closed_) return;
      std::vector<std::shared_ptr<Pending>> again;
      again.swap(self->waiting_);
      self->server_->counters_.retries.fetch_add(again.size(), std::memory_order_relaxed);
      for (auto& pending : again) self->Offer(std::move(pending));
    });
  }

  void Send(std::string bytes) {
    if (bytes.empty() || closed_) return;
    outgoing_ += bytes;
    if (!writing_) Write();
  }

  void Write() {
    writing_ = true;
    in_write_.swap(outgoing_);
    outgoing_.clear();
    asio::async_write(socket_, asio::buffer(in_write_),
                      [self = shared_from_this()](const ErrorCode& ec, std::size_t) {
                        self->writing_ = false;
                        if (self->closed_) return;
                        if (ec) return self->Close();
                        self->last_progress_ = SteadyClock::now();
                        if (!self->outgoing_.empty()) self->Write();
                        self->Read();
                        self->EndIfDone();
                      });
  }

  // After the last bytes were read: closes when all is stored and said.
  void EndIfDone() {
    if (!closed_ && ends_ && inflight_ == 0 && !writing_) Close();
  }

  const std::shared_ptr<Impl> server_;
  Socket socket_;
  Timer retry_;
  std::chrono::milliseconds retry_delay_;
  const std::unique_ptr<StreamSession> session_;
  const SteadyClock::time_point opened_;
  SteadyClock::time_point last_progress_;
  std::string buffer_;                             // Unread.
  std::size_t buffered_bytes_ = 0;                 // Of buffer_, as counted.
  std::string outgoing_;                           // Unsent, behind in_write_.
  std::string in_write_;                           // Being sent.
  std::vector<std::shared_ptr<Pending>> waiting_;  // Refused, and to be offered again.
  std::size_t inflight_ = 0;  // Batches not stored yet, those waiting included.
  std::size_t inflight_bytes_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool ends_ = false;  // Nothing more is read.
  bool closed_ = false;
};

Result<void> StreamServer::Impl::Listen(const std::string& text) {
  TL_TRY_ASSIGN(const tcp::endpoint endpoint, ParseEndpoint(text));
  ErrorCode ec;
  acceptor_.open(endpoint.protocol(), ec);
  if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor_.bind(endpoint, ec);
  if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) return Error{Errc::kUnavailable, "cannot listen on " + text + ": " + ec.message()};
  address_ = TextOf(acceptor_.local_endpoint());
  asio::post(loop_, [self = shared_from_this()] {
    self->Accept();
    self->Sweep();
  });
  return {};
}

void StreamServer::Impl::Accept() {
  acceptor_.async_accept([self = shared_from_this()](const ErrorCode& ec, Socket socket) {
    if (self->stopping_ || ec == asio::error::operation_aborted) return;
    if (!ec) {
      self->counters_.accepted.fetch_add(1, std::memory_order_relaxed);
      ErrorCode ignored;
      socket.non_blocking(true, ignored);
      socket.set_option(asio::socket_base::keep_alive(true), ignored);
      socket.set_option(tcp::no_delay(true), ignored);
      if (self->connections_.size() < self->limits_.connections) {
        auto connection = std::make_shared<Connection>(self, std::move(socket));
        self->connections_.insert(connection);
        self->counters_.connections.fetch_add(1, std::memory_order_relaxed);
        connection->Start();
      } else {
        self->counters_.refused.fetch_add(1, std::memory_order_relaxed);
      }
    }
    if (!ec) return self->Accept();
    // Out of descriptors, most likely: the next sweep accepts again.
    self->sweep_accepts_ = true;
  });
}

void StreamServer::Impl::Sweep() {
  if (stopping_) return;
  sweep_.expires_after(kSweep);
  sweep_.async_wait([self = shared_from_this()](const ErrorCode& ec) {
    if (ec || self->stopping_) return;
    const auto now = SteadyClock::now();
    const std::vector<std::shared_ptr<Connection>> all(self->connections_.begin(),
                                                       self->connections_.end());
    for (const auto& connection : all) connection->Sweep(now);
    if (std::exchange(self->sweep_accepts_, false)) self->Accept();
    self->Sweep();
  });
}

void StreamServer::Impl::Remove(const std::shared_ptr<Connection>& connection) {
  if (connections_.erase(connection) == 0) return;
  counters_.connections.fetch_sub(1, std::memory_order_relaxed);
  if (!stopping_ || !connections_.empty()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  has_ended_ = true;
  ended_.notify_all();
}

void StreamServer::Impl::BeginStop() {
  stopping_ = true;
  ErrorCode ignored;
  acceptor_.close(ignored);
  sweep_.cancel();
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all) connection->BeginStop();
  if (!connections_.empty()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  has_ended_ = true;
  ended_.notify_all();
}

void StreamServer::Impl::CloseAll() {
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all) connection->Close();
}

bool StreamServer::Impl::Stop(std::chrono::milliseconds patience) {
  asio::post(loop_, [self = shared_from_this()] { self->BeginStop(); });
  std::unique_lock<std::mutex> lock(mutex_);
  const bool finished = ended_.wait_for(lock, patience, [this] { return has_ended_; });
  if (finished) return true;
  lock.unlock();
  asio::post(loop_, [self = shared_from_this()] { self->CloseAll(); });
  lock.lock();
  ended_.wait(lock, [this] { return has_ended_; });
  return false;
}

Result<std::unique_ptr<StreamServer>> StreamServer::Start(const std::string& address, Intake intake,
                                                          const StreamLimits& limits,
                                                          Streams& streams, Ingest& ingest,
                                                          MakeSession make_session) {
  auto impl = std::make_shared<Impl>(intake, limits, streams, ingest, std::move(make_session));
  TL_TRY(impl->Listen(address));
  return std::unique_ptr<StreamServer>(new StreamServer(std::move(impl)));
}

StreamServer::StreamServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

StreamServer::~StreamServer() {
  if (impl_ != nullptr) Stop(std::chrono::milliseconds(0));
}

const std::string& StreamServer::address() const { return impl_->address(); }

bool StreamServer::Stop(std::chrono::milliseconds patience) { return impl_->Stop(patience); }

StreamServer::Stats StreamServer::GetStats() const { return impl_->GetStats(); }

}  // namespace throughline::gateway
