// CPU time of decoding log lines: JSON lines, Loki's push in JSON and in protobuf, Elasticsearch's
// bulk, each by itself, with the ids found, attributes hashed and identities made.
//
//   logs_bench [ROUNDS [FORMAT]]      FORMAT: json_lines, loki_json, loki_proto or elastic
//
// Each request has 1,000 lines of a web shop's services, about 300 bytes each; every line names its
// trace, in a field or in its text. One in twenty has a character that is no ASCII.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/check.h"
#include "logs/elastic_bulk.h"
#include "logs/lines.h"
#include "logs/loki.h"
#include "bench/protobuf_message.h"

namespace throughline {
namespace {

using bench::Message;

constexpr std::size_t kRequests = 50;
constexpr std::size_t kLinesPerRequest = 1000;
constexpr std::size_t kLinesPerStream = 50;
constexpr std::uint64_t kSecond = 1'700'000'000;

class Generator {
 public:
  std::string JsonLines() {
    std::string request;
    for (std::size_t i = 0; i < kLinesPerRequest; ++i) {
      request += R"({"time":"2026-11-22T21:12:)" + Nanos(i) + R"(Z","level":"info","logger":)" +
                 R"("shop.orders.Checkout","thread":"http-nio-8080-exec-)" +
                 std::to_string(Below(40)) + R"(","message":")" + Text() + R"(","trace_id":")" +
                 Hex(32) + R"(","span_id":")" + Hex(16) + R"(","service":"checkout","http":)" +
                 R"({"method":"POST","status":200},"duration_ms":)" + std::to_string(Below(900)) +
                 "}\n";
    }
    return request;
  }

  std::string ElasticBulk() {
    std::string request;
    for (std::size_t i = 0; i < kLinesPerRequest; ++i) {
      request += R"({"create":{"_index":"logs-shop-default"}})"
                 "\n"
                 R"({"@timestamp":"2026-11-22T21:12:)" +
                 Nanos(i) + R"(Z","message":")" + Text() + R"(","trace":{"id":")" + Hex(32) +
                 R"("},"span":{"id":")" + Hex(16) +
                 R"("},"log.level":"warn","service":{"name":"shop"},"process":{"pid":)" +
                 std::to_string(Below(30000)) + R"(},"ecs.version":"8.11.0"})" + "\n";
    }
    return request;
  }

  std::string LokiJson() {
    std::string request = R"({"streams":[)";
    for (std::size_t i = 0; i < kLinesPerRequest; ++i) {
      if (i % kLinesPerStream == 0) {
        request += i == 0 ? "" : "]},";
        request += R"({"stream":{"app":"checkout","cluster":"eu-1","namespace":"shop","pod":")" +
                   Hex(10) + R"(","level":"info"},"values":[)";
      } else {
        request += ',';
      }
      request += "[\"" + std::to_string(kSecond + i) + "000000000\",\"" + Quoted(LogLine()) + "\"]";
    }
    return request + "]}]}";
  }

  std::string LokiProto() {
    Message request;
    for (std::size_t i = 0; i < kLinesPerRequest; i += kLinesPerStream) {
      Message stream;
      stream.Bytes(1, R"({app="checkout", cluster="eu-1", level="info", namespace="shop", pod=")" +
                          Hex(10) + "\"}");
      for (std::size_t k = 0; k < kLinesPerStream; ++k) {
        Message time;
        time.Varint(1, kSecond + i + k);
        time.Varint(2, 1 + Below(999'999'999));
        Message entry;
        entry.Bytes(1, time.text());
        entry.Bytes(2, LogLine());
        stream.Bytes(2, entry.text());
      }
      request.Bytes(1, stream.text());
    }
    return request.text();
  }

 private:
  std::uint64_t Below(std::uint64_t end) { return random_() % end; }

  std::string Hex(std::size_t size) {
    std::string text;
    while (text.size() < size) text += "0123456789abcdef"[Below(16)];
    return text;
  }

  static std::string Nanos(std::size_t i) {
    char text[16];
    std::snprintf(text, sizeof text, "%02zu.%09zu", i % 60, i * 997 % 1'000'000'000);
    return text;
  }

  std::string Text() {
    std::string text = "order " + std::to_string(Below(1'000'000)) + " accepted for customer " +
                       std::to_string(Below(100'000)) + ", total 99.50 EUR in 38 ms";
    if (Below(20) == 0) text += ", caf\u00e9";
    return text;
  }

  std::string LogLine() {
    return "level=info ts=2026-11-22T21:12:28.681Z caller=checkout.go:212 component=orders msg=\"" +
           Text() + "\" traceID=" + Hex(32) + " spanID=" + Hex(16) +
           " method=POST path=/api/v1/orders status=200 bytes=4711";
  }

  static std::string Quoted(std::string_view text) {
    std::string quoted;
    for (const char c : text) {
      if (c == '"') quoted += '\\';
      quoted += c;
    }
    return quoted;
  }

  std::mt19937_64 random_{42};
};

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct Format {
  const char* name;
  std::string (Generator::*generate)();
  std::function<Result<Decoded>(std::string_view, Batch&)> decode;
};

void Measure(const Format& format, int rounds) {
  constexpr std::size_t kLines = kRequests * kLinesPerRequest;
  Generator generator;
  std::vector<Body> requests;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kRequests; ++i) {
    requests.push_back(Body::Of((generator.*format.generate)()));
    bytes += requests.back().size();
  }
  std::uint64_t sum = 0;
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const double begin = CpuSeconds();
    for (const Body& request : requests) {
      Batch batch;
      const auto decoded = format.decode(request.view(), batch);
      TL_CHECK(decoded && decoded->accepted == kLinesPerRequest);
      sum += batch.logs.back().identity;
    }
    const double seconds = (CpuSeconds() - begin) * 1e6 / kLines;
    if (seconds < best) best = seconds;
  }
  std::printf("%-11s %4.0f bytes a line, best %.2f CPU s per million lines (checksum %016llx)\n",
              format.name, static_cast<double>(bytes) / kLines, best,
              static_cast<unsigned long long>(sum));
}

int Run(int rounds, std::string_view only) {
  const DecodeOptions options{.hash_seed = 1};
  const Format formats[] = {
      {"json_lines", &Generator::JsonLines,
       [&](std::string_view bytes, Batch& batch) {
         return logs::DecodeLines(bytes, logs::LineFormat::kNdjson, options, batch);
       }},
      {"loki_json", &Generator::LokiJson,
       [&](std::string_view bytes, Batch& batch) {
         return logs::DecodeLokiJson(bytes, options, batch);
       }},
      {"loki_proto", &Generator::LokiProto,
       [&](std::string_view bytes, Batch& batch) {
         return logs::DecodeLokiProto(bytes, options, batch);
       }},
      {"elastic", &Generator::ElasticBulk,
       [&](std::string_view bytes, Batch& batch) -> Result<Decoded> {
         TL_TRY_ASSIGN(auto bulk, logs::DecodeBulk(bytes, {}, options, batch));
         return std::move(bulk.lines);
       }},
  };
  for (const Format& format : formats) {
    if (only.empty() || only == format.name) Measure(format, rounds);
  }
  return 0;
}

}  // namespace
}  // namespace throughline

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
  return throughline::Run(rounds > 0 ? rounds : 1, argc > 2 ? argv[2] : "");
}
