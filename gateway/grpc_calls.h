// The calls of the gRPC server: one reactor each, which gRPC tells when something was read, written
// or cancelled.
//
// Reactors live until gRPC's OnDone and until whoever still may answer has let go of them; the
// first to finish a call wins. No lock is held while gRPC is called: it may call back at once.
// Private to grpc_server.cc and its test: includes gRPC.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <grpcpp/generic/async_generic_service.h>

#include "correlate/result.h"
#include "gateway/grpc_health.h"
#include "gateway/grpc_intake.h"
#include "gateway/grpc_message.h"
#include "gateway/grpc_methods.h"
#include "gateway/grpc_server.h"
#include "gateway/metrics.h"

namespace throughline::gateway {

class GrpcCall;
using GrpcContext = ::grpc::GenericCallbackServerContext;

// Calls that something may have to end: those being read, those that stay open. Any thread.
class GrpcCallList {
 public:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    GrpcCall* call = nullptr;
    Clock::time_point since;
  };
  using Place = std::list<Entry>::iterator;

  Place Add(GrpcCall& call);
  void Remove(Place place);
  // Those that have been here since `time` or longer.
  std::vector<std::shared_ptr<GrpcCall>> Since(Clock::time_point time) const;

 private:
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // Guarded by mutex_; in the order of `since`.
};

// What all calls share. Calls that are answered late outlive the server, and touch nothing but
// their own memory then.
struct GrpcShared {
  GrpcShared(const GrpcLimits& limits_, GrpcIntake& intake_, Metrics& metrics_)
      : limits(limits_), intake(intake_), metrics(metrics_) {}

  const GrpcLimits limits;
  GrpcIntake& intake;
  Metrics& metrics;
  GrpcCallList reading;               // One-message calls whose message has not come.
  GrpcCallList open;                  // Health watches and reflection.
  std::atomic<bool> draining{false};  // No new calls; health is kNotServing.
  std::atomic<std::size_t> inflight_bytes{0};
  std::atomic<std::uint64_t> timeouts{0};  // limits.read_timeout.
  // When Stop begins to cancel what is under way; who cancels before is the client.
  std::atomic<GrpcCallList::Clock::time_point> patience_ends{
      GrpcCallList::Clock::time_point::max()};
  std::atomic<std::uint64_t> cut_off{0};  // Cancelled since then.

  GrpcServing serving() const {
    return draining ? GrpcServing::kNotServing : GrpcServing::kServing;
  }
};

class GrpcCall : public ::grpc::ServerGenericBidiReactor,
                 public std::enable_shared_from_this<GrpcCall> {
 public:
  // `method` null: no such method.
  GrpcCall(GrpcShared& shared, GrpcContext& context, const GrpcMethod* method)
      : shared_(shared), context_(context), method_(method) {}
  GrpcCall(const GrpcCall&) = delete;
  GrpcCall& operator=(const GrpcCall&) = delete;

  // Reads, or finishes at once. Once, on the call that has just been made.
  void Start() {
    self_ = shared_from_this();
    Begin();
  }
  // Ends the call early, with this status. Any thread.
  virtual void End(const ::grpc::Status& status) { FinishOnce(status); }

  void OnCancel() final;
  void OnDone() override;

 protected:
  virtual void Begin() = 0;

  // True: nobody was first, and the caller must finish the call with that status.
  bool ClaimFinish(::grpc::StatusCode code);
  void FinishOnce(const ::grpc::Status& status);
  bool finished() const { return finished_.load(); }
  // Counts bytes as in flight until the call is finished. False: it is.
  bool Charge(std::size_t bytes);
  // What OnReadDone brought. Empties `buffer`.
  GrpcMessage TakeMessage(::grpc::ByteBuffer& buffer) const;
  // The same for the small requests of health and reflection, inflated.
  Result<Body> TakeControlMessage(::grpc::ByteBuffer& buffer) const;

  GrpcShared& shared_;
  GrpcContext& context_;  // gRPC's, until OnDone.
  const GrpcMethod* const method_;

 private:
  void Release();

  std::shared_ptr<GrpcCall> self_;  // Until OnDone.
  std::atomic<bool> finished_{false};
  std::atomic<std::size_t> charged_{0};
};

// The reactor of a new call, which has begun.
::grpc::ServerGenericBidiReactor* NewGrpcCall(GrpcShared& shared, GrpcContext& context);
// Those of methods with several messages (grpc_streams.cc).
std::shared_ptr<GrpcCall> NewHealthWatch(GrpcShared& shared, GrpcContext& context,
                                         const GrpcMethod& method);
std::shared_ptr<GrpcCall> NewReflection(GrpcShared& shared, GrpcContext& context,
                                        const GrpcMethod& method);

// Of new calls while draining, and of those that would stay open.
inline Error StoppingError() { return {Errc::kUnavailable, "the gateway is stopping"}; }
// An error as gRPC tells it: kOverloaded and kUnavailable with a RetryInfo.
::grpc::Status StatusOf(const Error& error);

::grpc::ByteBuffer BufferOf(const std::string& bytes);

}  // namespace throughline::gateway
