#include "gateway/http_server.h"

#include <sys/socket.h>

#include <array>
#include <list>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>

#include "correlate/check.h"
#include "correlate/thread_name.h"
#include "gateway/endpoint.h"
#include "gateway/http_exchange.h"
#include "gateway/http_loop.h"
#include "gateway/http_session.h"

namespace throughline::gateway {

namespace {

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

  HttpShared shared_;
  std::list<HttpLoop> loops_;
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
  for (HttpLoop& loop : loops_) {
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
  for (HttpLoop& loop : loops_) {
    loop.Sweep();
    for (auto& [door, acceptor] : loop.acceptors) loop.Accept(door, acceptor);
    loop.thread = std::thread([&loop] {
      NameThread("http");
      loop.context.run();
    });
  }
  return {};
}

bool HttpServer::Impl::Stop(std::chrono::milliseconds patience) {
  shared_.draining = true;
  for (HttpLoop& loop : loops_) {
    asio::post(loop.context, [&loop] {
      ErrorCode ignored;
      for (auto& [door, acceptor] : loop.acceptors) acceptor.close(ignored);
      for (HttpSession* const session : loop.sessions) session->EndIfIdle();
    });
  }
  bool finished = false;
  {
    std::unique_lock<std::mutex> lock(shared_.mutex);
    finished = shared_.closed.wait_for(lock, patience, [this] { return shared_.connections == 0; });
  }
  for (HttpLoop& loop : loops_) {
    loop.context.stop();
    if (loop.thread.joinable()) loop.thread.join();
    // A loop without connections may have been stopped before it came to close them itself.
    ErrorCode ignored;
    for (auto& [door, acceptor] : loop.acceptors) acceptor.close(ignored);
  }
  for (HttpLoop& loop : loops_) {
    // A slot whose answer never came owns the coroutine that owns the slot: cut the ring here.
    std::vector<std::shared_ptr<HttpSlot>> slots;
    for (HttpSession* const session : loop.sessions) slots.push_back(session->slot());
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

}  // namespace throughline::gateway
