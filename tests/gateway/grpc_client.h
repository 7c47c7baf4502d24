// A gRPC client of raw bytes, for tests of the server: no generated classes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <grpc/byte_buffer.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

namespace throughline::gateway {

inline constexpr char kExportTraces[] =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
inline constexpr char kExportMetrics[] =
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
inline constexpr char kExportLogs[] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

inline ::grpc::ByteBuffer BufferOfBytes(const std::string& bytes) {
  const ::grpc::Slice slice(bytes);
  return {&slice, 1};
}

// Bytes that go out with the flag of a compressed message, and with no grpc-encoding: what a server
// sees of an encoding that its gRPC does not know.
inline ::grpc::ByteBuffer CompressedBuffer(const std::string& bytes) {
  grpc_slice slice = grpc_slice_from_copied_buffer(bytes.data(), bytes.size());
  grpc_byte_buffer* const raw =
      grpc_raw_compressed_byte_buffer_create(&slice, 1, GRPC_COMPRESS_GZIP);
  grpc_slice_unref(slice);
  ::grpc::ByteBuffer buffer;
  // gRPC asserts in its header that a ByteBuffer is nothing but that pointer.
  static_assert(sizeof buffer == sizeof raw);
  std::memcpy(static_cast<void*>(&buffer), &raw, sizeof raw);
  return buffer;
}

inline std::string BytesOf(const ::grpc::ByteBuffer& buffer) {
  ::grpc::Slice slice;
  if (!buffer.DumpToSingleSlice(&slice).ok()) return {};
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

struct GrpcAnswer {
  ::grpc::Status status;
  std::string message;
};

class GrpcClient {
 public:
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  // A connection of its own.
  explicit GrpcClient(const std::string& address) {
    ::grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    stub_ = std::make_unique<::grpc::GenericStub>(
        ::grpc::CreateCustomChannel(address, ::grpc::InsecureChannelCredentials(), arguments));
  }

  GrpcAnswer Call(const std::string& method, const ::grpc::ByteBuffer& request,
                  const Metadata& metadata = {},
                  grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    ::grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    context.set_wait_for_ready(false);
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    context.set_compression_algorithm(compression);
    ::grpc::ByteBuffer response;
    std::promise<::grpc::Status> done;
    stub_->UnaryCall(&context, method, {}, &request, &response,
                     [&](::grpc::Status status) { done.set_value(std::move(status)); });
    GrpcAnswer answer;
    answer.status = done.get_future().get();
    if (answer.status.ok()) answer.message = BytesOf(response);
    return answer;
  }
  GrpcAnswer Call(const std::string& method, const std::string& request,
                  const Metadata& metadata = {},
                  grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    return Call(method, BufferOfBytes(request), metadata, compression);
  }

  ::grpc::GenericStub& stub() { return *stub_; }

 private:
  std::unique_ptr<::grpc::GenericStub> stub_;
};

// A call of several messages, one step at a time.
class GrpcStream final : public ::grpc::ClientBidiReactor<::grpc::ByteBuffer, ::grpc::ByteBuffer> {
 public:
  GrpcStream(GrpcClient& client, const std::string& method) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    client.stub().PrepareBidiStreamingCall(&context_, method, {}, this);
    AddHold();
    StartCall();
  }
  // Finish() must have been called.
  ~GrpcStream() override = default;

  void Send(const std::string& message) {
    request_ = BufferOfBytes(message);
    StartWrite(&request_);
    Wait(written_);
  }
  void EndSending() { StartWritesDone(); }
  // nullopt: there is no more.
  std::optional<std::string> Receive() {
    StartRead(&response_);
    if (!Wait(read_)) return std::nullopt;
    return BytesOf(response_);
  }
  void Cancel() { context_.TryCancel(); }
  ::grpc::Status Finish() {
    RemoveHold();
    Wait(done_);
    return status_;
  }

 private:
  void OnWriteDone(bool ok) override { Set(written_, ok); }
  void OnReadDone(bool ok) override { Set(read_, ok); }
  void OnDone(const ::grpc::Status& status) override {
    status_ = status;
    Set(done_, true);
  }
  // Notified within the lock: whoever waits may destroy this at once.
  void Set(std::optional<bool>& event, bool ok) {
    const std::lock_guard<std::mutex> lock(mutex_);
    event = ok;
    changed_.notify_all();
  }
  bool Wait(std::optional<bool>& event) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return event.has_value(); });
    return *std::exchange(event, std::nullopt);
  }

  ::grpc::ClientContext context_;
  ::grpc::ByteBuffer request_;
  ::grpc::ByteBuffer response_;
  ::grpc::Status status_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<bool> written_;  // Guarded by mutex_, as the next two.
  std::optional<bool> read_;
  std::optional<bool> done_;
};

}  // namespace throughline::gateway
