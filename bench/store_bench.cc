// CPU time and memory of the durable store alone: appends spans and gauge points that are decoded
// already.
//
//   store_bench [SPANS] [SPANS_PER_REQUEST] [DIRECTORY]
//
// Prints CPU ns a span (Append, with its commit), bytes of memory and of disk a span, and the CPU
// time of reading a trace back and of searching for an attribute that few have; of sealing them,
// and of reading one back then. Then, each in a store of their own, of as many log lines what
// sealing them and searching for text costs, and of as many gauge points what finding those of ten
// minutes does.
#include <ctime>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "correlate/check.h"
#include "correlate/hash.h"
#include "correlate/identity.h"
#include "store/sqlite/sqlite_store.h"

namespace throughline {
namespace {

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

TraceId TraceOf(std::size_t index) {
  return {.high = HashMix(index + 1, 0x2545f4914f6cdd1dULL) | 1,
          .low = HashMix(index + 77, 0x9e3779b97f4a7c15ULL) | 1};
}

// Spans like those of an instrumented shop: ten attributes, most of few values, two of many.
class Workload {
 public:
  explicit Workload(std::uint64_t seed) : seed_(seed) {}

  std::shared_ptr<const Batch> Request(std::size_t first, std::size_t count) {
    auto batch = std::make_shared<Batch>();
    for (std::size_t service = 0; service < 6; ++service) AddResource(service, *batch);
    for (std::size_t i = first; i < first + count; ++i) AddSpan(i, *batch);
    return batch;
  }

 private:
  Range Attributes(const std::vector<std::pair<const char*, std::string>>& pairs,
                   Batch& batch) const {
    const Range range{static_cast<std::uint32_t>(batch.attributes.size()),
                      static_cast<std::uint32_t>(pairs.size())};
    for (const auto& [key, text] : pairs) {
      batch.attributes.push_back(MakeStringAttribute(key, text, seed_, batch.arena));
    }
    return range;
  }

  void AddResource(std::size_t service, Batch& batch) const {
    const std::string name = "service-" + std::to_string(service);
    Resource resource;
    resource.attributes = Attributes({{"service.name", name},
                                      {"service.version", "4.1"},
                                      {"host.name", "node-" + std::to_string(service % 3)}},
                                     batch);
    resource.service = batch.arena.Copy(name);
    resource.hash = HashOf(resource, batch, seed_);
    batch.resources.push_back(resource);
  }

  void AddSpan(std::size_t index, Batch& batch) {
    const auto below = [this](unsigned n) { return std::to_string(random_() % n); };
    Span span;
    span.trace_id = TraceOf(index / 8);
    span.span_id = {HashMix(index + 5, 0xe7037ed1a0b428dbULL) | 1};
    span.parent_span_id = {index % 8 == 0 ? 0 : HashMix(index + 4, 0xe7037ed1a0b428dbULL) | 1};
    span.start_unix_ns = 1'700'000'000'000'000'000 + index * 10'000;
    span.end_unix_ns = span.start_unix_ns + random_() % 50'000'000;
    span.kind = static_cast<std::uint32_t>(1 + index % 3);
    span.flags = 1;
    span.resource = static_cast<std::uint32_t>(index % 6);
    span.name = batch.arena.Copy("GET /api/v1/route-" + below(24));
    span.attributes = Attributes({{"http.request.method", "GET"},
                                  {"http.route", "/api/v1/route-" + below(24)},
                                  {"url.path", "/api/v1/orders/" + below(90'000)},
                                  {"url.scheme", "http"},
                                  {"http.response.status_code", "200"},
                                  {"server.address", "shop.svc"},
                                  {"server.port", "8080"},
                                  {"client.address", "10.12.0." + below(250)},
                                  {"user_agent.original", "shop-mobile/7.3 (android 15)"},
                                  {"thread.id", below(400)}},
                                 batch);
    span.identity = IdentityOf(span, batch, seed_);
    batch.spans.push_back(span);
  }

  std::uint64_t seed_;
  std::mt19937 random_{1};
};

void PrintLookups(const char* of, const store::SqliteStore& store, std::size_t spans,
                  std::size_t lookups) {
  std::size_t found = 0;
  const double before = CpuSeconds();
  for (std::size_t i = 0; i < lookups; ++i) {
    const auto trace = store.FindTrace({}, TraceOf(HashMix(i + 9, ~i) % (spans / 8)), {});
    found += trace->records.spans.size();
  }
  const auto count = static_cast<double>(lookups);
  std::printf("%-8s %7.2f us CPU (%.1f spans)\n", of, (CpuSeconds() - before) * 1e6 / count,
              static_cast<double>(found) / count);
}

int Run(std::size_t spans, std::size_t per_request, const std::string& directory) {
  std::filesystem::remove_all(directory);
  auto opened = store::SqliteStore::Open({.directory = directory});
  TL_CHECK(opened.has_value());
  store::SqliteStore& store = **opened;
  Workload workload(store.hash_seed());
  double append = 0;
  for (std::size_t at = 0; at < spans; at += per_request) {
    const Appending appending{"default", workload.Request(at, per_request),
                              1'700'000'000'000'000'000};
    const double before = CpuSeconds();
    TL_CHECK(store.Append({&appending, 1}).has_value());
    append += CpuSeconds() - before;
  }
  const auto count = static_cast<double>(spans);
  const StoreUsage usage = store.Usage();
  std::printf("append   %7.0f ns/span CPU\nmemory   %7.1f bytes/span\ndisk     %7.1f bytes/span\n",
              append * 1e9 / count, static_cast<double>(usage.memory_bytes) / count,
              static_cast<double>(usage.disk_bytes) / count);

  PrintLookups("trace", store, spans, 100'000);
  for (const char* const search : {"first", "second", "third"}) {
    const double begin = CpuSeconds();
    TraceQuery query;
    query.attributes = {{"url.path", Matcher::Op::kEqual, "/api/v1/orders/77777"}};
    const auto page = store.FindTraces({}, query);
    std::printf("search   %7.2f ms CPU, the %s (%zu traces)\n", (CpuSeconds() - begin) * 1e3,
                search, page->items.size());
  }
  const double before = CpuSeconds();
  TL_CHECK(store.SealAll(1'700'000'000'000'000'000).has_value());
  std::printf("seal     %7.0f ns/span CPU\ndisk     %7.1f bytes/span\n",
              (CpuSeconds() - before) * 1e9 / count,
              static_cast<double>(store.Usage().disk_bytes) / count);
  PrintLookups("trace", store, spans, 20'000);
  return 0;
}

// Lines of 230 bytes that name their trace and span, eight a trace.
std::shared_ptr<const Batch> Lines(std::size_t first, std::size_t count, std::uint64_t seed) {
  static constexpr const char* kTexts[] = {"request served", "cache miss, reading through",
                                           "order state changed", "slow upstream answer"};
  static constexpr const char* kPaths[] = {"/api/v1/orders", "/api/v1/cart", "/checkout/confirm",
                                           "/catalogue/search"};
  auto batch = std::make_shared<Batch>();
  Resource resource;
  resource.attributes = {0, 1};
  batch->attributes.push_back(MakeStringAttribute("service.name", "shop", seed, batch->arena));
  resource.service = batch->arena.Copy("shop");
  resource.hash = HashOf(resource, *batch, seed);
  batch->resources.push_back(resource);
  for (std::size_t i = first; i < first + count; ++i) {
    const std::uint64_t random = HashMix(i + 3, 0x8ebc6af09c88c6e3ULL);
    LogLine line;
    line.trace_id = TraceOf(i / 8);
    line.span_id = {HashMix(i + 5, 0xe7037ed1a0b428dbULL) | 1};
    line.time_unix_ns = 1'700'000'000'000'000'000 + i * 10'000;
    line.resource = 0;
    line.service = resource.service;
    line.identity_follows = true;
    const std::string text =
        std::string("msg=\"") + kTexts[random % 4] + "\" trace_id=" + ToHex(line.trace_id) +
        " span_id=" + ToHex(line.span_id) + " method=POST path=" + kPaths[random / 4 % 4] +
        " status=200 duration_ms=" + std::to_string(random / 16 % 900) + " tenant=t" +
        std::to_string(random / 16'384 % 200) +
        " order_id=" + std::to_string(random / 4'194'304 % 9'000'000) + " from=shop.http.Router";
    line.body = MakeStringAttribute("", text, seed, batch->arena).value();
    line.identity = IdentityOf(line, *batch, seed);
    batch->logs.push_back(line);
  }
  return batch;
}

int RunLines(std::size_t lines, std::size_t per_request, const std::string& directory) {
  std::filesystem::remove_all(directory);
  store::SqliteStore::Options options;
  options.directory = directory;
  options.seal_bytes = 56U << 20U;
  auto opened = store::SqliteStore::Open(options);
  TL_CHECK(opened.has_value());
  store::SqliteStore& store = **opened;
  constexpr std::uint64_t kArrival = 1'700'000'000'000'000'000;
  double append = 0;
  double seal = 0;
  for (std::size_t at = 0; at < lines; at += per_request) {
    const Appending appending{"default", Lines(at, per_request, store.hash_seed()), kArrival};
    const double before = CpuSeconds();
    TL_CHECK(store.Append({&appending, 1}).has_value());
    append += CpuSeconds() - before;
    const double appended = CpuSeconds();
    TL_CHECK(store.Maintain(kArrival).has_value());
    seal += CpuSeconds() - appended;
  }
  const double before = CpuSeconds();
  TL_CHECK(store.SealAll(kArrival).has_value());
  seal += CpuSeconds() - before;
  const auto count = static_cast<double>(lines);
  std::printf("lines    %7.0f ns/line CPU\nseal     %7.0f ns/line CPU\ndisk     %7.1f bytes/line\n",
              append * 1e9 / count, seal * 1e9 / count,
              static_cast<double>(store.Usage().disk_bytes) / count);
  // A number with what stands around it, a number alone, a word that no line has, a path.
  for (const char* const text :
       {"order_id=4711471 ", "4711471", "NullPointerException", "/cart "}) {
    const double begin = CpuSeconds();
    LogQuery query;
    query.contains = text;
    const auto page = store.FindLogs({}, query);
    std::printf("text     %7.2f ms CPU (%zu lines with \"%s\")\n", (CpuSeconds() - begin) * 1e3,
                page->records.logs.size(), text);
  }
  return 0;
}

// CPU gauges of pods, a request each ten seconds.
class PodGauges {
 public:
  static constexpr std::size_t kPods = 300;
  static constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;

  explicit PodGauges(std::uint64_t seed) : seed_(seed) {}

  std::shared_ptr<const Batch> Request(std::size_t step) {
    auto batch = std::make_shared<Batch>();
    for (std::size_t pod = 0; pod < kPods; ++pod) {
      Resource resource;
      resource.attributes = {static_cast<std::uint32_t>(batch->attributes.size()), 2};
      const std::string name = "pod-" + std::to_string(pod);
      for (const auto& [key, text] :
           {std::pair("k8s.pod.name", name.c_str()), std::pair("k8s.namespace.name", "shop")}) {
        batch->attributes.push_back(MakeStringAttribute(key, text, seed_, batch->arena));
      }
      batch->resources.push_back(resource);
      for (const char* metric : {"k8s.pod.cpu.usage", "k8s.pod.cpu_limit_utilization"}) {
        GaugePoint point;
        point.time_unix_ns = kStart + step * kGaugeStepNs + pod;
        point.value = static_cast<double>(random_() % 100'000) / 1e5;
        point.resource = static_cast<std::uint32_t>(pod);
        point.metric = metric;
        point.unit = "{cpu}";
        point.identity = IdentityOf(point, *batch, seed_);
        batch->gauges.push_back(point);
      }
    }
    return batch;
  }

 private:
  std::uint64_t seed_;
  std::mt19937 random_{1};
};

int RunGauges(std::size_t points, const std::string& directory) {
  std::filesystem::remove_all(directory);
  auto opened = store::SqliteStore::Open({.directory = directory});
  TL_CHECK(opened.has_value());
  store::SqliteStore& store = **opened;
  PodGauges workload(store.hash_seed());
  const std::size_t steps = std::max<std::size_t>(points / (2 * PodGauges::kPods), 100);
  double append = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    const Appending appending{"default", workload.Request(step),
                              PodGauges::kStart + step * kGaugeStepNs};
    const double before = CpuSeconds();
    TL_CHECK(store.Append({&appending, 1}).has_value());
    append += CpuSeconds() - before;
  }
  const StoreUsage usage = store.Usage();
  const auto count = static_cast<double>(usage.gauges);
  std::printf(
      "gauges   %7.0f ns/point CPU\nmemory   %7.1f bytes/point\ndisk     %7.1f bytes/point\n",
      append * 1e9 / count, static_cast<double>(usage.memory_bytes) / count,
      static_cast<double>(usage.disk_bytes) / count);
  constexpr int kLookups = 20;
  constexpr std::uint64_t kTenMinutes = 60 * kGaugeStepNs;
  std::size_t found = 0;
  const double before = CpuSeconds();
  for (int i = 0; i < kLookups; ++i) {
    const std::uint64_t from = PodGauges::kStart + (steps / 2) * kGaugeStepNs;
    const auto page = store.FindGauges(
        {},
        {.time = {from, from + kTenMinutes}, .metric = "k8s.pod.cpu.usage", .limit = 1'000'000});
    found += page->records.gauges.size();
  }
  std::printf("find     %7.2f ms CPU (%zu points of %.1f M)\n",
              (CpuSeconds() - before) * 1e3 / kLookups, found / kLookups, count / 1e6);
  return 0;
}

}  // namespace
}  // namespace throughline

int main(int argc, char** argv) {
  const std::size_t spans = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const std::size_t per_request = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
  const std::string directory = argc > 3 ? argv[3] : "/tmp/throughline-store-bench";
  const int failed = throughline::Run(spans, per_request, directory);
  if (failed != 0) return failed;
  throughline::RunLines(spans, per_request, directory + "-lines");
  return throughline::RunGauges(spans, directory + "-gauges");
}
