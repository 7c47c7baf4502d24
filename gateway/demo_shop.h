// The shop of the demo: which spans and log lines a visit makes. Pure and deterministic.
//
//   storefront ─┬─> catalogue                     browse
//               ├─> cart ──> catalogue            put something into the cart
//               └─> checkout ─┬─> cart            order
//                             ├─> catalogue       (the canary of checkout asks once per item, and
//                             │                    a search index that is missing)
//                             ├─> payment-service ──> fraud-check ──> external-api, outside
//                             └─> shipping
//
// In an incident external-api takes 1.4 s, so that fraud-check takes 1.5 s and payment-service 1.8
// s.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "correlate/trace_id.h"

namespace throughline::gateway {

enum class ShopService : std::uint8_t {
  kStorefront,
  kCatalogue,
  kCart,
  kCheckout,
  kCheckoutCanary,
  kPayment,
  kFraudCheck,
  kShipping,
};
inline constexpr std::size_t kShopServices = 8;  // With the canary, which is a second checkout.

struct ServiceFacts {
  std::string_view name;
  std::string_view version;
  std::string_view pod;
  std::string_view host;
};
const ServiceFacts& FactsOf(ShopService service);

using DemoValue = std::variant<std::string, std::int64_t>;
using DemoAttributes = std::vector<std::pair<std::string, DemoValue>>;

struct DemoSpan {
  ShopService service = ShopService::kStorefront;
  SpanId span_id;
  SpanId parent_span_id;
  std::string name;
  std::uint32_t kind = 1;  // OTLP's.
  std::uint64_t start_unix_ns = 0;
  std::uint64_t end_unix_ns = 0;
  std::string error;  // Empty: none.
  std::string route;  // Of a server span of HTTP; its duration goes into the histogram.
  std::int64_t http_status = 0;
  DemoAttributes attributes;
};

struct DemoLine {
  ShopService service = ShopService::kStorefront;
  SpanId span_id;
  std::uint64_t time_unix_ns = 0;
  std::uint32_t severity_number = 9;  // OTLP's: 9 info, 13 warn, 17 error.
  std::string text;
  DemoAttributes attributes;
};

struct DemoTrace {
  TraceId trace_id;
  std::vector<DemoSpan> spans;  // The root first.
  std::vector<DemoLine> lines;  // In time order.
  bool is_order = false;
  bool failed = false;
};

class Shop {
 public:
  explicit Shop(std::uint64_t seed) : seed_(seed) {}

  // The next visit, which ends at `end_unix_ns`. The same seed gives the same visits, shifted in
  // time.
  DemoTrace Next(std::uint64_t end_unix_ns, bool is_incident);

 private:
  std::uint64_t seed_;
  std::uint64_t count_ = 0;
};

}  // namespace throughline::gateway
