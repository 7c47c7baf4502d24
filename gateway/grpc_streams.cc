// The calls of several messages: health watches and reflection.
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "gateway/grpc_calls.h"
#include "gateway/grpc_reflection.h"

namespace throughline::gateway {
namespace {

// A call that stays open until its client goes or the gateway stops. One write at a time: what is
// to be said meanwhile waits for its end.
class OpenCall : public GrpcCall {
 public:
  using GrpcCall::GrpcCall;

  void End(const ::grpc::Status& status) final {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (writing_) {
        ending_ = status;
        return;
      }
      writing_ = true;
    }
    FinishWith(status);
  }

  void OnWriteDone(bool ok) final {
    std::optional<::grpc::Status> ending;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending = ending_;
      writing_ = ending.has_value();
    }
    if (ending) return FinishWith(*ending);
    if (ok) OnWritten();
  }

  void OnDone() final {
    shared_.open.Remove(place_);
    GrpcCall::OnDone();
  }

 protected:
  void Begin() final {
    place_ = shared_.open.Add(*this);
    // Drain() sets the flag before it looks into the list.
    if (shared_.draining) return End(StatusOf(StoppingError()));
    Read();
  }
  void Read() { StartRead(&request_); }
  void Write(const std::string& message) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (writing_ || finished()) return;  // It is ending.
      writing_ = true;
    }
    response_ = BufferOf(message);
    StartWrite(&response_);
  }
  // The last word before this status; empty: none.
  virtual std::string LastMessage() { return {}; }
  virtual void OnWritten() {}

  ::grpc::ByteBuffer request_;

 private:
  void FinishWith(const ::grpc::Status& status) {
    const std::string last = LastMessage();
    if (last.empty()) return FinishOnce(status);
    if (!ClaimFinish(status.error_code())) return;
    response_ = BufferOf(last);
    StartWriteAndFinish(&response_, ::grpc::WriteOptions(), status);
  }

  GrpcCallList::Place place_;  // In shared_.open.
  ::grpc::ByteBuffer response_;
  std::mutex mutex_;
  bool writing_ = false;  // Or finishing. Guarded by mutex_, as the next.
  std::optional<::grpc::Status> ending_;
};

// Says how a service is, and again when the gateway stops.
class HealthWatch final : public OpenCall {
 public:
  using OpenCall::OpenCall;

  void OnReadDone(bool ok) override {
    if (finished()) return;
    if (!ok) return End({::grpc::StatusCode::INTERNAL, "the call has no message"});
    const auto response = Response();
    if (!response) return End(StatusOf(response.error()));
    Write(*response);
  }

 protected:
  std::string LastMessage() override {
    return shared_.draining ? HealthResponse(GrpcServing::kNotServing) : std::string();
  }

 private:
  Result<std::string> Response() {
    TL_TRY_ASSIGN(const Body request, TakeControlMessage(request_));
    TL_TRY_ASSIGN(const GrpcServing serving, ReadHealthRequest(request.view(), shared_.serving()));
    return HealthResponse(serving);
  }
};

// Answers each request, until the client has no more.
class Reflection final : public OpenCall {
 public:
  using OpenCall::OpenCall;

  void OnReadDone(bool ok) override {
    if (finished()) return;
    if (!ok) return End(::grpc::Status::OK);
    const auto response = Response();
    if (!response) return End(StatusOf(response.error()));
    Write(*response);
  }

 protected:
  void OnWritten() override { Read(); }

 private:
  Result<std::string> Response() {
    TL_TRY_ASSIGN(const Body request, TakeControlMessage(request_));
    return AnswerReflection(request.view());
  }
};

}  // namespace

std::shared_ptr<GrpcCall> NewHealthWatch(GrpcShared& shared, GrpcContext& context,
                                         const GrpcMethod& method) {
  return std::make_shared<HealthWatch>(shared, context, &method);
}

std::shared_ptr<GrpcCall> NewReflection(GrpcShared& shared, GrpcContext& context,
                                        const GrpcMethod& method) {
  return std::make_shared<Reflection>(shared, context, &method);
}

}  // namespace throughline::gateway
