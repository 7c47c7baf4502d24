#include "tests/store/transfer/odd_records.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "correlate/identity.h"

namespace throughline::store::transfer {
namespace {

std::uint32_t Size(const auto& list) { return static_cast<std::uint32_t>(list.size()); }

class Maker {
 public:
  Maker(std::uint64_t seed, Batch& batch) : random_(seed), batch_(batch) {}

  void Make() {
    for (std::uint64_t i = 0, count = Below(4); i < count; ++i) AddResource();
    for (std::uint64_t i = 0, count = Below(3); i < count; ++i) AddScope();
    for (std::uint64_t i = 0, count = Below(12); i < count; ++i) AddSpan();
    for (std::uint64_t i = 0, count = Below(12); i < count; ++i) AddLine();
    for (std::uint64_t i = 0, count = Below(12); i < count; ++i) AddExemplar();
    for (std::uint64_t i = 0, count = Below(6); i < count; ++i) AddGauge();
  }

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  bool Sometimes() { return Below(3) == 0; }

  std::uint64_t Time() {
    const std::uint64_t times[] = {0,
                                   1,
                                   1'750'000'000'123'456'789,
                                   INT64_MAX,
                                   static_cast<std::uint64_t>(INT64_MAX) + 1,
                                   UINT64_MAX};
    return times[Below(std::size(times))];
  }
  std::uint32_t Number() {
    const std::uint32_t numbers[] = {0, 1, 2, 9, 0x7fffffff, 0x80000000, 0xffffffff};
    return numbers[Below(std::size(numbers))];
  }
  TraceId Trace() { return {.high = Sometimes() ? 0 : random_(), .low = random_() | 1U}; }
  SpanId SpanOf() { return {Sometimes() ? 1 : random_() | 1U}; }

  std::string Text() {
    using namespace std::string_literals;
    const std::string texts[] = {
        "",          "plain",        "two\nlines",        "tab\tand \"quotes\"",
        "\0nul\0"s,  "\x01\x1f\x7f", "grüße 🌊",           "$bytes",
        "{\"a\":1}", "back\\slash",  "U+2028 \u2028",     "'sql'; DROP",
        "null",      "NaN",          std::string(30, 'x')};
    return texts[Below(std::size(texts))];
  }
  std::string_view Kept() { return batch_.arena.Copy(Text()); }
  std::string Bytes() {
    std::string bytes;
    for (std::uint64_t i = 0, count = Below(20); i < count; ++i) {
      bytes += static_cast<char>(random_());
    }
    return bytes;
  }

  double Double() {
    using Limits = std::numeric_limits<double>;
    const double doubles[] = {0,
                              -0.0,
                              1,
                              -1.5,
                              0.1,
                              1e22,
                              1e300,
                              5e-324,
                              3,
                              1e16,
                              9007199254740993.0,
                              Limits::quiet_NaN(),
                              Limits::infinity(),
                              -Limits::infinity(),
                              Limits::max(),
                              Limits::lowest()};
    return doubles[Below(std::size(doubles))];
  }
  std::int64_t Integer() {
    const std::int64_t integers[] = {0, 1, -1, 42, INT64_MAX, INT64_MIN, 9007199254740993};
    return integers[Below(std::size(integers))];
  }

  void AppendValue(int depth, std::string& out) {
    switch (Below(depth < 3 ? 8 : 6)) {
      case 0: break;  // No value.
      case 1: AppendStringValue(Text(), out); break;
      case 2: AppendBoolValue(Sometimes(), out); break;
      case 3: AppendIntValue(Integer(), out); break;
      case 4: AppendDoubleValue(Double(), out); break;
      case 5: AppendBytesValue(Bytes(), out); break;
      case 6: {
        const std::size_t begin = BeginArrayValue(out);
        for (std::uint64_t i = 0, count = Below(4); i < count; ++i) {
          const std::size_t item = BeginArrayItem(out);
          AppendValue(depth + 1, out);
          EndArrayItem(item, out);
        }
        EndValue(begin, out);
        break;
      }
      default: {
        const std::size_t begin = BeginMapValue(out);
        for (std::uint64_t i = 0, count = Below(4); i < count; ++i) {
          const std::string key = Key();
          const std::size_t item = BeginMapItem(key, out);
          AppendValue(depth + 1, out);
          EndMapItem(item, key.size(), out);
        }
        EndValue(begin, out);
      }
    }
  }
  std::string Key() {
    const std::string keys[] = {"http.route",         "a", "a", "", "$map", "$bytes", "clé", "q\"k",
                                std::string(130, 'k')};
    return keys[Below(std::size(keys))];
  }

  Range Attributes() {
    const Range range{.begin = Size(batch_.attributes),
                      .count = static_cast<std::uint32_t>(Below(5))};
    for (std::uint32_t i = 0; i < range.count; ++i) {
      std::string value;
      AppendValue(0, value);
      batch_.attributes.push_back(MakeAttribute(Key(), value, kOddHashSeed, batch_.arena));
    }
    return range;
  }

  void AddResource() {
    Resource resource;
    resource.attributes = Attributes();
    const std::string name = "service-" + std::to_string(Below(3));
    if (!Sometimes()) {
      batch_.attributes.push_back(
          MakeStringAttribute("service.name", name, kOddHashSeed, batch_.arena));
      ++resource.attributes.count;
      resource.service = batch_.arena.Copy(name);
    } else if (Sometimes()) {
      resource.service = batch_.arena.Copy("stated elsewhere");
    }
    resource.hash = HashOf(resource, batch_, kOddHashSeed);
    batch_.resources.push_back(resource);
  }
  void AddScope() {
    InstrumentationScope scope;
    scope.name = Kept();
    scope.version = Kept();
    scope.attributes = Attributes();
    scope.hash = HashOf(scope, batch_, kOddHashSeed);
    batch_.scopes.push_back(scope);
  }
  std::uint32_t Index(std::size_t size) {
    const auto index = static_cast<std::uint32_t>(Below(size + 1));
    return index == size ? kNoIndex : index;
  }
  std::string_view Service(std::uint32_t resource) {
    if (Sometimes()) return batch_.arena.Copy(Sometimes() ? "" : "its own");
    return resource == kNoIndex ? std::string_view() : batch_.resources[resource].service;
  }
  template <typename Record>
  void SetOrigin(Record& record) {
    record.resource = Index(batch_.resources.size());
    record.arrival_unix_ns = 1'750'000'001'000'000'000 + Below(3);
    if constexpr (requires { record.scope; }) record.scope = Index(batch_.scopes.size());
    if constexpr (requires { record.service; }) record.service = Service(record.resource);
  }

  void AddSpan() {
    Span span;
    SetOrigin(span);
    span.trace_id = Trace();
    span.span_id = SpanOf();
    if (Sometimes()) span.parent_span_id = SpanOf();
    span.start_unix_ns = Time();
    span.end_unix_ns = Time();
    span.flags = Number();
    span.kind = Number();
    span.status_code = Number();
    span.name = Kept();
    span.status_message = Kept();
    span.trace_state = Kept();
    span.attributes = Attributes();
    const auto events = static_cast<std::uint32_t>(Below(3));
    span.events = {.begin = Size(batch_.events), .count = events};
    for (std::uint32_t i = 0; i < events; ++i) {
      batch_.events.push_back({Time(), Kept(), Attributes()});
    }
    const auto links = static_cast<std::uint32_t>(Below(3));
    span.links = {.begin = Size(batch_.span_links), .count = links};
    for (std::uint32_t i = 0; i < links; ++i) {
      batch_.span_links.push_back({Trace(), SpanOf(), Number(), Kept(), Attributes()});
    }
    span.identity = IdentityOf(span, batch_, kOddHashSeed);
    batch_.spans.push_back(span);
  }

  void AddLine() {
    LogLine line;
    SetOrigin(line);
    if (!Sometimes()) {
      line.trace_id = Trace();
      line.found_by = static_cast<FoundBy>(1 + Below(5));
    }
    if (Sometimes()) line.span_id = SpanOf();
    line.time_unix_ns = Time();
    line.observed_unix_ns = Time();
    line.severity_number = Number();
    line.flags = Number();
    line.sampled = static_cast<Sampled>(Below(3));
    line.severity_text = Kept();
    line.event_name = Kept();
    std::string body;
    if (Sometimes()) {
      // What a decoder would find an id in, and this line was told not to.
      AppendStringValue("trace_id=0123456789abcdef0123456789abcdef", body);
    } else {
      AppendValue(0, body);
    }
    line.body = batch_.arena.Copy(body);
    line.attributes = Attributes();
    const auto related = static_cast<std::uint32_t>(Below(3));
    line.related = {.begin = Size(batch_.related), .count = related};
    for (std::uint32_t i = 0; i < related; ++i) {
      batch_.related.push_back({Trace(), Sometimes() ? SpanId{} : SpanOf()});
    }
    // As of a line that was named by its sender, or by its request.
    line.identity = Sometimes() ? random_() : IdentityOf(line, batch_, kOddHashSeed);
    batch_.logs.push_back(line);
  }

  void AddExemplar() {
    Exemplar exemplar;
    SetOrigin(exemplar);
    if (!Sometimes()) exemplar.trace_id = Trace();
    if (!Sometimes()) exemplar.span_id = SpanOf();
    exemplar.time_unix_ns = Time();
    exemplar.is_integer = Sometimes();
    if (exemplar.is_integer) {
      exemplar.integer = Integer();
    } else {
      exemplar.number = Double();
    }
    exemplar.metric_type = static_cast<MetricType>(Below(6));
    exemplar.has_le = Sometimes();
    if (exemplar.has_le) exemplar.le = Double();
    exemplar.labels = Attributes();
    exemplar.attributes = Attributes();
    exemplar.metric = Kept();
    exemplar.unit = Kept();
    exemplar.identity = IdentityOf(exemplar, batch_, kOddHashSeed);
    batch_.exemplars.push_back(exemplar);
  }

  // Named, at a time and with a number, as all that are kept.
  void AddGauge() {
    GaugePoint point;
    SetOrigin(point);
    point.time_unix_ns = Time() | 1U;
    point.value = Double();
    if (std::isnan(point.value)) point.value = 7;
    point.metric_type = static_cast<MetricType>(Below(6));
    point.labels = Attributes();
    point.metric = batch_.arena.Copy("m" + Text());
    point.unit = Kept();
    point.identity = IdentityOf(point, batch_, kOddHashSeed);
    batch_.gauges.push_back(point);
  }

  std::mt19937_64 random_;
  Batch& batch_;
};

}  // namespace

std::shared_ptr<Batch> OddBatch(std::uint64_t seed) {
  auto batch = std::make_shared<Batch>();
  Maker(seed, *batch).Make();
  return batch;
}

}  // namespace throughline::store::transfer
