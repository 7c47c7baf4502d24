#include "gateway/syslog_server.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <utility>
#include <vector>

#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>

#include "correlate/scope.h"
#include "gateway/endpoint.h"
#include "gateway/log.h"
#include "logs/syslog.h"
#include "logs/syslog_frame.h"

namespace throughline::gateway {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using udp = asio::ip::udp;
using ErrorCode = boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_datagram_socket<udp, Executor>;
using Counter = std::atomic<std::uint64_t>;

constexpr std::size_t kMaxDatagramBytes = 65'535;
constexpr std::size_t kDatagramsInARow = 256;  // Without giving others on the loop a turn.

// A message's place in the bytes that it came with.
struct Place {
  std::size_t begin = 0;
  std::size_t size = 0;
};

struct Decoding {
  std::shared_ptr<const Batch> batch;
  Decoded decoded;
};

// The messages at `places` of `bytes`, which are copied.
Result<Decoding> Decode(std::string_view bytes, const std::vector<Place>& places,
                        const Ingest& ingest) {
  auto batch = std::make_shared<Batch>();
  batch->body = Body::Of(bytes);
  std::vector<std::string_view> messages;
  messages.reserve(places.size());
  for (const Place& place : places) {
    messages.push_back(batch->body.view().substr(place.begin, place.size));
  }
  TL_TRY_ASSIGN(auto decoded, logs::DecodeSyslog(messages, ingest.clock().NowUnixNs(),
                                                 ingest.decode_options(), *batch));
  return Decoding{std::move(batch), std::move(decoded)};
}

class SyslogSession final : public StreamSession {
 public:
  SyslogSession(const SyslogServer::Limits& limits, const Ingest& ingest,
                std::shared_ptr<Counter> cut_messages)
      : batch_bytes_(limits.batch_bytes),
        ingest_(ingest),
        framer_(limits.message_bytes),
        cut_messages_(std::move(cut_messages)) {}

  Step Read(std::string_view unread, bool at_end) override {
    Step step;
    places_.clear();
    while (step.taken < batch_bytes_ || places_.empty()) {
      const auto frame = framer_.Next(unread.substr(step.taken), at_end);
      step.taken += frame.taken;
      if (frame.cut) cut_messages_->fetch_add(1, std::memory_order_relaxed);
      if (!frame.whole) {
        // Goes on behind what it passed by.
        if (frame.taken == 0 || step.taken == unread.size()) break;
        continue;
      }
      const auto begin = static_cast<std::size_t>(frame.message.data() - unread.data());
      places_.push_back({begin, frame.message.size()});
    }
    if (places_.empty()) return step;
    auto decoding = Decode(unread.substr(0, step.taken), places_, ingest_);
    if (!decoding) {
      step.problem = decoding.error().message;
      return step;
    }
    step.batch = std::move(decoding->batch);
    step.decoded = std::move(decoding->decoded);
    return step;
  }

 private:
  const std::size_t batch_bytes_;
  const Ingest& ingest_;
  logs::SyslogFramer framer_;
  const std::shared_ptr<Counter> cut_messages_;
  std::vector<Place> places_;
};

}  // namespace

// Reads the datagrams that wait, as one batch.
class SyslogServer::Udp : public std::enable_shared_from_this<Udp> {
 public:
  Udp(const Limits& limits, Streams& streams, Ingest& ingest, std::shared_ptr<Counter> cut_messages)
      : limits_(limits),
        loop_(streams.loop()),
        ingest_(ingest),
        cut_messages_(std::move(cut_messages)),
        socket_(loop_),
        bytes_(limits.batch_bytes + kMaxDatagramBytes) {}

  Result<void> Bind(const std::string& text) {
    TL_TRY_ASSIGN(const tcp::endpoint address, ParseEndpoint(text));
    const udp::endpoint endpoint(address.address(), address.port());
    ErrorCode ec;
    socket_.open(endpoint.protocol(), ec);
    if (!ec) socket_.bind(endpoint, ec);
    if (!ec) socket_.non_blocking(true, ec);
    if (ec) return Error{Errc::kUnavailable, "cannot listen on " + text + ": " + ec.message()};
    const asio::socket_base::receive_buffer_size size(static_cast<int>(limits_.udp_buffer_bytes));
    socket_.set_option(size, ec);
    const udp::endpoint local = socket_.local_endpoint(ec);
    address_ = TextOf(tcp::endpoint(local.address(), local.port()));
    asio::post(loop_, [self = shared_from_this()] { self->Wait(); });
    return {};
  }

  // Waits until the loop has let go of the socket.
  void Stop() {
    if (std::exchange(stopped_, true)) return;
    std::promise<void> closed;
    asio::post(loop_, [this, &closed] {
      ErrorCode ignored;
      socket_.close(ignored);
      closed.set_value();
    });
    closed.get_future().wait();
  }

  const std::string& address() const { return address_; }
  std::uint64_t datagrams() const { return datagrams_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void Wait() {
    if (!socket_.is_open()) return;
    socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const ErrorCode& ec) {
      if (ec) return;
      self->Receive();
      self->Wait();
    });
  }

  void Receive() {
    places_.clear();
    std::size_t size = 0;
    std::size_t count = 0;
    for (; size < limits_.batch_bytes && count < kDatagramsInARow; ++count) {
      ErrorCode ec;
      const std::size_t received =
          socket_.receive(asio::buffer(bytes_.data() + size, kMaxDatagramBytes), 0, ec);
      if (ec) break;
      const std::size_t kept = std::min(received, limits_.message_bytes);
      if (kept < received) cut_messages_->fetch_add(1, std::memory_order_relaxed);
      places_.push_back({size, kept});
      size += kept;
    }
    if (count == 0) return;
    datagrams_.fetch_add(count, std::memory_order_relaxed);
    Store({bytes_.data(), size}, count);
  }

  void Store(std::string_view bytes, std::uint64_t count) {
    const auto drop = [self = shared_from_this(), count](const Error& error) {
      self->dropped_.fetch_add(count, std::memory_order_relaxed);
      LogWarn("syslog datagrams were dropped", {{"error", error.message}});
    };
    const std::string tenant(kDefaultTenant);
    if (const auto admitted = ingest_.Admit(tenant); !admitted) return drop(admitted.error());
    auto decoding = Decode(bytes, places_, ingest_);
    if (!decoding) return drop(decoding.error());
    ingest_.Take(Intake::kSyslog, tenant, decoding->decoded, std::move(decoding->batch),
                 [drop](Result<Outcome> outcome) {
                   if (!outcome) drop(outcome.error());
                 });
  }

  const Limits limits_;
  asio::io_context& loop_;
  Ingest& ingest_;
  const std::shared_ptr<Counter> cut_messages_;
  std::string address_;
  bool stopped_ = false;
  Counter datagrams_{0};
  Counter dropped_{0};

  // Of the loop.
  Socket socket_;
  std::vector<char> bytes_;
  std::vector<Place> places_;
};

SyslogServer::SyslogServer() : cut_messages_(std::make_shared<Counter>(0)) {}

SyslogServer::~SyslogServer() {
  if (udp_ != nullptr) udp_->Stop();
}

Result<std::unique_ptr<SyslogServer>> SyslogServer::Start(const std::string& udp_listen,
                                                          const std::string& tcp_listen,
                                                          const Limits& limits, Streams& streams,
                                                          Ingest& ingest) {
  std::unique_ptr<SyslogServer> server(new SyslogServer());
  if (!tcp_listen.empty()) {
    auto make_session = [limits, &ingest, cut = server->cut_messages_] {
      return std::make_unique<SyslogSession>(limits, ingest, cut);
    };
    TL_TRY_ASSIGN(server->tcp_, StreamServer::Start(tcp_listen, Intake::kSyslog, limits.stream,
                                                    streams, ingest, std::move(make_session)));
  }
  if (!udp_listen.empty()) {
    auto receiver = std::make_shared<Udp>(limits, streams, ingest, server->cut_messages_);
    TL_TRY(receiver->Bind(udp_listen));
    server->udp_ = std::move(receiver);
  }
  return server;
}

std::string SyslogServer::udp_address() const {
  return udp_ == nullptr ? std::string() : udp_->address();
}

std::string SyslogServer::tcp_address() const {
  return tcp_ == nullptr ? std::string() : tcp_->address();
}

bool SyslogServer::Stop(std::chrono::milliseconds patience) {
  if (udp_ != nullptr) udp_->Stop();
  return tcp_ == nullptr || tcp_->Stop(patience);
}

SyslogServer::Stats SyslogServer::GetStats() const {
  Stats stats;
  if (tcp_ != nullptr) stats.tcp = tcp_->GetStats();
  if (udp_ != nullptr) {
    stats.datagrams = udp_->datagrams();
    stats.dropped_datagrams = udp_->dropped();
  }
  stats.cut_messages = cut_messages_->load(std::memory_order_relaxed);
  return stats;
}

}  // namespace throughline::gateway
