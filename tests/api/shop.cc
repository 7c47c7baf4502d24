#include "tests/api/shop.h"

#include <gtest/gtest.h>

namespace throughline::api {
namespace {

using store::Sample;
using store::SampleEvent;
using store::SampleExemplar;
using store::SampleGauge;
using store::SampleLine;
using store::SampleLink;
using store::SampleSpan;
using store::SampleValue;

constexpr std::uint64_t kStart = kArrival - 2 * kMinute;

std::shared_ptr<const Batch> Front() {
  Sample sample;
  sample.From({{"service.name", "front"}, {"service.version", "1.4.0"}, {"host.name", "web-1"}},
              "http.server");
  sample.Add(SampleSpan{.trace = kBuy,
                        .span = {0xf1},
                        .start = kStart,
                        .duration = 400 * kMs,
                        .name = "POST /buy",
                        .kind = 2,
                        .status = 2,
                        .attributes = {{"http.request.method", "POST"},
                                       {"http.response.status_code", 502},
                                       {"cart.value", 12.5},
                                       {"cart.items", SampleValue::Array({"tea", "a \"mug\"\n"})},
                                       {"gift", false}},
                        .status_message = "payment failed",
                        .trace_state = "vendor=1"});
  sample.Add(SampleSpan{.trace = kBuy,
                        .span = {0xf2},
                        .parent = {0xf1},
                        .start = kStart + 50 * kMs,
                        .duration = 300 * kMs,
                        .name = "POST",
                        .kind = 3,
                        .status = 2});
  sample.Add(SampleLine{.trace = kBuy,
                        .span = {0xf1},
                        .time = kStart + 399 * kMs,
                        .body = "buy failed",
                        .severity = 17,
                        .attributes = {{"user", "u-1"}}});
  sample.Add(SampleExemplar{.trace = kBuy,
                            .span = {0xf1},
                            .time = kStart + 400 * kMs,
                            .metric = "http.server.duration",
                            .unit = "s",
                            .value = 0.4,
                            .le = 0.5,
                            .labels = {{"http.route", "/buy"}},
                            .attributes = {{"user", "u-1"}}});
  sample.Add(SampleExemplar{.trace = kNowhere,
                            .span = {0x99},
                            .time = kStart + 401 * kMs,
                            .metric = "http.server.duration",
                            .unit = "s",
                            .value = 3,
                            .labels = {{"http.route", "/buy"}}});
  return sample.Finish();
}

std::shared_ptr<const Batch> Pay() {
  Sample sample;
  sample.From(
      {{"service.name", "pay"}, {"service.version", "2.0.0-rc1"}, {"k8s.pod.name", "pay-7"}},
      "http.server");
  const SampleEvent exception{.name = "exception",
                              .time = kStart + 300 * kMs,
                              .attributes = {{"exception.type", "Timeout"}}};
  sample.Add(SampleSpan{.trace = kBuy,
                        .span = {0xb1},
                        .parent = {0xf2},
                        .start = kStart + 60 * kMs,
                        .duration = 280 * kMs,
                        .name = "POST /charge",
                        .kind = 2,
                        .status = 2,
                        .events = {exception},
                        .links = {SampleLink{kOnlyLines, {7}, {{"why", "retry of"}}},
                                  SampleLink{kNowhere, {8}}, SampleLink{kBuy, {0xf1}}}});
  sample.Add(SampleSpan{.trace = kBuy,
                        .span = {0xb2},
                        .parent = {0xb1},
                        .start = kStart + 80 * kMs,
                        .duration = 220 * kMs,
                        .name = "call bank",
                        .kind = 1});
  sample.Add(SampleLine{.trace = kBuy,
                        .time = kStart + 290 * kMs,
                        .body = "bank is slow",
                        .severity = 13,
                        .found_by = FoundBy::kKey});
  sample.Add(SampleLine{.trace = kBuy,
                        .time = kStart + 291 * kMs,
                        .body = "nobody's line",
                        .found_by = FoundBy::kKey,
                        .related = {{kNowhere, {}}},
                        .service = std::string()});
  sample.Add(
      SampleGauge{.time = kStart, .metric = "k8s.pod.cpu.usage", .unit = "{cpu}", .value = 0.25});
  sample.Add(SampleGauge{.time = kStart + 30'000 * kMs,
                         .metric = "container_cpu_usage_seconds_total",
                         .type = MetricType::kSum,
                         .value = 81234.5,
                         .labels = {{"cpu", "total"}}});
  return sample.Finish();
}

std::shared_ptr<const Batch> Others() {
  Sample sample;
  sample.From({{"service.name", "mail"}});
  sample.Add(SampleSpan{.trace = kBuy,
                        .span = {0xa1},
                        .parent = {0xb1},
                        .start = kStart + 330 * kMs,
                        .duration = 5'000 * kMs,
                        .name = "mail.send",
                        .kind = 5,
                        .status = 1});
  sample.Add(SampleSpan{.trace = kShort,
                        .span = {0xc2},
                        .parent = {0xc1},
                        .start = kStart + kMs,
                        .duration = 3 * kMs,
                        .name = "orphan",
                        .kind = 9,
                        .status = 7});
  sample.From({{"service.name", "twin"}});
  sample.Add(SampleSpan{.trace = kTwinA, .span = {1}, .start = kStart, .name = "one"});
  sample.Add(SampleSpan{.trace = kTwinB, .span = {1}, .start = kStart, .name = "other"});
  sample.From({{"k8s.pod.name", "twin-0"}});
  sample.Add(SampleGauge{.time = 7, .metric = "k8s.pod.cpu.usage", .value = 3});
  sample.From({});
  sample.Add(SampleLine{.trace = kOnlyLines, .time = kStart, .body = "waiting for spans"});
  return sample.Finish();
}

}  // namespace

Batches ShopBatches() { return {Front(), Pay(), Others()}; }

Shop::Shop(const Batches& batches) : store(store::MemoryStore::Options()) {
  std::vector<Appending> appendings;
  for (const auto& batch : batches) {
    appendings.push_back(
        {.tenant = std::string(kDefaultTenant), .batch = batch, .arrival_unix_ns = kArrival});
  }
  const auto appended = store.Append(appendings);
  EXPECT_TRUE(appended.has_value());
  settings.backends = {{"logs", "loki", "http://loki:3100/"},
                       {"traces", "tempo", "http://tempo:3200"},
                       {"ui", "jaeger", "http://jaeger:16686"},
                       {"search", "elasticsearch", "http://es:9200"},
                       {"warehouse", "sql", ""},
                       {"boards", "grafana", "http://grafana:3000"}};
}

Request MakeRequest(std::string_view query, std::string_view capture) {
  Request request;
  request.method = "GET";
  request.base_url = "http://127.0.0.1:4380";
  if (!capture.empty()) request.captures.emplace_back(capture);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.size(), pair.find('='));
    const std::size_t value = std::min(pair.size(), equals + 1);
    request.query.emplace_back(pair.substr(0, equals), pair.substr(value));
  }
  return request;
}

Response Shop::Get(Handler handler, std::string_view query, std::string_view capture) const {
  return Call(handler, MakeRequest(query, capture));
}

Response Shop::Post(Handler handler, std::string_view body) const {
  Request request = MakeRequest({}, {});
  request.method = "POST";
  request.body = Body::Of(body);
  return Call(handler, request);
}

Response Shop::Call(Handler handler, const Request& request) const {
  return handler(request, {.store = store, .settings = settings, .now_unix_ns = now_unix_ns});
}

}  // namespace throughline::api
