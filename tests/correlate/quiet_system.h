// A system in which nothing goes wrong, with all the unrest that healthy systems have. From one
// seed; its figures are what is usual in such systems, and know nothing of what is to be tested
// with them.
//
//   services       6 to 14, of 1 to 3 pods; each answers 1 to 3 operations, which call further ones
//   own times      lognormal: medians log-uniform from 1 to 30 ms, sigma 0.3 to 0.8; one in 50 to
//   200
//                  is of a long tail (collection of garbage, a lock, a packet sent again): Pareto,
//                  3 to 100 times the median with an exponent of 1.5
//   calls          always, or (a cache, a feature) with a chance of 0.1 to 0.9, or rarely (0.02)
//   load           Poisson around 60 to 150 traces a minute, times a wave of 24 hours and a
//   lognormal
//                  of 0.15 that wanders from minute to minute; own times grow with a fifth of it
//   kinds          4 to 8 kinds of request, whose shares follow the time of day, each with its own
//                  phase, and wander; one is a batch that comes every ten minutes
//   errors         every operation fails in 0.05 to 2 % of its runs, one of the system in 3 to 6 %:
//   a
//                  status, an exception, a line; half of them end what the operation was about
//   lines          up to 3 patterns an operation, on every run or on one in 3, 20 or 200; a fifth
//   of the
//                  services writes none
//   clocks         each pod's off by a normal 3 ms, each reading by 0.2 ms
//   deploys        two services become a new version, with new pods, at some time; nothing else
//   changes
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "correlate/batch.h"

namespace throughline {

class QuietSystem {
 public:
  static constexpr std::uint64_t kMs = 1'000'000;
  static constexpr std::uint64_t kMinute = 60'000 * kMs;
  static constexpr std::uint64_t kStart = 1'750'000'000'000 * kMs;
  static constexpr std::uint64_t kMinutes = 40;  // Deploys are somewhere in these.

  explicit QuietSystem(std::uint64_t seed) : random_(seed) {
    const std::size_t services = 6 + Below(9);
    for (std::size_t i = 0; i < services; ++i) AddService(i);
    for (std::size_t i = 0; i < services; ++i) AddOperations(i);
    for (Operation& operation : operations_) AddCalls(operation);
    Pick(operations_).error_chance = Between(0.03, 0.06);
    for (int i = 0; i < 2; ++i) Pick(services_).deploy_minute = Below(kMinutes);
    const std::size_t kinds = 4 + Below(5);
    for (std::size_t i = 0; i < kinds; ++i) {
      kinds_.push_back({.root = AddRoot(i),
                        .weight = std::exp(Normal(0, 0.7)),
                        .phase = Between(0, 6.28),
                        .wander = 0});
    }
    traces_a_minute_ = Between(60, 150);
    hour_ = Between(0, 24);
  }

  // What breaks, from now on: own times of this service are so many times as long.
  std::size_t slow_service = SIZE_MAX;
  double slow_times = 1;
  // This one fails in so many of its runs.
  std::size_t failing_service = SIZE_MAX;
  double failing_share = 0;

  const std::string& NameOf(std::size_t service) const { return services_[service].name; }
  // But for the edge, the one that spent the most time of its own so far.
  std::size_t BusiestService() const {
    std::size_t busiest = 1;
    for (std::size_t i = 1; i < services_.size(); ++i) {
      if (services_[i].own_ms > services_[busiest].own_ms) busiest = i;
    }
    return busiest;
  }

  // The traces that begin in this minute. Minutes are asked for in their order.
  Batch Minute(std::uint64_t minute) {
    Batch batch;
    resources_.clear();
    minute_ = minute;
    Wander(load_, 0.15);
    for (Service& service : services_) Wander(service.wander, 0.1);
    for (Kind& kind : kinds_) Wander(kind.wander, 0.2);
    const double day = (hour_ + static_cast<double>(minute) / 60) / 24 * 6.283;
    busy_ = (1 + 0.4 * std::sin(day)) * std::exp(load_);
    std::vector<double> weights;
    for (const Kind& kind : kinds_) {
      weights.push_back(kind.weight * (1 + 0.6 * std::sin(day + kind.phase)) *
                        std::exp(kind.wander));
    }
    std::discrete_distribution<std::size_t> next(weights.begin(), weights.end());
    const auto traces = std::poisson_distribution<int>(traces_a_minute_ * busy_)(random_);
    for (int i = 0; i < traces; ++i) Trace(batch, kinds_[next(random_)].root);
    for (int i = 0; minute % 10 == 7 && i < 15; ++i) Trace(batch, kinds_.front().root);
    return batch;
  }

 private:
  static constexpr std::size_t kMostSpans = 60;  // Of a trace.

  struct Service {
    std::string name;
    std::size_t pods = 1;
    std::array<double, 3> clock_ms{};
    bool writes_lines = true;
    std::uint64_t deploy_minute = UINT64_MAX;
    double wander = 0;  // Of the logarithm of its own times.
    double own_ms = 0;  // In all, so far.
  };
  struct Call {
    std::size_t operation = 0;
    double chance = 1;
  };
  struct Pattern {
    std::string text;
    std::uint32_t severity = 9;
    double chance = 1;
  };
  struct Operation {
    std::size_t service = 0;
    std::string name;
    double own_ms = 1, sigma = 0.5, tail_chance = 0.01, error_chance = 0.001;
    bool ends_at_error = false;
    std::vector<Call> calls;
    std::vector<Pattern> lines;
  };
  struct Kind {
    std::size_t root = 0;
    double weight = 1, phase = 0, wander = 0;
  };

  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  double Between(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  double LogBetween(double low, double high) {
    return std::exp(Between(std::log(low), std::log(high)));
  }
  double Normal(double mean, double sigma) {
    return std::normal_distribution<double>(mean, sigma)(random_);
  }
  bool Chance(double chance) { return Between(0, 1) < chance; }
  template <typename T>
  T& Pick(std::vector<T>& items) {
    return items[Below(items.size())];
  }
  // Comes back to 0, and has `sigma` in the long run.
  void Wander(double& value, double sigma) { value = 0.8 * value + Normal(0, 0.6 * sigma); }

  void AddService(std::size_t index) {
    Service service;
    service.name = (index == 0 ? "edge-" : "service-") + std::to_string(index);
    service.pods = 1 + Below(3);
    for (double& offset : service.clock_ms) offset = Normal(0, 3);
    service.writes_lines = !Chance(0.2);
    services_.push_back(service);
  }

  Operation NewOperation(std::size_t service, const std::string& name) {
    Operation operation;
    operation.service = service;
    operation.name = name;
    operation.own_ms = LogBetween(1, 30);
    operation.sigma = Between(0.3, 0.8);
    operation.tail_chance = Between(0.005, 0.02);
    operation.error_chance = LogBetween(0.0005, 0.02);
    operation.ends_at_error = Chance(0.5);
    const std::size_t patterns = services_[service].writes_lines ? Below(4) : 0;
    for (std::size_t i = 0; i < patterns; ++i) {
      constexpr std::array<double, 4> kChances{1, 0.33, 0.05, 0.005};
      static const std::vector<std::string> kWords = {"read",   "stored", "found", "asked for",
                                                      "waited", "cached", "sent",  "dropped"};
      operation.lines.push_back({kWords[Below(kWords.size())] + " " + std::string(1, "abcdef"[i]) +
                                     " of " + name + " item ",
                                 Chance(0.1) ? 13U : 9U, kChances[Below(kChances.size())]});
    }
    return operation;
  }

  void AddOperations(std::size_t service) {
    if (service == 0) return;  // The edge has one for each kind of request.
    const std::size_t count = 1 + Below(3);
    for (std::size_t i = 0; i < count; ++i) {
      operations_.push_back(
          NewOperation(service, "Op" + std::to_string(service) + std::string(1, "xyz"[i])));
    }
  }

  // Of services further down; and a data base of its own.
  void AddCalls(Operation& operation) {
    std::vector<std::size_t> further;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (operations_[i].service > operation.service) further.push_back(i);
    }
    const std::size_t count = further.empty() ? 0 : Below(4);
    for (std::size_t i = 0; i < count; ++i) {
      const double dice = Between(0, 1);
      const double chance = dice < 0.6 ? 1 : dice < 0.9 ? Between(0.1, 0.9) : 0.02;
      operation.calls.push_back({Pick(further), chance});
    }
  }

  std::size_t AddRoot(std::size_t kind) {
    Operation root = NewOperation(0, "GET /kind" + std::string(1, "abcdefgh"[kind]));
    AddCalls(root);
    if (root.calls.empty()) root.calls.push_back({Below(operations_.size()), 1});
    operations_.push_back(root);
    return operations_.size() - 1;
  }

  double OwnMs(const Operation& operation) {
    double ms =
        operation.own_ms * std::exp(Normal(services_[operation.service].wander, operation.sigma));
    if (Chance(operation.tail_chance)) {
      ms = operation.own_ms * std::min(100.0, 3 / std::pow(Between(0.001, 1), 1 / 1.5));
    }
    if (operation.service == slow_service) ms *= slow_times;
    return ms * (1 + 0.2 * (busy_ - 1));
  }

  std::uint32_t ResourceOf(Batch& batch, std::size_t index, std::size_t pod) {
    const auto [at, added] = resources_.try_emplace({index, pod}, batch.resources.size());
    if (!added) return at->second;
    const Service& service = services_[index];
    const bool is_new = minute_ >= service.deploy_minute;
    Resource resource;
    resource.service = batch.arena.Copy(service.name);
    resource.attributes = {static_cast<std::uint32_t>(batch.attributes.size()), 3};
    const std::array<std::pair<const char*, std::string>, 3> attributes{
        {{"service.name", service.name},
         {"service.version", is_new ? "1.1" : "1.0"},
         {"k8s.pod.name", service.name + (is_new ? "-new-" : "-old-") + std::to_string(pod)}}};
    for (const auto& [key, value] : attributes) {
      batch.attributes.push_back(MakeStringAttribute(key, value, 1, batch.arena));
    }
    batch.resources.push_back(resource);
    return at->second;
  }

  // Appends a span; `now_ms` is true time, what is written is what the pod's clock says.
  std::size_t Open(Batch& batch, std::size_t service, std::size_t pod, const std::string& name,
                   std::uint32_t kind, std::size_t parent, double now_ms) {
    Span span;
    span.trace_id = trace_;
    span.span_id = {random_() | 1U};
    if (parent != SIZE_MAX) span.parent_span_id = batch.spans[parent].span_id;
    span.start_unix_ns = Clock(service, pod, now_ms);
    span.arrival_unix_ns = kStart;
    span.kind = kind;
    span.resource = ResourceOf(batch, service, pod);
    span.name = batch.arena.Copy(name);
    span.identity = random_();
    batch.spans.push_back(span);
    return batch.spans.size() - 1;
  }

  std::uint64_t Clock(std::size_t service, std::size_t pod, double now_ms) {
    const double ms = now_ms + services_[service].clock_ms[pod] + Normal(0, 0.2);
    return static_cast<std::uint64_t>(std::max(ms, 0.0) * static_cast<double>(kMs)) + kStart;
  }

  void Say(Batch& batch, std::size_t span, std::uint32_t severity, const std::string& text) {
    LogLine line;
    line.trace_id = trace_;
    line.span_id = batch.spans[span].span_id;
    line.time_unix_ns = batch.spans[span].start_unix_ns;
    line.arrival_unix_ns = kStart;
    line.service = batch.ServiceOf(batch.spans[span]);
    line.severity_number = severity;
    line.identity = random_();
    line.body = MakeStringValue(text, batch.arena);
    batch.logs.push_back(line);
  }

  void Fail(Batch& batch, std::size_t span, const Operation& operation) {
    batch.spans[span].status_code = 2;
    SpanEvent event;
    event.time_unix_ns = batch.spans[span].start_unix_ns;
    event.name = "exception";
    event.attributes = {static_cast<std::uint32_t>(batch.attributes.size()), 1};
    const std::string type = operation.name + "Exception";
    batch.attributes.push_back(MakeStringAttribute("exception.type", type, 1, batch.arena));
    batch.spans[span].events = {static_cast<std::uint32_t>(batch.events.size()), 1};
    batch.events.push_back(event);
    if (!services_[operation.service].writes_lines) return;
    Say(batch, span, 17,
        operation.name + " failed for " + std::to_string(Below(100'000)) + ": " + type);
  }

  // Returns when it is done.
  double Run(Batch& batch, std::size_t index, std::size_t parent, double now_ms) {
    const Operation& operation = operations_[index];
    const std::size_t pod = Below(services_[operation.service].pods);
    const std::size_t span = Open(batch, operation.service, pod, operation.name, 2, parent, now_ms);
    const double own_ms = OwnMs(operation);
    services_[operation.service].own_ms += own_ms;
    now_ms += own_ms / 2;
    for (const Pattern& line : operation.lines) {
      if (Chance(line.chance)) {
        Say(batch, span, line.severity, line.text + std::to_string(Below(100'000)));
      }
    }
    const bool fails =
        Chance(operation.service == failing_service ? failing_share : operation.error_chance);
    if (fails) Fail(batch, span, operation);
    for (const Call& call : operation.calls) {
      if (fails && operation.ends_at_error) break;
      if (batch.spans.size() - first_ >= kMostSpans || !Chance(call.chance)) continue;
      const std::size_t client = Open(batch, operation.service, pod, "call", 3, span, now_ms);
      now_ms = Run(batch, call.operation, client, now_ms + Network()) + Network();
      batch.spans[client].end_unix_ns = Clock(operation.service, pod, now_ms);
    }
    now_ms += own_ms / 2;
    batch.spans[span].end_unix_ns =
        std::max(Clock(operation.service, pod, now_ms), batch.spans[span].start_unix_ns);
    return now_ms;
  }
  double Network() { return 0.3 * std::exp(Normal(0, 0.5)); }

  void Trace(Batch& batch, std::size_t root) {
    trace_ = {random_(), random_()};
    first_ = batch.spans.size();
    Run(batch, root, SIZE_MAX, static_cast<double>(minute_) * 60'000 + Between(10, 59'990));
  }

  std::mt19937_64 random_;
  std::vector<Service> services_;
  std::vector<Operation> operations_;
  std::vector<Kind> kinds_;
  double traces_a_minute_ = 0;
  double hour_ = 0;  // Of the day, at the start.
  double load_ = 0;  // Of the logarithm.
  double busy_ = 1;
  std::uint64_t minute_ = 0;
  std::map<std::pair<std::size_t, std::size_t>, std::uint32_t> resources_;  // Of the batch.
  TraceId trace_;
  std::size_t first_ = 0;  // Span of the trace in its batch.
};

}  // namespace throughline
