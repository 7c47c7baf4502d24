// The one model: what every decoder yields, what the store takes, and what it gives back.
//
// A Batch owns the (inflated) body of a request and an arena; its records hold views into either.
// It is filled by one thread, then shared as const. The store fills one as the answer of a lookup;
// its views then point into the store's memory, which `keep_alive` holds.
//
// Times are unsigned nanoseconds since the Unix epoch, exactly as the sender sent them; 0 is "not
// sent" for the times of lines and exemplars.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/arena.h"
#include "correlate/attribute.h"
#include "correlate/trace_id.h"

namespace throughline {

// Bytes of a request that are filled after they are allocated, so never zeroed first.
class Body {
 public:
  Body() = default;
  explicit Body(std::size_t capacity)
      : data_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}
  // Takes over `size` filled bytes of `capacity`.
  Body(std::unique_ptr<char[]> data, std::size_t size, std::size_t capacity)
      : data_(std::move(data)), size_(size), capacity_(capacity) {}
  static Body Of(std::string_view bytes) {
    Body body(bytes.size() + kPadding);
    std::memcpy(body.data(), bytes.data(), bytes.size());
    body.set_size(bytes.size());
    return body;
  }
  // simdjson reads past the end of its input: bodies are allocated with this much to spare.
  static constexpr std::size_t kPadding = 64;

  char* data() { return data_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  void set_size(std::size_t size) { size_ = size; }
  // Keeps the first size() bytes.
  void Grow(std::size_t capacity) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
    capacity_ = capacity;
  }
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// A run of Batch::attributes (or events, links, related).
struct Range {
  std::uint32_t begin = 0;
  std::uint32_t count = 0;
};

// Who sent it: OTLP's Resource.
struct Resource {
  Range attributes;
  std::string_view service;  // Its service.name where that is a string; empty: not stated.
  std::uint64_t hash = 0;    // Of the attributes, in the order sent.
};

// OTLP's InstrumentationScope.
struct InstrumentationScope {
  std::string_view name;
  std::string_view version;
  Range attributes;
  std::uint64_t hash = 0;
};

inline constexpr std::uint32_t kNoIndex = 0xffffffff;  // No resource, no scope.

enum class Sampled : std::uint8_t { kUnknown, kNo, kYes };

struct SpanEvent {
  std::uint64_t time_unix_ns = 0;
  std::string_view name;
  Range attributes;
};

struct SpanLink {
  TraceId trace_id;
  SpanId span_id;
  std::uint32_t flags = 0;
  std::string_view trace_state;
  Range attributes;
};

// opentelemetry/proto/trace/v1/trace.proto, Span. Enumerations are open: the number as sent.
struct Span {
  TraceId trace_id;  // Valid.
  SpanId span_id;    // Valid.
  SpanId parent_span_id;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t end_unix_ns = 0;
  std::uint32_t flags = 0;
  std::uint32_t kind = 0;  // 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
  std::uint32_t status_code = 0;  // 0 unset, 1 ok, 2 error.
  std::uint32_t resource = kNoIndex;
  std::uint32_t scope = kNoIndex;
  Range attributes;
  Range events;
  Range links;
  std::string_view name;
  std::string_view status_message;
  std::string_view trace_state;
  std::uint64_t identity = 0;         // correlate/identity.h.
  std::uint64_t arrival_unix_ns = 0;  // Set by the store on the way out.

  bool is_error() const { return status_code == 2; }
  std::uint64_t duration_ns() const {
    return end_unix_ns > start_unix_ns ? end_unix_ns - start_unix_ns : 0;
  }
};

// How a line came by its trace id.
enum class FoundBy : std::uint8_t { kNone, kField, kKey, kShape, kRegex, kKnown };

struct RelatedId {
  TraceId trace_id;
  SpanId span_id;
};

// One log record. opentelemetry/proto/logs/v1/logs.proto, LogRecord; other formats are brought to
// the same shape.
struct LogLine {
  TraceId trace_id;  // Invalid: unlinked (kept only where so configured).
  SpanId span_id;
  std::uint64_t time_unix_ns = 0;      // As sent; 0: not sent.
  std::uint64_t observed_unix_ns = 0;  // 0: not sent.
  std::uint32_t severity_number = 0;   // OTLP's 1-24; 0: not known.
  std::uint32_t flags = 0;
  FoundBy found_by = FoundBy::kNone;
  Sampled sampled = Sampled::kUnknown;  // Only what counts as evidence (docs/concepts.md).
  bool identity_follows = false;        // `identity` is IdentityOf(line): a store need not keep it.
  std::uint32_t resource = kNoIndex;
  std::uint32_t scope = kNoIndex;
  Range attributes;
  Range related;             // Further ids in the line, first the nearest.
  std::string_view service;  // As stated by resource or line; empty: not stated.
  std::string_view severity_text;
  std::string_view event_name;
  std::string_view body;  // AnyValue bytes.
  std::uint64_t identity = 0;
  std::uint64_t arrival_unix_ns = 0;
};

enum class MetricType : std::uint8_t {
  kUnknown,
  kGauge,
  kSum,
  kHistogram,
  kExponentialHistogram,
  kSummary
};

// One exemplar and the series it stands on.
struct Exemplar {
  TraceId trace_id;  // Invalid: unlinked.
  SpanId span_id;
  std::uint64_t time_unix_ns = 0;  // 0: not sent.
  bool is_integer = false;
  MetricType metric_type = MetricType::kUnknown;
  std::int64_t integer = 0;  // When is_integer.
  double number = 0;         // Otherwise. value() is either as a double.
  double le = 0;             // Upper bound of its bucket (+Inf for the last); meaningful if has_le.
  bool has_le = false;
  std::uint32_t resource = kNoIndex;
  std::uint32_t scope = kNoIndex;
  Range labels;      // The data point's attributes, or the labels of the series.
  Range attributes;  // The exemplar's own ("filtered attributes").
  std::string_view metric;
  std::string_view unit;
  std::string_view service;  // As stated; empty: not stated.
  std::uint64_t identity = 0;
  std::uint64_t arrival_unix_ns = 0;

  double value() const { return is_integer ? static_cast<double>(integer) : number; }
};

// One point of a gauge that is kept for explain (explain.gauges): what a pod or a process used at
// that time. It names no trace.
//
// Points are thinned: of a series (metric, its unit and type, resource and labels, both in any
// order) and ten seconds of its own time, the point that came first is stored and the others count
// deduplicated. So a retry adds nothing, and all that the order of arrival can change is which
// point of the ten seconds stands for them.
struct GaugePoint {
  std::uint64_t time_unix_ns = 0;
  double value = 0;
  MetricType metric_type = MetricType::kGauge;  // kSum: cumulative, as sent.
  std::uint32_t resource = kNoIndex;
  Range labels;  // The data point's attributes, or the labels of the series.
  std::string_view metric;
  std::string_view unit;
  std::string_view service;    // As stated; empty: not stated.
  std::uint64_t identity = 0;  // Of the series and the ten seconds.
  std::uint64_t arrival_unix_ns = 0;
};

struct Batch {
  Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;

  Body body;
  Arena arena;
  std::shared_ptr<const void> keep_alive;

  std::vector<Resource> resources;
  std::vector<InstrumentationScope> scopes;
  std::vector<Attribute> attributes;
  std::vector<SpanEvent> events;
  std::vector<SpanLink> span_links;
  std::vector<RelatedId> related;
  std::vector<Span> spans;
  std::vector<LogLine> logs;
  std::vector<Exemplar> exemplars;
  std::vector<GaugePoint> gauges;

  std::size_t record_count() const {
    return spans.size() + logs.size() + exemplars.size() + gauges.size();
  }
  // What the batch holds in memory, for budgets.
  std::size_t size_bytes() const;

  std::span<const Attribute> Of(Range range) const {
    return {attributes.data() + range.begin, range.count};
  }
  std::span<const SpanEvent> EventsOf(const Span& span) const {
    return {events.data() + span.events.begin, span.events.count};
  }
  std::span<const SpanLink> LinksOf(const Span& span) const {
    return {span_links.data() + span.links.begin, span.links.count};
  }
  std::span<const RelatedId> RelatedOf(const LogLine& line) const {
    return {related.data() + line.related.begin, line.related.count};
  }
  const Resource* ResourceOf(std::uint32_t index) const {
    return index == kNoIndex ? nullptr : &resources[index];
  }
  const InstrumentationScope* ScopeOf(std::uint32_t index) const {
    return index == kNoIndex ? nullptr : &scopes[index];
  }
  std::string_view ServiceOf(const Span& span) const {
    return span.resource == kNoIndex ? std::string_view() : resources[span.resource].service;
  }
};

// What a decoder says of the records of one request. received = accepted + rejected + unlinked,
// where accepted counts what stands in the batch with a trace id (and, with keep_unlinked,
// `unlinked` ones stand in the batch too).
struct Decoded {
  std::size_t received = 0;
  std::size_t accepted = 0;
  std::size_t rejected = 0;       // Well-formed but unusable: refused, with a reason.
  std::size_t unlinked = 0;       // Lines and exemplars without a trace id: success, counted.
  std::size_t repaired = 0;       // Accepted after an id was repaired.
  std::size_t dropped_links = 0;  // Span links with broken ids; their spans stay.
  std::string
      first_rejection;  // "span 3: trace_id has 15 bytes, want 16"; up to three, joined by "; ".
  std::string first_repair;

  void Reject(std::string_view reason);  // Counts, and keeps the first reasons.
  void Repair(std::string_view reason);
};

// What decoders are told. They stay pure functions of their bytes and these.
struct DecodeOptions {
  std::uint64_t hash_seed = 0;
  bool keep_unlinked = false;                  // Lines and exemplars without a trace id.
  std::size_t records_per_request = 500'000;   // More: kTooLarge.
  std::size_t attributes_per_record = 16'384;  // More: the record is rejected.
  // Labels of Prometheus exemplars that name a trace, besides trace_id, traceID, TraceID, traceId.
  std::vector<std::string> exemplar_trace_labels = {};
  // Of which metrics the points are kept (correlate/metric_pattern.h).
  std::vector<std::string> gauges = {};
};

// The time a record is ordered and searched by: sent, else observed, else arrival; and arrival
// too when the time is outside [now - 10 years, now + 1 day], which is then suspect. Pass 0 for a
// time that was not sent.
struct EffectiveTime {
  std::uint64_t unix_ns = 0;
  bool suspect = false;
};
EffectiveTime EffectiveTimeOf(std::uint64_t sent_unix_ns, std::uint64_t observed_unix_ns,
                              std::uint64_t arrival_unix_ns);

}  // namespace throughline
