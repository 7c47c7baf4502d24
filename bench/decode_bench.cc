// CPU time of decoding OTLP traces in protobuf: structure, UTF-8, hashes, identities.
//
//   decode_bench [ROUNDS]
//
// Each request has 1,000 spans of six services, on average about 440 bytes and 10 attributes each,
// in the proportions of a web shop's traces: HTTP servers, HTTP clients and database calls.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/protobuf_message.h"
#include "correlate/check.h"
#include "spans/otlp.h"

namespace throughline {
namespace {

constexpr std::size_t kServices = 6;
constexpr std::size_t kSpansPerRequest = 1000;
constexpr std::size_t kRequests = 50;

// A message of OTLP.
class Message : public bench::Message {
 public:
  void Attribute(unsigned field, std::string_view key, std::string_view text) {
    Message value;
    value.Bytes(1, text);
    KeyValue(field, key, value.text());
  }
  void Attribute(unsigned field, std::string_view key, std::int64_t number) {
    Message value;
    value.Varint(3, static_cast<std::uint64_t>(number));
    KeyValue(field, key, value.text());
  }

 private:
  void KeyValue(unsigned field, std::string_view key, std::string_view value) {
    Message item;
    item.Bytes(1, key);
    item.Bytes(2, value);
    Bytes(field, item.text());
  }
};

class Generator {
 public:
  std::string Request() {
    std::vector<Message> scopes(kServices);
    for (Message& scope : scopes) {
      Message name;
      name.Bytes(1, "bench.instrumentation.http");
      name.Bytes(2, "2.11.0");
      scope.Bytes(1, name.text());
    }
    for (std::size_t i = 0; i < kSpansPerRequest; ++i) {
      scopes[Below(kServices)].Bytes(2, Span(i % 3));
    }
    Message request;
    for (std::size_t service = 0; service < kServices; ++service) {
      Message group;
      group.Bytes(1, Resource(service));
      group.Bytes(2, scopes[service].text());
      request.Bytes(1, group.text());
    }
    return request.text();
  }

 private:
  std::uint64_t Below(std::uint64_t end) { return random_() % end; }

  std::string Id(std::size_t size) {
    std::string id;
    for (std::size_t i = 0; i < size; ++i) id += static_cast<char>(1 + Below(255));
    return id;
  }

  std::string Resource(std::size_t service) {
    Message resource;
    resource.Attribute(1, "service.name", "bench-service-" + std::to_string(service));
    resource.Attribute(1, "service.version", "1.20.3");
    resource.Attribute(1, "k8s.pod.name", "bench-service-7d9c5b6f4-x2x9z");
    resource.Attribute(1, "telemetry.sdk.language", "java");
    resource.Attribute(1, "process.pid", 4711);
    return resource.text();
  }

  std::string Span(std::size_t role) {
    const std::uint64_t start = 1'700'000'000'000'000'000 + Below(60'000'000'000);
    const std::string peer = "10.12.3." + std::to_string(20 + Below(30));
    Message span;
    span.Bytes(1, Id(16));
    span.Bytes(2, Id(8));
    span.Bytes(4, Id(8));
    span.Bytes(5, role == 2 ? "SELECT berths" : role == 1 ? "GET /berths/{id}" : "GET");
    span.Varint(6, role == 1 ? 2 : 3);
    span.Fixed64(7, start);
    span.Fixed64(8, start + Below(90'000'000));
    if (role == 0) {
      ClientAttributes(peer, span);
    } else if (role == 1) {
      ServerAttributes(peer, span);
    } else {
      DatabaseAttributes(peer, span);
    }
    span.Fixed32(16, 1);
    return span.text();
  }

  void ClientAttributes(std::string_view peer, Message& span) {
    span.Attribute(9, "http.request.method", "GET");
    span.Attribute(
        9, "url.full",
        "http://berths.harbour.svc:8080/v1/berths/" + std::to_string(10'000 + Below(90'000)));
    span.Attribute(9, "server.address", "berths.harbour.svc");
    span.Attribute(9, "server.port", 8080);
    span.Attribute(9, "http.response.status_code", 200);
    span.Attribute(9, "network.protocol.name", "http");
    span.Attribute(9, "network.protocol.version", "1.1");
    span.Attribute(9, "network.peer.address", peer);
    span.Attribute(9, "network.peer.port", 8080);
    span.Attribute(9, "thread.id", static_cast<std::int64_t>(Below(400)));
  }

  void ServerAttributes(std::string_view peer, Message& span) {
    span.Attribute(9, "http.request.method", "GET");
    span.Attribute(9, "http.route", "/v1/berths/{id}");
    span.Attribute(9, "url.path", "/v1/berths/" + std::to_string(10'000 + Below(90'000)));
    span.Attribute(9, "url.scheme", "http");
    span.Attribute(9, "http.response.status_code", 200);
    span.Attribute(9, "server.address", "berths.harbour.svc");
    span.Attribute(9, "server.port", 8080);
    span.Attribute(9, "client.address", peer);
    span.Attribute(9, "user_agent.original", "harbour-mobile/7.3 (android 15)");
    span.Attribute(9, "network.protocol.version", "1.1");
  }

  void DatabaseAttributes(std::string_view peer, Message& span) {
    span.Attribute(9, "db.system.name", "postgresql");
    span.Attribute(9, "db.namespace", "harbour_berths");
    span.Attribute(9, "db.operation.name", "SELECT");
    span.Attribute(9, "db.collection.name", "berths");
    span.Attribute(
        9, "db.query.text",
        "SELECT id, state, updated_at FROM berths WHERE tenant_id = $1 AND id = $2 LIMIT 1");
    span.Attribute(9, "db.response.returned_rows", static_cast<std::int64_t>(Below(20)));
    span.Attribute(9, "server.address", "pg-main.harbour.svc.cluster.local");
    span.Attribute(9, "server.port", 5432);
    span.Attribute(9, "network.peer.address", peer);
    span.Attribute(9, "thread.name", "pool-2-thread-" + std::to_string(Below(32)));
  }

  std::mt19937_64 random_{42};
};

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

int Run(int rounds) {
  Generator generator;
  std::vector<std::string> requests;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kRequests; ++i) {
    requests.push_back(generator.Request());
    bytes += requests.back().size();
  }
  constexpr std::size_t kSpans = kRequests * kSpansPerRequest;
  std::printf("%zu requests of %zu spans, %.0f bytes a span\n", kRequests, kSpansPerRequest,
              static_cast<double>(bytes) / kSpans);
  std::uint64_t sum = 0;
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const double begin = CpuSeconds();
    for (const std::string& request : requests) {
      Batch batch;
      const auto decoded = spans::DecodeOtlp(request, {.hash_seed = 1}, batch);
      TL_CHECK(decoded && decoded->accepted == kSpansPerRequest);
      sum += batch.spans.back().identity;
    }
    const double ns_per_span = (CpuSeconds() - begin) * 1e9 / kSpans;
    if (ns_per_span < best) best = ns_per_span;
    std::printf("round %d: %.1f CPU ns a span\n", round, ns_per_span);
  }
  std::printf("best: %.1f CPU ns a span, %.2f CPU s per million (checksum %016llx)\n", best,
              best / 1000, static_cast<unsigned long long>(sum));
  return 0;
}

}  // namespace
}  // namespace throughline

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
  return throughline::Run(rounds > 0 ? rounds : 1);
}
