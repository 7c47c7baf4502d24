#include "gateway/demo_shop.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "correlate/hash.h"

namespace throughline::gateway {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

constexpr std::uint64_t kApiTimeoutMs = 3'000;
constexpr std::uint64_t kIncidentApiMs = 1'400;
constexpr double kUsualSpread = 0.35;   // Of work's times: sigma of their logarithm.
constexpr double kSteadySpread = 0.02;  // Of work that always takes as long.

// splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  std::uint64_t Below(std::uint64_t bound) { return Next() % bound; }
  double Unit() { return static_cast<double>(Next() >> 11U) * 0x1.0p-53; }
  bool Chance(double probability) { return Unit() < probability; }

 private:
  std::uint64_t state_;
};

// Builds one trace along a cursor in time; what a service does moves the cursor.
class Visit {
 public:
  Visit(std::uint64_t seed, std::uint64_t count, bool is_incident)
      : random_(HashMix(seed ^ 0xa0761d6478bd642fULL, count + 0xe7037ed1a0b428dbULL)),
        is_incident_(is_incident) {
    trace_.trace_id = {random_.Next() | 1U, random_.Next() | 1U};
    user_ = "u-" + std::to_string(1000 + random_.Below(500));
    product_ = "P" + std::to_string(100 + random_.Below(60));
  }

  DemoTrace Build(std::uint64_t end_unix_ns) {
    const double dice = random_.Unit();
    if (dice < 0.22) {
      Order();
    } else if (dice < 0.48) {
      PutIntoCart();
    } else {
      Browse();
    }
    const std::uint64_t start = end_unix_ns > now_ns_ ? end_unix_ns - now_ns_ : 0;
    for (DemoSpan& span : trace_.spans) {
      span.start_unix_ns += start;
      span.end_unix_ns += start;
    }
    for (DemoLine& line : trace_.lines) line.time_unix_ns += start;
    return std::move(trace_);
  }

 private:
  // Spans are named by their index, because the vector moves.
  using Index = std::size_t;
  static constexpr Index kNoParent = SIZE_MAX;

  Index Open(ShopService service, std::string name, std::uint32_t kind, Index parent) {
    DemoSpan span;
    span.service = service;
    span.span_id = {random_.Next() | 1U};
    if (parent != kNoParent) span.parent_span_id = trace_.spans[parent].span_id;
    span.name = std::move(name);
    span.kind = kind;
    span.start_unix_ns = now_ns_;
    trace_.spans.push_back(std::move(span));
    return trace_.spans.size() - 1;
  }

  void Close(Index index) { trace_.spans[index].end_unix_ns = now_ns_; }

  // Work of about `ms`, with the long tail that real work has.
  void Spend(double ms, double spread = kUsualSpread) {
    const double normal = std::sqrt(-2 * std::log(std::max(random_.Unit(), 1e-12))) *
                          std::cos(6.283185307179586 * random_.Unit());
    now_ns_ +=
        static_cast<std::uint64_t>(ms * std::exp(spread * normal) * static_cast<double>(kMs));
  }

  void Tag(Index index, std::string key, DemoValue value) {
    trace_.spans[index].attributes.emplace_back(std::move(key), std::move(value));
  }

  void Say(Index index, std::uint32_t severity, std::string text, DemoAttributes attributes = {}) {
    trace_.lines.push_back({.service = trace_.spans[index].service,
                            .span_id = trace_.spans[index].span_id,
                            .time_unix_ns = now_ns_,
                            .severity_number = severity,
                            .text = std::move(text),
                            .attributes = std::move(attributes)});
  }

  // A server span of HTTP under a client span of the caller (none for the first).
  struct Call {
    Index client = kNoParent;
    Index server = kNoParent;
  };

  Call Request(Index caller, ShopService to, const std::string& method, const std::string& route) {
    Call call;
    if (caller != kNoParent) {
      call.client = Open(trace_.spans[caller].service, method, 3, caller);
      Tag(call.client, "http.request.method", method);
      Tag(call.client, "server.address", std::string(FactsOf(to).name));
      Spend(0.3);
    }
    call.server = Open(to, method + " " + route, 2, call.client);
    trace_.spans[call.server].route = route;
    Tag(call.server, "http.request.method", method);
    Tag(call.server, "http.route", route);
    return call;
  }

  void Answer(const Call& call, std::int64_t status, const std::string& error) {
    const auto finish = [&](Index index) {
      trace_.spans[index].http_status = status;
      Tag(index, "http.response.status_code", status);
      if (status >= 500) trace_.spans[index].error = error;
      Close(index);
    };
    finish(call.server);
    if (call.client == kNoParent) return;
    Spend(0.2);
    finish(call.client);
  }

  void Query(Index caller, const std::string& system, const std::string& statement, double ms) {
    const Index span = Open(trace_.spans[caller].service, statement, 3, caller);
    Tag(span, "db.system", system);
    Tag(span, "db.query.text", statement);
    Spend(ms);
    Close(span);
  }

  void AskCatalogue(Index caller, const std::string& route, std::int64_t products) {
    const Call call = Request(caller, ShopService::kCatalogue, "GET", route);
    Query(call.server, "postgresql", "SELECT price FROM product WHERE id = ANY($1)", 2.5);
    Say(call.server, 9, std::to_string(products) + " price(s) read for " + user_);
    Spend(0.8);
    Answer(call, 200, "");
  }

  Call OpenStorefront(const std::string& method, const std::string& route) {
    const Call call = Request(kNoParent, ShopService::kStorefront, method, route);
    Tag(call.server, "user.id", user_);
    Spend(1.5);
    return call;
  }

  void CloseStorefront(const Call& call, std::int64_t status, const std::string& error) {
    Spend(1);
    const DemoSpan& span = trace_.spans[call.server];
    const std::uint64_t took_ms = (now_ns_ - span.start_unix_ns) / kMs;
    const std::uint32_t severity = status >= 500 ? 17 : took_ms > 1'000 ? 13 : 9;
    Say(call.server, severity,
        span.name + " " + std::to_string(status) + " in " + std::to_string(took_ms) + " ms",
        {{"user", user_}, {"status", status}});
    Answer(call, status, error);
    trace_.failed = status >= 500;
  }

  void Browse() {
    const Call visit = OpenStorefront("GET", "/products/{id}");
    Tag(visit.server, "product.id", product_);
    AskCatalogue(visit.server, "/catalogue/{id}", 1);
    if (random_.Chance(0.03)) {
      Say(visit.server, 13, "product " + product_ + " is not on sale any more");
      CloseStorefront(visit, 404, "");
      return;
    }
    CloseStorefront(visit, 200, "");
  }

  void PutIntoCart() {
    const Call visit = OpenStorefront("POST", "/cart");
    const Call cart = Request(visit.server, ShopService::kCart, "POST", "/carts/{user}/items");
    Tag(cart.server, "product.id", product_);
    AskCatalogue(cart.server, "/catalogue/{id}", 1);
    Query(cart.server, "redis", "HSET", 0.6);
    Say(cart.server, 9, "added " + product_ + " to the cart of " + user_,
        {{"product", product_}, {"user", user_}});
    Answer(cart, 201, "");
    CloseStorefront(visit, 201, "");
  }

  void Order() {
    trace_.is_order = true;
    const bool canary = random_.Chance(0.125);
    const auto items = static_cast<std::int64_t>(1 + random_.Below(5));
    const Call visit = OpenStorefront("POST", "/checkout");
    const Call checkout =
        Request(visit.server, canary ? ShopService::kCheckoutCanary : ShopService::kCheckout,
                "POST", "/orders");
    order_ = "o-" + std::to_string(10'000 + random_.Below(90'000));
    Tag(checkout.server, "order.id", order_);
    Tag(checkout.server, "order.items", items);
    Say(checkout.server, 9,
        "order " + order_ + " of " + user_ + " with " + std::to_string(items) + " item(s)",
        {{"order.id", order_}});
    ReadCart(checkout.server);
    if (canary) {
      for (std::int64_t i = 0; i < items; ++i) AskCatalogue(checkout.server, "/catalogue/{id}", 1);
    } else {
      AskCatalogue(checkout.server, "/catalogue/prices", items);
    }
    if (canary) {
      AskMissingIndex(checkout.server);
      if (items >= kLargeOrder) {
        FailOrder(checkout, "how much the customer may order is not known");
        CloseStorefront(visit, 500, "checkout answered 500");
        return;
      }
    }
    const std::int64_t paid = Pay(checkout.server, items);
    if (paid == 200) Ship(checkout.server);
    if (paid >= 500) {
      FailOrder(checkout, "payment of order " + order_ + " failed");
      CloseStorefront(visit, 500, "checkout answered 500");
      return;
    }
    Spend(1);
    Answer(checkout, paid == 200 ? 201 : paid, "");
    CloseStorefront(visit, paid == 200 ? 201 : paid, "");
  }

  // What the canary was shipped without: small orders do not need it.
  void AskMissingIndex(Index caller) {
    const Index span = Open(trace_.spans[caller].service, "search orders_by_customer", 3, caller);
    Tag(span, "db.system", std::string("elasticsearch"));
    Tag(span, "http.response.status_code", std::int64_t{404});
    Spend(4);
    const std::string why = "index orders_by_customer is missing: SearchException";
    trace_.spans[span].error = why;
    Close(span);
    Say(caller, 17, why, {{"order.id", order_}});
  }

  void FailOrder(const Call& checkout, const std::string& why) {
    Say(checkout.server, 17, "order " + order_ + " given up: " + why, {{"order.id", order_}});
    Answer(checkout, 500, why);
  }

  void ReadCart(Index caller) {
    const Call cart = Request(caller, ShopService::kCart, "GET", "/carts/{user}");
    Query(cart.server, "redis", "HGETALL", 0.7);
    Answer(cart, 200, "");
  }

  // The status of the payment: 200, 402 (declined, the customer's trouble) or 504.
  std::int64_t Pay(Index caller, std::int64_t items) {
    const Call payment = Request(caller, ShopService::kPayment, "POST", "/charges");
    Tag(payment.server, "order.id", order_);
    Tag(payment.server, "payment.amount_cents", items * 1'299);
    Spend(170, kSteadySpread);
    const std::uint64_t began_ns = now_ns_;
    std::int64_t status = CheckFraud(payment.server);
    const std::uint64_t took_ms = (now_ns_ - began_ns) / kMs;
    if (status == 200 && random_.Chance(0.04)) status = 402;
    Spend(110, kSteadySpread);
    SayPaid(payment.server, status, took_ms);
    Answer(payment, status, "fraud-check answered 504");
    return status;
  }

  // 200, or 504 where the API outside does not answer.
  std::int64_t CheckFraud(Index caller) {
    const Call check = Request(caller, ShopService::kFraudCheck, "POST", "/checks");
    Tag(check.server, "order.id", order_);
    Spend(60, kSteadySpread);
    const Index external = Open(ShopService::kFraudCheck, "POST", 3, check.server);
    Tag(external, "http.request.method", std::string("POST"));
    Tag(external, "server.address", std::string("external-api"));
    Tag(external, "url.full", std::string("https://external-api/v2/scores"));
    const std::uint64_t took_ms = WaitForApi();
    const std::int64_t status = took_ms < kApiTimeoutMs ? 200 : 504;
    Tag(external, "http.response.status_code", status);
    const std::string why = "external-api did not answer in " + std::to_string(took_ms) + " ms";
    if (status == 504) trace_.spans[external].error = why;
    Close(external);
    if (status == 504) {
      Say(check.server, 17, "no score for " + order_ + ": " + why);
    } else if (took_ms > 1'000) {
      Say(check.server, 13,
          "external-api was slow: " + std::to_string(took_ms) + " ms for " + order_);
    } else {
      Say(check.server, 9, "score of " + order_ + " is " + std::to_string(random_.Below(40)));
    }
    Spend(35, kSteadySpread);
    Answer(check, status, why);
    return status;
  }

  // Returns milliseconds.
  std::uint64_t WaitForApi() {
    const std::uint64_t began_ns = now_ns_;
    if (random_.Chance(0.01)) {
      now_ns_ += kApiTimeoutMs * kMs;
    } else if (is_incident_) {
      now_ns_ += (kIncidentApiMs + random_.Below(20)) * kMs;
    } else {
      Spend(45);
    }
    return (now_ns_ - began_ns) / kMs;
  }

  void SayPaid(Index server, std::int64_t status, std::uint64_t took_ms) {
    const DemoAttributes about{{"order.id", order_},
                               {"took_ms", static_cast<std::int64_t>(took_ms)}};
    if (status == 504) {
      Say(server, 17, "charge for " + order_ + " failed: fraud-check answered 504", about);
    } else if (status == 402) {
      Say(server, 13, "charge for " + order_ + " declined by the bank", about);
    } else if (took_ms > 1'000) {
      Say(server, 13, "fraud-check was slow: " + std::to_string(took_ms) + " ms for " + order_,
          about);
    } else {
      Say(server, 9, "charged " + order_, about);
    }
  }

  void Ship(Index caller) {
    const Call shipping = Request(caller, ShopService::kShipping, "POST", "/shipments");
    Query(shipping.server, "postgresql", "INSERT INTO shipment VALUES ($1, $2)", 4);
    Say(shipping.server, 9, "shipment for " + order_ + " is planned", {{"order.id", order_}});
    Answer(shipping, 201, "");
  }

  static constexpr std::int64_t kLargeOrder = 4;  // Items.

  Random random_;
  const bool is_incident_;
  std::uint64_t now_ns_ = 0;
  DemoTrace trace_;
  std::string user_;
  std::string product_;
  std::string order_;
};

constexpr std::array<ServiceFacts, kShopServices> kFacts{{
    {"storefront", "5.12.0", "storefront-6c9f-1", "shop-node-1"},
    {"catalogue", "3.4.2", "catalogue-58d7-1", "shop-node-2"},
    {"cart", "1.9.0", "cart-77b4-1", "shop-node-2"},
    {"checkout", "2.3.1", "checkout-9f5c-1", "shop-node-3"},
    {"checkout", "2.4.0-canary", "checkout-canary-4d2e-1", "shop-node-1"},
    {"payment-service", "4.0.3", "payment-service-6b8a-1", "shop-node-3"},
    {"fraud-check", "0.9.4", "fraud-check-2a1c-1", "shop-node-2"},
    {"shipping", "1.2.7", "shipping-5e3f-1", "shop-node-1"},
}};

}  // namespace

const ServiceFacts& FactsOf(ShopService service) {
  return kFacts[static_cast<std::size_t>(service)];
}

DemoTrace Shop::Next(std::uint64_t end_unix_ns, bool is_incident) {
  return Visit(seed_, count_++, is_incident).Build(end_unix_ns);
}

}  // namespace throughline::gateway
