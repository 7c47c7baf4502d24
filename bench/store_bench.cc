// CPU time and memory of the durable store alone: appends spans that are decoded already.
//
//   store_bench [SPANS] [SPANS_PER_REQUEST] [DIRECTORY]
//
// Prints CPU ns a span (Append, with its commit), bytes of memory and of disk a span, and the CPU
// time of reading a trace back.
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

  constexpr std::size_t kLookups = 100'000;
  std::size_t found = 0;
  const double before = CpuSeconds();
  for (std::size_t i = 0; i < kLookups; ++i) {
    const auto trace = store.FindTrace({}, TraceOf(HashMix(i + 9, ~i) % (spans / 8)), {});
    found += trace->records.spans.size();
  }
  std::printf("trace    %7.2f us CPU (%.1f spans)\n", (CpuSeconds() - before) * 1e6 / kLookups,
              static_cast<double>(found) / kLookups);
  return 0;
}

}  // namespace
}  // namespace throughline

int main(int argc, char** argv) {
  const std::size_t spans = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const std::size_t per_request = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
  return throughline::Run(spans, per_request, argc > 3 ? argv[3] : "/tmp/throughline-store-bench");
}
