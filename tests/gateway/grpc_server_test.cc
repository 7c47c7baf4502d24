// OTLP over gRPC in the whole gateway, over real channels, with the memory store.
#include "gateway/grpc_server.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>
#include <snappy.h>
#include <zstd.h>

#include "correlate/attribute.h"
#include "gateway/capped_listener.h"
#include "gateway/gateway.h"
#include "gateway/grpc_health.h"
#include "gateway/grpc_reflection.h"
#include "store/memory/memory_store.h"
#include "tests/gateway/grpc_client.h"
#include "tests/gateway/loopback_gateway.h"
#include "tests/gateway/raw_client.h"
#include "tests/proto/samples.h"
#include "tests/proto/truncation.h"
#include "tests/test_clock.h"
#include "wire/compress.h"
#include "wire/protobuf.h"

namespace throughline::gateway {
namespace {

using ::grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 1'700'000'000 * kSecond;

std::string Field(int number, const std::string& content) {
  std::string bytes(1, static_cast<char>(number * 8 + 2));
  AppendVarint(content.size(), bytes);
  return bytes + content;
}

// ResourceSpans > ScopeSpans > Span with these ids.
std::string OneSpan(const std::string& trace_id, const std::string& span_id = samples::Id(8)) {
  return Field(1, Field(2, Field(2, Field(1, trace_id) + Field(2, span_id) + Field(5, "pay"))));
}
std::string HexOf(const std::string& id) {
  std::string text;
  for (const char c : id) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

// One frame of snappy's framing format, uncompressed (type 1) after the stream identifier.
std::string FramedSnappy(const std::string& bytes) {
  std::string compressed;
  snappy::Compress(bytes.data(), bytes.size(), &compressed);
  std::uint32_t crc = 0xffffffff;  // CRC-32C of `bytes`, masked.
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1U) ^ (0x82f63b78U & (0U - (crc & 1U)));
  }
  crc = ~crc;
  crc = ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
  std::string out("\xff\x06\x00\x00sNaPpY", 10);
  const auto length = static_cast<std::uint32_t>(compressed.size() + 4);
  out += '\x00';
  for (unsigned shift = 0; shift < 24; shift += 8) out += static_cast<char>(length >> shift);
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(crc >> shift);
  return out + compressed;
}
std::string Zstd(const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

// Seconds of the RetryInfo in a status' details; 0: none.
std::uint64_t RetrySecondsOf(const ::grpc::Status& status) {
  const auto last_of = [](std::string_view message, std::uint32_t field) {
    std::string_view found;
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() == field) {
        found = reader.Bytes();
      } else {
        reader.Skip();
      }
    }
    EXPECT_TRUE(reader.ok());
    return found;
  };
  const std::string& details = status.error_details();
  const std::string_view any = last_of(details, 3);
  if (last_of(any, 1) != "type.googleapis.com/google.rpc.RetryInfo") return 0;
  wire::ProtoReader duration(last_of(last_of(any, 2), 1));
  return duration.Next() ? duration.Varint() : 0;
}

class GrpcServerTest : public ::testing::Test {
 protected:
  void StartGateway(Config config = {}) {
    config = OnLoopback(std::move(config));
    config.otlp_grpc_listen = "127.0.0.1:0";
    ASSERT_NO_FATAL_FAILURE(StartInto(gateway_, config, clock_));
    client_ = std::make_unique<GrpcClient>(gateway_->GrpcAddress());
  }
  RawResponse Get(const std::string& target, const std::string& headers = {}) {
    RawClient client(gateway_->AddressOf(Door::kMain));
    client.Send("GET " + target + " HTTP/1.1\r\nHost: gw\r\n" + headers + "\r\n");
    return client.Read();
  }
  std::string Metric(const std::string& sample) {
    const std::string text = Get("/metrics").body;
    const std::size_t at = text.find("\n" + sample + " ");
    if (at == std::string::npos) return "absent";
    const std::size_t begin = at + sample.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  TestClock clock_{kNow};
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<GrpcClient> client_;
};

TEST_F(GrpcServerTest, EverySignalIsStoredAndFoundAtOnce) {
  StartGateway();
  const std::pair<const char*, std::string> exports[] = {
      {kExportTraces, samples::Traces().SerializeAsString()},
      {kExportMetrics, samples::Metrics().SerializeAsString()},
      {kExportLogs, samples::Logs().SerializeAsString()}};
  for (const auto& [method, request] : exports) {
    SCOPED_TRACE(method);
    EXPECT_TRUE(client_->Call(method, request).status.ok());
    // Empty requests are good, and answered with the empty response.
    const GrpcAnswer empty = client_->Call(method, "");
    EXPECT_TRUE(empty.status.ok());
    EXPECT_EQ(empty.message, "");
  }
  for (const char* const signal : {"traces", "metrics", "logs"}) {
    const std::string labels = R"({door="otlp_grpc",signal=")" + std::string(signal) + "\"}";
    EXPECT_NE(Metric("throughline_records_stored_total" + labels), "0") << signal;
  }
  EXPECT_TRUE(client_->Call(kExportTraces, OneSpan(samples::Id(16, 33))).status.ok());
  EXPECT_EQ(Get("/api/v1/traces/" + HexOf(samples::Id(16, 33))).status, 200);
}

TEST_F(GrpcServerTest, TenantsAreApart) {
  StartGateway();
  const std::string id = samples::Id(16);
  EXPECT_TRUE(client_->Call(kExportTraces, OneSpan(id), {{"x-scope-orgid", "a"}}).status.ok());
  EXPECT_EQ(Get("/api/v1/traces/" + HexOf(id), "X-Scope-OrgID: a\r\n").status, 200);
  EXPECT_EQ(Get("/api/v1/traces/" + HexOf(id), "X-Scope-OrgID: b\r\n").status, 404);
  EXPECT_EQ(Get("/api/v1/traces/" + HexOf(id)).status, 404);
  const GrpcAnswer bad = client_->Call(kExportTraces, OneSpan(id), {{"x-scope-orgid", "a/b"}});
  EXPECT_EQ(bad.status.error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, ABadSpanCostsOnlyItself) {
  StartGateway();
  const GrpcAnswer answer =
      client_->Call(kExportTraces, OneSpan(samples::Id(7)) + OneSpan(samples::Id(16)));
  EXPECT_TRUE(answer.status.ok());
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.message));
  EXPECT_EQ(response.partial_success().rejected_spans(), 1);
  EXPECT_THAT(response.partial_success().error_message(), HasSubstr("7 bytes"));
  EXPECT_EQ(Get("/api/v1/traces/" + HexOf(samples::Id(16))).status, 200);
}

TEST_F(GrpcServerTest, BytesThatAreNoRequestAreRefusedWithThePlace) {
  StartGateway();
  const GrpcAnswer answer = client_->Call(kExportTraces, OneSpan(samples::Id(16)).substr(0, 20));
  EXPECT_EQ(answer.status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("byte 0"));
  EXPECT_EQ(RetrySecondsOf(answer.status), 0U);
  EXPECT_EQ(Metric(R"(throughline_requests_malformed_total{door="otlp_grpc",signal="traces"})"),
            "1");
  EXPECT_EQ(Metric("throughline_grpc_calls_total{method=\"" + std::string(kExportTraces) +
                   "\",code=\"INVALID_ARGUMENT\"}"),
            "1");
}

// What a client says first, and one call of Export, its message of `frame` and the end with it, all
// at once (RFC 9113; header fields without compression, RFC 7541, 6.2.2).
std::string OneCallAtOnce(const std::string& frame) {
  const auto http2 = [](char type, char flags, char stream, const std::string& payload) {
    std::string bytes;
    for (const unsigned shift : {16U, 8U, 0U}) {
      bytes += static_cast<char>(payload.size() >> shift);
    }
    return bytes + type + flags + std::string(3, '\0') + stream + payload;
  };
  std::string headers;
  const std::pair<std::string, std::string> fields[] = {
      {":method", "POST"},  {":scheme", "http"}, {":path", kExportTraces},
      {":authority", "gw"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
  for (const auto& [name, value] : fields) {
    headers += '\0';
    headers += static_cast<char>(name.size());
    headers += name;
    headers += static_cast<char>(value.size());
    headers += value;
  }
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2(4, 0, 0, "") + http2(1, 4, 1, headers) +
         http2(0, 1, 1, frame);
}

// The status in what a server says; -1: the connection ended without one.
int GrpcStatusIn(RawClient& client) {
  const std::string name("\x0bgrpc-status", 12);
  std::string said;
  for (;;) {
    const std::size_t at = said.find(name);
    const std::size_t length = at + name.size();  // Of the value; one byte.
    if (at != said.npos && said.size() > length &&
        said.size() > length + static_cast<unsigned char>(said[length])) {
      return std::atoi(said.substr(length + 1, static_cast<unsigned char>(said[length])).c_str());
    }
    const std::string byte = client.ReadBytes(1);
    if (byte.empty()) return -1;
    said += byte;
  }
}

TEST_F(GrpcServerTest, AFlagThatIsNoneIsNoEmptyMessage) {
  StartGateway();
  const std::string span = OneSpan(samples::Id(16));
  const std::string length = {'\0', '\0', '\0', static_cast<char>(span.size())};
  const std::pair<std::string, int> cases[] = {
      {std::string(5, '\0'), StatusCode::OK},  // An empty message.
      {'\0' + length + span, StatusCode::OK},
      {'\7' + length + span, StatusCode::INTERNAL}};
  for (int round = 0; round < 5; ++round) {
    for (const auto& [frame, status] : cases) {
      SCOPED_TRACE(static_cast<int>(frame[0]));
      RawClient client(gateway_->GrpcAddress());
      client.Send(OneCallAtOnce(frame));
      EXPECT_EQ(GrpcStatusIn(client), status);
    }
  }
}

TEST_F(GrpcServerTest, CompressionsThatGrpcKnows) {
  StartGateway();
  char first = 1;
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    const std::string id = samples::Id(16, first++);
    std::string request = OneSpan(id);
    while (request.size() < 10'000) request += OneSpan(id);  // gRPC compresses what gets smaller.
    EXPECT_TRUE(client_->Call(kExportTraces, request, {}, algorithm).status.ok());
    EXPECT_EQ(Get("/api/v1/traces/" + HexOf(id)).status, 200);
  }
}

TEST_F(GrpcServerTest, CompressionsThatGrpcHidesAreKnownByTheirMagic) {
  StartGateway();
  const std::string snappy_id = samples::Id(16, 1);
  const std::string zstd_id = samples::Id(16, 50);
  const auto send = [&](const std::string& bytes) {
    return client_->Call(kExportTraces, CompressedBuffer(bytes)).status;
  };
  EXPECT_TRUE(send(FramedSnappy(OneSpan(snappy_id))).ok());
  EXPECT_EQ(Get("/api/v1/traces/" + HexOf(snappy_id)).status, 200);
  EXPECT_TRUE(send(Zstd(OneSpan(zstd_id))).ok());
  EXPECT_EQ(Get("/api/v1/traces/" + HexOf(zstd_id)).status, 200);
  EXPECT_TRUE(send("").ok());

  EXPECT_EQ(send(Zstd(OneSpan(zstd_id)).substr(0, 20)).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(send(wire::Gzip(OneSpan(zstd_id))).error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(send(OneSpan(zstd_id)).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, TooLargeAsSentOrInflated) {
  Config config;
  config.request_bytes = 32UL << 10U;
  config.inflight_bytes = 1UL << 20U;
  StartGateway(config);
  const std::string large = Field(1, Field(2, Field(2, std::string(60'000, '\0'))));
  const auto expect_too_large = [&](const ::grpc::Status& status) {
    EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
    EXPECT_EQ(RetrySecondsOf(status), 0U);
  };
  const GrpcAnswer answer = client_->Call(kExportTraces, large);
  expect_too_large(answer.status);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("limits.request_bytes"));
  expect_too_large(client_->Call(kExportTraces, large, {}, GRPC_COMPRESS_GZIP).status);
  expect_too_large(client_->Call(kExportTraces, CompressedBuffer(Zstd(large))).status);
  expect_too_large(client_->Call(kExportTraces, CompressedBuffer(FramedSnappy(large))).status);
}

TEST_F(GrpcServerTest, ATenantOverItsRateIsToldToComeBack) {
  Config config;
  config.tenant_records_per_second = 1;
  StartGateway(config);
  EXPECT_TRUE(client_->Call(kExportTraces, OneSpan(samples::Id(16)) + OneSpan(samples::Id(16, 99)))
                  .status.ok());
  const GrpcAnswer answer = client_->Call(kExportTraces, OneSpan(samples::Id(16)));
  EXPECT_EQ(answer.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("limits.tenant_records_per_second"));
  EXPECT_EQ(RetrySecondsOf(answer.status), 1U);
  EXPECT_TRUE(client_->Call(kExportTraces, "", {{"x-scope-orgid", "other"}}).status.ok());
}

// Health and reflection read bytes from anybody: whatever is cut off or changed gets an answer or
// an error.
TEST(GrpcControl, DamagedRequestsAreAnsweredOrRefused) {
  const std::string health = Field(1, "grpc.health.v1.Health") + Field(9, "unknown");
  const std::string reflection = Field(1, "host") + Field(4, "grpc.health.v1.Health.Check");
  EXPECT_TRUE(AnswerReflection(reflection));
  for (const std::string& whole : {health, reflection}) {
    samples::ForEachPrefix(whole, [](std::string_view prefix) {
      (void)ReadHealthRequest(prefix, GrpcServing::kServing);
      (void)AnswerReflection(prefix);
    });
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        std::string changed = whole;
        changed[at] = static_cast<char>(value);
        (void)ReadHealthRequest(changed, GrpcServing::kServing);
        (void)AnswerReflection(changed);
      }
    }
  }
  EXPECT_FALSE(AnswerReflection(""));
  EXPECT_FALSE(AnswerReflection(Field(4, "\xff")));
}

TEST(GrpcServerBudget, MessagesOverItAreToldToComeBack) {
  const TestClock clock{kNow};
  store::MemoryStore store({});
  store::Writer writer(store, {});
  Metrics metrics(0);
  Tenants tenants({});
  Ingest ingest({}, writer, clock, metrics, tenants);
  GrpcIntake intake({}, ingest);
  const std::string request = OneSpan(samples::Id(16));
  auto server =
      GrpcServer::Start("127.0.0.1:0", {.inflight_bytes = request.size()}, intake, metrics);
  ASSERT_TRUE(server) << server.error().message;
  GrpcClient client((*server)->address());
  EXPECT_TRUE(client.Call(kExportTraces, request).status.ok());
  const GrpcAnswer answer = client.Call(kExportTraces, request + request);
  EXPECT_EQ(answer.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("limits.inflight_bytes"));
  EXPECT_EQ(RetrySecondsOf(answer.status), 1U);
  EXPECT_EQ((*server)->Stats().inflight_bytes, 0U);
  EXPECT_TRUE(client.Call(kExportTraces, request).status.ok());
  EXPECT_TRUE((*server)->Stop(std::chrono::milliseconds(1000)));
  writer.Stop();
}

TEST(GrpcServerBudget, AnAddressThatIsTakenOrNoneIsAnError) {
  const auto first = CappedListener::Listen("127.0.0.1:0", 1);
  ASSERT_TRUE(first);
  EXPECT_FALSE(CappedListener::Listen((*first)->address(), 1));
  EXPECT_FALSE(CappedListener::Listen("127.0.0.1", 1));
  EXPECT_FALSE(CappedListener::Listen("nowhere:0", 1));
}

TEST_F(GrpcServerTest, UnknownMethodsAndServices) {
  StartGateway();
  for (const char* const method :
       {"/opentelemetry.proto.collector.trace.v1.TraceService/Nope", "/a.B/C",
        "/opentelemetry.proto.collector.trace.v1.TraceService"}) {
    EXPECT_EQ(client_->Call(method, "").status.error_code(), StatusCode::UNIMPLEMENTED) << method;
  }
  EXPECT_EQ(Metric(R"(throughline_grpc_calls_total{method="",code="UNIMPLEMENTED"})"), "3");
}

TEST_F(GrpcServerTest, HealthIsServingUntilTheGatewayStops) {
  StartGateway();
  const std::string check = "/grpc.health.v1.Health/Check";
  for (const char* const service : {"", "opentelemetry.proto.collector.trace.v1.TraceService"}) {
    const GrpcAnswer answer = client_->Call(check, Field(1, service));
    EXPECT_TRUE(answer.status.ok());
    EXPECT_EQ(answer.message, "\x08\x01");
  }
  EXPECT_EQ(client_->Call(check, Field(1, "a.B")).status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(client_->Call(check, "\x0a").status.error_code(), StatusCode::INVALID_ARGUMENT);

  GrpcStream watch(*client_, "/grpc.health.v1.Health/Watch");
  watch.Send("");
  EXPECT_EQ(watch.Receive(), "\x08\x01");
  GrpcStream unknown(*client_, "/grpc.health.v1.Health/Watch");
  unknown.Send(Field(1, "a.B"));
  EXPECT_EQ(unknown.Receive(), "\x08\x03");
  unknown.Cancel();
  EXPECT_EQ(unknown.Finish().error_code(), StatusCode::CANCELLED);

  EXPECT_TRUE(gateway_->Stop());
  EXPECT_EQ(watch.Receive(), "\x08\x02");
  EXPECT_EQ(watch.Receive(), std::nullopt);
  EXPECT_EQ(watch.Finish().error_code(), StatusCode::UNAVAILABLE);
}

// What a tool such as grpcurl does: list, then the files of a service and all that they import.
TEST_F(GrpcServerTest, ReflectionDescribesEveryService) {
  StartGateway();
  for (const char* const version : {"v1", "v1alpha"}) {
    SCOPED_TRACE(version);
    GrpcStream stream(*client_, "/grpc.reflection." + std::string(version) +
                                    ".ServerReflection/ServerReflectionInfo");
    const auto ask = [&](int field, const std::string& text) {
      stream.Send(Field(field, text));
      return stream.Receive().value_or("");
    };
    std::vector<std::string> services;
    const std::string listed = ask(7, "*");
    wire::ProtoReader response(listed);
    while (response.Next()) {
      if (response.field() != 6) {
        response.Skip();
        continue;
      }
      wire::ProtoReader list(response.Bytes());
      while (list.Next()) services.emplace_back(list.Bytes().substr(2));
    }
    EXPECT_THAT(services,
                ElementsAre("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                            "grpc.reflection.v1alpha.ServerReflection",
                            "opentelemetry.proto.collector.logs.v1.LogsService",
                            "opentelemetry.proto.collector.metrics.v1.MetricsService",
                            "opentelemetry.proto.collector.trace.v1.TraceService"));

    const auto file_of = [&](const std::string& answer) {
      google::protobuf::FileDescriptorProto file;
      wire::ProtoReader reader(answer);
      while (reader.Next()) {
        if (reader.field() == 4) {
          wire::ProtoReader inner(reader.Bytes());
          EXPECT_TRUE(inner.Next());
          const std::string_view bytes = inner.Bytes();
          EXPECT_TRUE(file.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
        } else {
          reader.Skip();
        }
      }
      return file;
    };
    google::protobuf::DescriptorPool pool;
    const std::function<void(const google::protobuf::FileDescriptorProto&)> add =
        [&](const google::protobuf::FileDescriptorProto& file) {
          for (const std::string& name : file.dependency()) {
            if (pool.FindFileByName(name) == nullptr) add(file_of(ask(3, name)));
          }
          EXPECT_NE(pool.BuildFile(file), nullptr) << file.name();
        };
    for (const std::string& service : services) {
      const auto file = file_of(ask(4, service));
      if (pool.FindFileByName(file.name()) == nullptr) add(file);
      EXPECT_NE(pool.FindServiceByName(service), nullptr) << service;
    }
    const auto symbol = "opentelemetry.proto.common.v1.AnyValue";
    EXPECT_EQ(file_of(ask(4, symbol)).name(), "opentelemetry/proto/common/v1/common.proto");
    EXPECT_THAT(ask(4, "no.Such"), HasSubstr("no such symbol"));
    EXPECT_THAT(ask(3, "no.proto"), HasSubstr("no such file"));
    EXPECT_THAT(ask(6, symbol), HasSubstr("no such extension"));
    stream.EndSending();
    EXPECT_EQ(stream.Receive(), std::nullopt);
    EXPECT_TRUE(stream.Finish().ok());
  }
}

TEST_F(GrpcServerTest, StoppingEndsOpenStreamsAndWaitsForNoTool) {
  StartGateway();
  GrpcStream stream(*client_, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  stream.Send(Field(7, "*"));
  EXPECT_TRUE(stream.Receive().has_value());
  EXPECT_TRUE(gateway_->Stop());
  EXPECT_EQ(stream.Finish().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(client_->Call(kExportTraces, "").status.error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, ACallWhoseMessageNeverComesIsCutOffByStopping) {
  Config config;
  config.drain_timeout = std::chrono::milliseconds(50);
  StartGateway(config);
  GrpcStream call(*client_, kExportTraces);
  // Its header has been seen when a later call on the same connection is answered.
  EXPECT_TRUE(client_->Call(kExportTraces, "").status.ok());
  EXPECT_FALSE(gateway_->Stop());
  EXPECT_FALSE(call.Finish().ok());
}

TEST_F(GrpcServerTest, ACallWhoseMessageNeverComesTimesOut) {
  Config config;
  config.grpc_read_timeout = std::chrono::milliseconds(1);
  StartGateway(config);
  GrpcStream call(*client_, kExportTraces);
  const ::grpc::Status status = call.Finish();
  EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("limits.grpc_read_timeout"));
  EXPECT_EQ(Metric("throughline_grpc_timeouts_total"), "1");
}

TEST_F(GrpcServerTest, ConnectionsOverTheCapAreClosedAndRoomComesBack) {
  Config config;
  config.grpc_connections = 1;
  StartGateway(config);
  EXPECT_TRUE(client_->Call(kExportTraces, "").status.ok());
  RawClient second(gateway_->GrpcAddress());
  EXPECT_EQ(second.Read().status, 0);  // Closed without a byte.
  EXPECT_EQ(Metric("throughline_grpc_connections_refused_total"), "1");
  EXPECT_EQ(Metric("throughline_grpc_connections"), "1");
  client_.reset();
  while (Metric("throughline_grpc_connections") != "0") std::this_thread::yield();
  client_ = std::make_unique<GrpcClient>(gateway_->GrpcAddress());
  EXPECT_TRUE(client_->Call(kExportTraces, "").status.ok());
}

TEST_F(GrpcServerTest, ManyCallsAtOnceFromManyThreads) {
  StartGateway();
  constexpr int kThreads = 4;
  constexpr int kCalls = 50;
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      GrpcClient client(gateway_->GrpcAddress());
      for (int i = 0; i < kCalls; ++i) {
        const std::string id = samples::Id(14) + static_cast<char>(t) + static_cast<char>(i + 1);
        if (client.Call(kExportTraces, OneSpan(id)).status.ok()) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, kThreads * kCalls);
  EXPECT_EQ(Metric(R"(throughline_records_stored_total{door="otlp_grpc",signal="traces"})"),
            std::to_string(kThreads * kCalls));
  EXPECT_EQ(Metric("throughline_grpc_inflight_bytes"), "0");
}

}  // namespace
}  // namespace throughline::gateway
