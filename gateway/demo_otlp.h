// The demo's records as request bodies: OTLP/JSON, and lines for POST /api/v1/logs.
// Source: OTLP 1.x, "JSON Protobuf Encoding".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "gateway/demo_shop.h"

namespace throughline::gateway {

class OtlpJson;

std::string TracesBody(std::span<const DemoTrace> traces);

// The lines of checkout, payment-service, fraud-check and shipping, whose SDK exports OTLP.
std::string OtlpLogsBody(std::span<const DemoTrace> traces);

// The lines of storefront and cart as JSON, of catalogue as text: what a shipper reads from files.
std::string LinesBody(std::span<const DemoTrace> traces);

// True for services whose lines go over OTLP.
bool LogsOverOtlp(ShopService service);

// Cumulative metrics with exemplars: the histogram http.server.request.duration of every service,
// and the counter shop.orders of checkout. A bucket keeps the newest exemplar until it is exported.
class ShopMetrics {
 public:
  explicit ShopMetrics(std::uint64_t start_unix_ns) : start_unix_ns_(start_unix_ns) {}

  void Add(const DemoTrace& trace);
  // An export; afterwards there are no exemplars until new ones come.
  std::string Export(std::uint64_t now_unix_ns);
  std::uint64_t exported_exemplars() const { return exported_exemplars_; }

  static constexpr std::size_t kBuckets = 15;

 private:
  struct DemoExemplar {
    TraceId trace_id;  // Invalid: none.
    SpanId span_id;
    double value = 0;
    std::uint64_t time_unix_ns = 0;
    DemoAttributes attributes;
  };
  struct SeriesKey {
    ShopService service;
    std::string route;
    std::int64_t status;
    auto operator<=>(const SeriesKey&) const = default;
  };
  struct Histogram {
    std::array<std::uint64_t, kBuckets> counts{};
    std::array<DemoExemplar, kBuckets> exemplars{};
    std::uint64_t count = 0;
    double sum = 0;
  };
  struct OrderKey {
    ShopService service;
    std::string outcome;
    auto operator<=>(const OrderKey&) const = default;
  };
  struct Orders {
    std::uint64_t count = 0;
    DemoExemplar exemplar;
  };

  void ExportDurations(ShopService service, std::uint64_t now_unix_ns, OtlpJson& json);
  void ExportOrders(ShopService service, std::uint64_t now_unix_ns, OtlpJson& json);
  void ExportExemplar(DemoExemplar& exemplar, OtlpJson& json);

  std::uint64_t start_unix_ns_;
  std::uint64_t exported_exemplars_ = 0;
  std::map<SeriesKey, Histogram> durations_;
  std::map<OrderKey, Orders> orders_;
};

}  // namespace throughline::gateway
