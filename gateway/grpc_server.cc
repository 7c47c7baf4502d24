#include "gateway/grpc_server.h"

#include <algorithm>
#include <climits>
#include <string_view>
#include <utility>

#include <absl/synchronization/mutex.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "correlate/check.h"
#include "gateway/capped_listener.h"
#include "gateway/grpc_calls.h"
#include "gateway/log.h"

namespace throughline::gateway {
namespace {

using Builder = ::grpc::ServerBuilder;

// All methods arrive here.
class Service final : public ::grpc::CallbackGenericService {
 public:
  explicit Service(GrpcShared& shared) : shared_(shared) {}
  ::grpc::ServerGenericBidiReactor* CreateReactor(GrpcContext* context) override {
    return NewGrpcCall(shared_, *context);
  }

 private:
  GrpcShared& shared_;
};

int IntOf(std::uint64_t value) { return static_cast<int>(std::min<std::uint64_t>(value, INT_MAX)); }
int IntOf(std::chrono::milliseconds value) {
  return IntOf(static_cast<std::uint64_t>(value.count()));
}

void SetLimits(const GrpcLimits& limits, Builder& builder) {
  // gRPC looks at a message's size when it has all of it: so do the calls, and say which limit.
  builder.SetMaxReceiveMessageSize(-1);
  const std::pair<const char*, int> arguments[] = {
      // gRPC inflates without a bound: grpc_message.h does it instead.
      {GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0},
      {GRPC_ARG_ENABLE_CHANNELZ, 1},  // grpc_socket.h asks for it.
      {GRPC_ARG_MAX_METADATA_SIZE, IntOf(limits.metadata_bytes)},
      {GRPC_ARG_MAX_CONCURRENT_STREAMS, IntOf(limits.streams)},
      {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, IntOf(limits.handshake_timeout)},
      {GRPC_ARG_MAX_CONNECTION_IDLE_MS, IntOf(limits.idle_timeout)},
      {GRPC_ARG_KEEPALIVE_TIME_MS, IntOf(limits.keepalive)},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, IntOf(limits.keepalive)},
      {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
      {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, IntOf(limits.ping_interval)},
  };
  for (const auto& [name, value] : arguments) builder.AddChannelArgument(name, value);
  ::grpc::ResourceQuota quota("throughline");
  quota.Resize(limits.memory_bytes);
  builder.SetResourceQuota(quota);
}

// What gRPC has to say goes to the gateway's log. It complains of each call whose grpc-encoding it
// does not know, which here is nothing to complain of.
void LogOfGrpc(gpr_log_func_args* said) {
  const bool known = std::string_view(said->message).starts_with("Error parsing metadata");
  const LogLevel level =
      said->severity == GPR_LOG_SEVERITY_ERROR && !known ? LogLevel::kWarn : LogLevel::kDebug;
  log().Write(level, "grpc", {{"said", said->message}});
}

}  // namespace

class GrpcServer::Impl {
 public:
  Impl(const GrpcLimits& limits, GrpcIntake& intake, Metrics& metrics,
       std::unique_ptr<CappedListener> listener)
      : shared_(limits, intake, metrics), service_(shared_), listener_(std::move(listener)) {}

  Result<void> Start() {
    gpr_set_log_function(LogOfGrpc);
    // Debian's gRPC has Abseil's locks look for deadlocks, with a lock and a graph of their own.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    Builder builder;
    SetLimits(shared_.limits, builder);
    builder.RegisterCallbackGenericService(&service_);
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        Builder::experimental_type::ExternalConnectionType::FROM_FD,
        ::grpc::InsecureServerCredentials());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return Error{Errc::kUnavailable, "gRPC does not start"};
    listener_->Start({.take = [this](int listener, int fd) { Take(listener, fd); },
                      .every_second = [this] { EndSlow(); }});
    return {};
  }

  void Drain() {
    if (shared_.draining.exchange(true)) return;
    listener_->StopAccepting();
    for (const auto& call : shared_.open.Since(GrpcCallList::Clock::now())) {
      call->End(StatusOf(StoppingError()));
    }
  }

  bool Stop(std::chrono::milliseconds patience) {
    Drain();
    shared_.patience_ends = GrpcCallList::Clock::now() + patience;
    server_->Shutdown(std::chrono::system_clock::now() + patience);
    listener_.reset();
    acceptor_.reset();
    server_.reset();
    return shared_.cut_off == 0;
  }

  const std::string& address() const { return listener_->address(); }

  ServerStats Stats() const {
    ServerStats stats = listener_->Stats();
    stats.timeouts = shared_.timeouts.load(std::memory_order_relaxed);
    stats.inflight_bytes = shared_.inflight_bytes.load(std::memory_order_relaxed);
    return stats;
  }

 private:
  void Take(int listener, int fd) {
    ::grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = fd;
    acceptor_->HandleNewConnection(&parameters);
  }

  void EndSlow() {
    const auto late = GrpcCallList::Clock::now() - shared_.limits.read_timeout;
    for (const auto& call : shared_.reading.Since(late)) {
      shared_.timeouts.fetch_add(1, std::memory_order_relaxed);
      call->End({::grpc::StatusCode::DEADLINE_EXCEEDED,
                 "the message did not come in time (limits.grpc_read_timeout)"});
    }
  }

  GrpcShared shared_;
  Service service_;
  std::unique_ptr<CappedListener> listener_;
  std::unique_ptr<::grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<::grpc::Server> server_;
};

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const std::string& address,
                                                      const GrpcLimits& limits, GrpcIntake& intake,
                                                      Metrics& metrics) {
  TL_TRY_ASSIGN(auto listener, CappedListener::Listen(address, limits.connections));
  auto impl = std::make_unique<Impl>(limits, intake, metrics, std::move(listener));
  TL_TRY(impl->Start());
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcServer::~GrpcServer() = default;

const std::string& GrpcServer::address() const { return impl_->address(); }
void GrpcServer::Drain() { impl_->Drain(); }
bool GrpcServer::Stop(std::chrono::milliseconds patience) { return impl_->Stop(patience); }
ServerStats GrpcServer::Stats() const { return impl_->Stats(); }

}  // namespace throughline::gateway
