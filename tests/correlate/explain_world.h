// A small system whose traces explain is asked about: payment > fraud-check > an API outside,
// behind a shop. What goes wrong in it is set between windows. From one seed.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "correlate/batch.h"

namespace throughline {

class ExplainWorld {
 public:
  explicit ExplainWorld(std::uint64_t seed) : random_(seed) {}

  static constexpr std::uint64_t kMs = 1'000'000;
  static constexpr std::uint64_t kSecond = 1000 * kMs;
  static constexpr std::uint64_t kMinute = 60 * kSecond;
  static constexpr std::uint64_t kStart = 1'750'000'000 * kSecond;

  // What is wrong, from now on.
  double api_ms = 100;            // The call to the API outside.
  double fraud_own_ms = 20;       // fraud-check's own time.
  double error_share = 0;         // Of charges in which payment throws.
  double canary_share = 0.3;      // Of payment's spans that are of version 2.
  bool canary_is_broken = false;  // Version 2 calls an index that is missing, and not fraud-check.

  // Traces of a minute, one of three kinds each.
  void Minute(std::uint64_t minute, int traces) {
    for (int i = 0; i < traces; ++i) {
      Trace(kStart + minute * kMinute + Below(60'000) * kMs);
    }
  }

  std::vector<Batch> batches;

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  double Around(double ms) { return ms * (0.8 + 0.4 * static_cast<double>(Below(1000)) / 1000); }

  std::uint32_t ResourceOf(Batch& batch, const std::string& service, const std::string& version,
                           const std::string& pod) {
    Resource resource;
    resource.service = batch.arena.Copy(service);
    resource.attributes.begin = static_cast<std::uint32_t>(batch.attributes.size());
    for (const auto& [key, value] : std::map<std::string, std::string>{
             {"service.name", service}, {"service.version", version}, {"k8s.pod.name", pod}}) {
      batch.attributes.push_back(MakeStringAttribute(key, value, 1, batch.arena));
    }
    resource.attributes.count = 3;
    batch.resources.push_back(resource);
    return static_cast<std::uint32_t>(batch.resources.size() - 1);
  }

  std::size_t Open(Batch& batch, std::uint32_t resource, const char* name, std::uint32_t kind,
                   std::size_t parent, std::uint64_t start) {
    Span span;
    span.trace_id = trace_;
    span.span_id = {random_() | 1U};
    if (parent != SIZE_MAX) span.parent_span_id = batch.spans[parent].span_id;
    span.start_unix_ns = start;
    span.arrival_unix_ns = kStart;
    span.kind = kind;
    span.resource = resource;
    span.name = name;
    span.identity = random_();
    batch.spans.push_back(span);
    return batch.spans.size() - 1;
  }

  void Say(Batch& batch, std::size_t span, std::uint32_t severity, const std::string& text) {
    LogLine line;
    line.trace_id = trace_;
    line.span_id = batch.spans[span].span_id;
    line.time_unix_ns = batch.spans[span].start_unix_ns;
    line.arrival_unix_ns = kStart;
    line.severity_number = severity;
    line.identity = random_();
    line.body = MakeStringValue(text, batch.arena);
    batch.logs.push_back(line);
  }

  void Trace(std::uint64_t start) {
    Batch& batch = batches.emplace_back();
    trace_ = {random_(), random_()};
    const std::uint32_t shop = ResourceOf(batch, "shop", "1", "shop-0");
    const std::uint64_t kind = Below(3);
    if (kind == 2) {
      const auto root = Open(batch, shop, "GET /", 2, SIZE_MAX, start);
      batch.spans[root].end_unix_ns = start + static_cast<std::uint64_t>(Around(10) * kMs);
      return;
    }
    const bool version_2 = Below(1000) < static_cast<std::uint64_t>(canary_share * 1000);
    const std::uint32_t payment =
        ResourceOf(batch, "payment", version_2 ? "2" : "1", version_2 ? "payment-2" : "payment-1");
    const std::uint32_t fraud =
        ResourceOf(batch, "fraud-check", "1", "fraud-" + std::to_string(Below(2)));
    const auto root =
        Open(batch, shop, kind == 0 ? "POST /buy" : "POST /renew", 2, SIZE_MAX, start);
    const auto call = Open(batch, shop, "POST", 3, root, start + 2 * kMs);
    const auto charge = Open(batch, payment, "POST /charge", 2, call, start + 3 * kMs);
    Say(batch, charge, 9, "charging order " + std::to_string(Below(100'000)));
    std::uint64_t now = start + 5 * kMs;
    if (version_2 && canary_is_broken) {
      const auto query = Open(batch, payment, "SELECT orders_by_card", 3, charge, now);
      now += static_cast<std::uint64_t>(Around(5) * kMs);
      batch.spans[query].end_unix_ns = now;
      batch.spans[query].status_code = 2;
      Say(batch, charge, 17, "index orders_by_card is missing: SearchException");
      Close(batch, {root, call, charge}, now);
      return;
    }
    if (Below(1000) < static_cast<std::uint64_t>(error_share * 1000)) {
      batch.spans[charge].status_code = 2;
      Say(batch, charge, 17, "charge failed: CardException");
      Close(batch, {root, call, charge}, now);
      return;
    }
    const auto check_call = Open(batch, payment, "POST", 3, charge, now);
    const auto check = Open(batch, fraud, "POST /check", 2, check_call, now + kMs);
    now += kMs + static_cast<std::uint64_t>(Around(fraud_own_ms) * kMs);
    const auto outside = Open(batch, fraud, "GET", 3, check, now);
    batch.spans[outside].attributes = {static_cast<std::uint32_t>(batch.attributes.size()), 1};
    batch.attributes.push_back(
        MakeStringAttribute("server.address", "external-api", 1, batch.arena));
    now += static_cast<std::uint64_t>(Around(api_ms) * kMs);
    batch.spans[outside].end_unix_ns = now;
    Close(batch, {root, call, charge, check_call, check}, now);
  }

  void Close(Batch& batch, const std::vector<std::size_t>& spans, std::uint64_t now) {
    for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
      now += kMs;
      batch.spans[*span].end_unix_ns = now;
    }
  }

  std::mt19937_64 random_;
  TraceId trace_;
};

}  // namespace throughline
