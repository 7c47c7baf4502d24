// Sends a million records, or as many as asked for, through one door of a running gateway, and says
// what they cost it.
//
//   door_load FORMAT HOST:PORT PID [RECORDS [RECORDS_A_BODY]]
//
// FORMAT: otlp-json | otlp-json-gzip | zipkin-json (spans of ten attributes, eight a trace),
// lines | loki | bulk (log lines of some 250 bytes, eight a trace). Bodies are made before the
// clock starts, no two records alike; four connections, each with one request under way. PID is the
// gateway's: its CPU seconds and resident memory are read from /proc. What is not answered with
// success ends the program.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "wire/compress.h"

namespace throughline::bench {
namespace {

constexpr std::size_t kConnections = 4;
constexpr std::size_t kRecordsPerTrace = 8;
constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;

// Makes the records: the ids of number n follow from n.
class Records {
 public:
  static std::uint64_t Mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31U);
  }
  static std::string Hex(std::uint64_t value) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
  }
  static std::string TraceId(std::uint64_t number) {
    const std::uint64_t trace = number / kRecordsPerTrace;
    return Hex(Mix(trace) | 1U) + Hex(Mix(trace + 77) | 1U);
  }
  static std::string SpanId(std::uint64_t number) { return Hex(Mix(number + 13) | 1U); }
  static std::string Time(std::uint64_t number) { return std::to_string(kStart + number * 1000); }

  // {"key":"http.request.method","value":{"stringValue":"GET"}} by ten.
  static std::string OtlpAttributes(std::uint64_t number) {
    std::string out;
    const auto text = [&](std::string_view key, const std::string& value) {
      out += out.empty() ? "" : ",";
      out += R"({"key":")" + std::string(key) + R"(","value":{"stringValue":")" + value + "\"}}";
    };
    const auto integer = [&](std::string_view key, std::uint64_t value) {
      out += R"(,{"key":")" + std::string(key) + R"(","value":{"intValue":")" +
             std::to_string(value) + "\"}}";
    };
    text("http.request.method", "GET");
    text("url.full",
         "http://berths.harbour.svc:8080/v1/berths/" + std::to_string(Mix(number) % 90'000));
    text("server.address", "berths.harbour.svc");
    integer("server.port", 8080);
    integer("http.response.status_code", 200);
    text("network.protocol.name", "http");
    text("network.protocol.version", "1.1");
    text("network.peer.address", "10.12.3." + std::to_string(20 + Mix(number) % 30));
    integer("network.peer.port", 8080);
    integer("thread.id", Mix(number) % 400);
    return out;
  }

  static std::string OtlpSpan(std::uint64_t number) {
    return R"({"traceId":")" + TraceId(number) + R"(","spanId":")" + SpanId(number) +
           R"(","parentSpanId":")" + SpanId(number - number % kRecordsPerTrace + 1'000'000'007) +
           R"(","name":"GET /berths/{id}","kind":3,"startTimeUnixNano":")" + Time(number) +
           R"(","endTimeUnixNano":")" + Time(number + 20'000) + R"(","attributes":[)" +
           OtlpAttributes(number) + R"(],"status":{}})";
  }
  static std::string ZipkinSpan(std::uint64_t number) {
    return R"({"traceId":")" + TraceId(number) + R"(","id":")" + SpanId(number) +
           R"(","parentId":")" + SpanId(number - number % kRecordsPerTrace + 1'000'000'007) +
           R"(","name":"get /berths/{id}","kind":"CLIENT","timestamp":)" +
           std::to_string((kStart + number * 1000) / 1000) +
           R"(,"duration":20000,"localEndpoint":{"serviceName":"storefront"},)" +
           R"("remoteEndpoint":{"serviceName":"berths","ipv4":"10.12.3.20","port":8080},)" +
           R"("tags":{"http.method":"GET","http.url":"http://berths.harbour.svc:8080/v1/berths/)" +
           std::to_string(Mix(number) % 90'000) +
           R"(","http.status_code":"200","net.protocol.name":"http","net.protocol.version":"1.1",)" +
           R"("thread.id":")" + std::to_string(Mix(number) % 400) + "\"}}";
  }
  static std::string Message(std::uint64_t number) {
    return "order " + std::to_string(number) +
           " reserved 3 berths in 27 ms, the harbour master was told and the invoice is on its way";
  }
  static std::string JsonLine(std::uint64_t number) {
    return R"({"@timestamp":")" + Time(number) +
           R"(","level":"info","service":"storefront","logger":"harbour.Orders","thread":"pool-2-)" +
           std::to_string(Mix(number) % 32) + R"(","trace_id":")" + TraceId(number) +
           R"(","span_id":")" + SpanId(number) + R"(","message":")" + Message(number) + "\"}";
  }
  static std::string LokiEntry(std::uint64_t number) {
    return "[\"" + Time(number) + R"(","level=info trace_id=)" + TraceId(number) +
           " span_id=" + SpanId(number) + R"( logger=harbour.Orders msg=\")" + Message(number) +
           "\\\"\"]";
  }
};

struct Format {
  std::string_view name;
  std::string_view path;
  std::string_view content_type;
  bool gzip = false;
  std::string_view begin;
  std::string_view between;
  std::string_view end;
  std::string (*record)(std::uint64_t number) = nullptr;
};

constexpr std::string_view kOtlpBegin =
    R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":)"
    R"("storefront"}}]},"scopeSpans":[{"scope":{"name":"bench.http","version":"2.11.0"},"spans":[)";
const Format kFormats[] = {
    {"otlp-json", "/v1/traces", "application/json", false, kOtlpBegin, ",", "]}]}]}",
     Records::OtlpSpan},
    {"otlp-json-gzip", "/v1/traces", "application/json", true, kOtlpBegin, ",", "]}]}]}",
     Records::OtlpSpan},
    {"zipkin-json", "/api/v2/spans", "application/json", false, "[", ",", "]", Records::ZipkinSpan},
    {"lines", "/api/v1/logs", "application/x-ndjson", false, "", "\n", "\n", Records::JsonLine},
    {"loki", "/loki/api/v1/push", "application/json", false,
     R"({"streams":[{"stream":{"app":"storefront","namespace":"harbour"},"values":[)", ",", "]}]}",
     Records::LokiEntry},
    {"bulk", "/_bulk", "application/x-ndjson", false, "{\"create\":{\"_index\":\"logs\"}}\n",
     "\n{\"create\":{\"_index\":\"logs\"}}\n", "\n", Records::JsonLine},
};

std::string RequestOf(const Format& format, std::uint64_t first, std::uint64_t count) {
  std::string body(format.begin);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0) body += format.between;
    body += format.record(first + i);
  }
  body += format.end;
  if (format.gzip) body = wire::Gzip(body);
  std::string request = "POST " + std::string(format.path) + " HTTP/1.1\r\nHost: bench\r\n";
  request += "Content-Type: " + std::string(format.content_type) + "\r\n";
  if (format.gzip) request += "Content-Encoding: gzip\r\n";
  return request + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "door_load: %s\n", why.c_str());
  std::exit(1);
}

int Connect(const std::string& host, std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) Die("bad host " + host);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    Die("cannot connect");
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void Exchange(int fd, std::string_view request) {
  while (!request.empty()) {
    const ssize_t sent = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent <= 0) Die("the connection was closed");
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string answer;
  char buffer[65536];
  std::size_t end = std::string::npos;
  std::size_t body = 0;
  while (end == std::string::npos || answer.size() < end + body) {
    const ssize_t received = ::recv(fd, buffer, sizeof buffer, 0);
    if (received <= 0) Die("the connection was closed");
    answer.append(buffer, static_cast<std::size_t>(received));
    if (end != std::string::npos) continue;
    end = answer.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    end += 4;
    const std::size_t length = answer.find("Content-Length: ");
    if (length < end) body = std::strtoull(answer.c_str() + length + 16, nullptr, 10);
  }
  if (answer.compare(9, 1, "2") != 0) Die("answered " + answer.substr(0, 400));
}

// User and system time of a process, all its threads.
double CpuSecondsOf(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::size_t at = text.rfind(')');
  if (at == std::string::npos) Die("no process " + pid);
  unsigned long user = 0;
  unsigned long system = 0;
  std::sscanf(text.c_str() + at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
              &system);
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double ResidentMbOf(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/statm");
  unsigned long size = 0;
  unsigned long resident = 0;
  file >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

int Run(const Format& format, const std::string& host, std::uint16_t port, const std::string& pid,
        std::uint64_t records, std::uint64_t per_body) {
  std::vector<std::string> requests;
  std::size_t bytes = 0;
  for (std::uint64_t first = 0; first < records; first += per_body) {
    requests.push_back(RequestOf(format, first, std::min(per_body, records - first)));
    bytes += requests.back().size();
  }
  std::atomic<std::size_t> next{0};
  const double before = CpuSecondsOf(pid);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> senders;
  for (std::size_t i = 0; i < kConnections; ++i) {
    senders.emplace_back([&] {
      const int fd = Connect(host, port);
      for (std::size_t at = next++; at < requests.size(); at = next++) Exchange(fd, requests[at]);
      ::close(fd);
    });
  }
  for (std::thread& sender : senders) sender.join();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const double cpu = CpuSecondsOf(pid) - before;
  const auto count = static_cast<double>(records);
  std::printf(
      "%s records=%.0f bytes_a_record=%.0f cpu_s_per_M=%.2f records_per_s=%.0f rss_MB=%.0f\n",
      std::string(format.name).c_str(), count, static_cast<double>(bytes) / count,
      cpu * 1e6 / count, count / wall.count(), ResidentMbOf(pid));
  return 0;
}

int Usage() {
  std::fprintf(stderr,
               "usage: door_load FORMAT HOST:PORT PID [RECORDS [RECORDS_A_BODY]]\nformats:");
  for (const Format& format : kFormats) {
    std::fprintf(stderr, " %s", std::string(format.name).c_str());
  }
  std::fprintf(stderr, "\n");
  return 2;
}

}  // namespace
}  // namespace throughline::bench

int main(int argc, char** argv) {
  using namespace throughline::bench;
  if (argc < 4) return Usage();
  const Format* const format = std::find_if(std::begin(kFormats), std::end(kFormats),
                                            [&](const Format& f) { return f.name == argv[1]; });
  const std::string address = argv[2];
  const std::size_t colon = address.rfind(':');
  if (format == std::end(kFormats) || colon == std::string::npos) return Usage();
  const std::uint64_t records = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1'000'000;
  const std::uint64_t per_body = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 1000;
  if (records == 0 || per_body == 0) return Usage();
  const auto port = static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1));
  return Run(*format, address.substr(0, colon), port, argv[3], records, per_body);
}
