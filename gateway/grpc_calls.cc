#include "gateway/grpc_calls.h"

#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <grpc/grpc.h>
#include <grpcpp/support/byte_buffer.h>

#include "api/status.h"
#include "gateway/grpc_message.h"
#include "gateway/grpc_reflection.h"
#include "gateway/grpc_socket.h"
#include "gateway/log.h"
#include "otlp/response.h"

// What gRPC knows of the message that a call has read last. The library exports both for its own
// tests, and has them in no public header.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);
grpc_compression_algorithm grpc_call_test_only_get_compression_algorithm(grpc_call* call);

namespace throughline::gateway {
namespace {

constexpr std::uint32_t kCompressedFlag = 0x80000000U;  // GRPC_WRITE_INTERNAL_COMPRESS.

// Of a status message: it stands in the trailers twice, for which clients have 8 KiB by default.
constexpr std::size_t kStatusMessageBytes = 1024;
// Of a request to health or reflection.
constexpr std::size_t kControlMessageBytes = 64UL << 10U;

std::string Shortened(const std::string& message) {
  if (message.size() <= kStatusMessageBytes) return message;
  std::size_t end = kStatusMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0U) == 0x80) --end;
  return message.substr(0, end) + "...";
}

std::string_view OrgIdOf(const GrpcContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("x-scope-orgid");
  if (found == metadata.end()) return {};
  return {found->second.data(), found->second.size()};
}

// No such method.
class UnknownCall final : public GrpcCall {
 public:
  using GrpcCall::GrpcCall;

 protected:
  void Begin() override {
    FinishOnce(
        {::grpc::StatusCode::UNIMPLEMENTED, Shortened("no such method: " + context_.method())});
  }
};

// One message in, one out.
class UnaryCall : public GrpcCall {
 public:
  using GrpcCall::GrpcCall;

  void OnReadDone(bool ok) final {
    shared_.reading.Remove(place_);
    if (finished()) return;
    if (!ok) {
      // So ends what was cancelled meanwhile.
      if (context_.IsCancelled()) return OnCancel();
      return FinishOnce({::grpc::StatusCode::INTERNAL, "the call ended without a whole message"});
    }
    if (buffer_.Length() == 0 && !HasBroughtAMessage(context_.peer())) {
      return FinishOnce({::grpc::StatusCode::INTERNAL,
                         "what came is no gRPC message: its flag is neither 0 nor 1"});
    }
    try {
      Handle(buffer_);
    } catch (const std::exception& error) {
      LogError("a call failed", {{"method", std::string(method_->path)}, {"error", error.what()}});
      FinishOnce({::grpc::StatusCode::INTERNAL, "the call failed; the gateway's log says why"});
    }
  }

  // Any thread.
  void Answer(const Result<std::string>& response) {
    if (!response) return FinishOnce(StatusOf(response.error()));
    if (!ClaimFinish(::grpc::StatusCode::OK)) return;
    buffer_ = BufferOf(*response);
    StartWriteAndFinish(&buffer_, ::grpc::WriteOptions(), ::grpc::Status::OK);
  }

 protected:
  void Begin() final {
    if (const auto admitted = Admit(); !admitted) {
      return FinishOnce(StatusOf(admitted.error()));
    }
    place_ = shared_.reading.Add(*this);
    StartRead(&buffer_);
  }
  // What the header alone rules out.
  virtual Result<void> Admit() = 0;
  virtual void Handle(::grpc::ByteBuffer& message) = 0;

 private:
  GrpcCallList::Place place_;  // In shared_.reading.
  ::grpc::ByteBuffer buffer_;  // What is read, then what is written.
};

class ExportCall final : public UnaryCall {
 public:
  using UnaryCall::UnaryCall;

 protected:
  Result<void> Admit() override {
    if (shared_.draining) return StoppingError();
    if (shared_.inflight_bytes.load(std::memory_order_relaxed) >= shared_.limits.inflight_bytes) {
      return OverBudget();
    }
    TL_TRY_ASSIGN(tenant_, shared_.intake.Admit(OrgIdOf(context_)));
    return {};
  }

  void Handle(::grpc::ByteBuffer& message) override {
    if (!Charge(message.Length())) return;
    if (message.Length() > shared_.limits.message_bytes) {
      return Answer(Error{Errc::kTooLarge, "the message has " + std::to_string(message.Length()) +
                                               " bytes, at most " +
                                               std::to_string(shared_.limits.message_bytes) +
                                               " are read (limits.request_bytes)"});
    }
    if (shared_.inflight_bytes.load(std::memory_order_relaxed) > shared_.limits.inflight_bytes) {
      return Answer(OverBudget());
    }
    auto respond = [self = shared_from_this()](const Result<std::string>& response) {
      static_cast<ExportCall&>(*self).Answer(response);
    };
    shared_.intake.Handle(*method_->door, std::move(tenant_), TakeMessage(message),
                          std::move(respond));
  }

 private:
  Error OverBudget() const {
    return {Errc::kOverloaded, "over " + std::to_string(shared_.limits.inflight_bytes) +
                                   " bytes are being worked on (limits.inflight_bytes)"};
  }

  std::string tenant_;
};

class HealthCheck final : public UnaryCall {
 public:
  using UnaryCall::UnaryCall;

 protected:
  Result<void> Admit() override { return {}; }
  void Handle(::grpc::ByteBuffer& message) override { Answer(Response(message)); }

 private:
  Result<std::string> Response(::grpc::ByteBuffer& message) const {
    TL_TRY_ASSIGN(const Body request, TakeControlMessage(message));
    TL_TRY_ASSIGN(const GrpcServing serving, ReadHealthRequest(request.view(), shared_.serving()));
    if (serving != GrpcServing::kServiceUnknown) return HealthResponse(serving);
    return Error{Errc::kNotFound, "no such service"};
  }
};

std::shared_ptr<GrpcCall> MakeCall(GrpcShared& shared, GrpcContext& context) {
  const GrpcMethod* const method = FindGrpcMethod(context.method());
  if (method == nullptr) return std::make_shared<UnknownCall>(shared, context, method);
  switch (method->kind) {
    case GrpcKind::kExport: return std::make_shared<ExportCall>(shared, context, method);
    case GrpcKind::kHealthCheck: return std::make_shared<HealthCheck>(shared, context, method);
    case GrpcKind::kHealthWatch: return NewHealthWatch(shared, context, *method);
    case GrpcKind::kReflection: return NewReflection(shared, context, *method);
  }
  return nullptr;
}

}  // namespace

::grpc::Status StatusOf(const Error& error) {
  const int code = api::GrpcStatusOf(error.code);
  const std::string message = Shortened(error.message);
  const bool again = error.code == Errc::kOverloaded || error.code == Errc::kUnavailable;
  return {static_cast<::grpc::StatusCode>(code), message,
          again ? otlp::RetryStatus(code, message, api::kRetryAfterSeconds) : std::string()};
}

GrpcMessage GrpcCall::TakeMessage(::grpc::ByteBuffer& buffer) const {
  GrpcMessage message;
  message.compressed =
      (grpc_call_test_only_get_message_flags(context_.c_call()) & kCompressedFlag) != 0;
  switch (grpc_call_test_only_get_compression_algorithm(context_.c_call())) {
    case GRPC_COMPRESS_GZIP: message.encoding = wire::Encoding::kGzip; break;
    case GRPC_COMPRESS_DEFLATE: message.encoding = wire::Encoding::kDeflate; break;
    default: break;
  }
  message.bytes = Body(buffer.Length() + Body::kPadding);
  std::vector<::grpc::Slice> slices;
  if (buffer.Dump(&slices).ok()) {
    std::size_t at = 0;
    for (const ::grpc::Slice& slice : slices) {
      std::memcpy(message.bytes.data() + at, slice.begin(), slice.size());
      at += slice.size();
    }
    message.bytes.set_size(at);
  }
  buffer.Clear();
  return message;
}

Result<Body> GrpcCall::TakeControlMessage(::grpc::ByteBuffer& buffer) const {
  if (buffer.Length() > kControlMessageBytes) {
    return Error{Errc::kTooLarge,
                 "the request has over " + std::to_string(kControlMessageBytes) + " bytes"};
  }
  return InflateMessage(TakeMessage(buffer), kControlMessageBytes);
}

::grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const ::grpc::Slice slice(bytes);
  return {&slice, 1};
}

GrpcCallList::Place GrpcCallList::Add(GrpcCall& call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return entries_.insert(entries_.end(), {&call, Clock::now()});
}

void GrpcCallList::Remove(Place place) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.erase(place);
}

std::vector<std::shared_ptr<GrpcCall>> GrpcCallList::Since(Clock::time_point time) const {
  std::vector<std::shared_ptr<GrpcCall>> calls;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.since > time) break;
    calls.push_back(entry.call->shared_from_this());
  }
  return calls;
}

::grpc::ServerGenericBidiReactor* NewGrpcCall(GrpcShared& shared, GrpcContext& context) {
  const std::shared_ptr<GrpcCall> call = MakeCall(shared, context);
  call->Start();
  return call.get();  // It holds itself until OnDone.
}

void GrpcCall::OnCancel() {
  if (!ClaimFinish(::grpc::StatusCode::CANCELLED)) return;
  if (GrpcCallList::Clock::now() >= shared_.patience_ends.load()) {
    shared_.cut_off.fetch_add(1, std::memory_order_relaxed);
  }
  Finish({::grpc::StatusCode::CANCELLED, "the call was cancelled"});
}

void GrpcCall::OnDone() { self_.reset(); }

bool GrpcCall::ClaimFinish(::grpc::StatusCode code) {
  if (finished_.exchange(true)) return false;
  Release();
  const auto methods = GrpcMethods();
  const auto index =
      method_ == nullptr ? methods.size() : static_cast<std::size_t>(method_ - methods.data());
  shared_.metrics.CountGrpc(index, code);
  return true;
}

void GrpcCall::FinishOnce(const ::grpc::Status& status) {
  if (ClaimFinish(status.error_code())) Finish(status);
}

bool GrpcCall::Charge(std::size_t bytes) {
  shared_.inflight_bytes.fetch_add(bytes, std::memory_order_relaxed);
  charged_ = bytes;
  if (!finished()) return true;
  Release();  // Finished in between: by its own finish, or here.
  return false;
}

void GrpcCall::Release() {
  shared_.inflight_bytes.fetch_sub(charged_.exchange(0), std::memory_order_relaxed);
}

}  // namespace throughline::gateway
