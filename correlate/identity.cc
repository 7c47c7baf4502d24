#include "correlate/identity.h"

#include <bit>
#include <cstring>

#include "correlate/hash.h"

namespace throughline {
namespace {

// Kinds of record get constants of their own, so that equal fields never make equal identities.
constexpr std::uint64_t kSpan = 0x7370616e;
constexpr std::uint64_t kLine = 0x6c696e65;
constexpr std::uint64_t kPlainLine = 0x706c6169;
constexpr std::uint64_t kExemplar = 0x6578656d;
constexpr std::uint64_t kGauge = 0x67617567;

// Ordered: what a retry repeats, it repeats in order.
std::uint64_t HashOrdered(std::uint64_t hash, std::span<const Attribute> attributes) {
  for (const Attribute& attribute : attributes) hash = HashCombine(hash, attribute.hash);
  return HashCombine(hash, attributes.size());
}

// Unordered: clients that keep labels in maps write them in another order each time.
std::uint64_t HashUnordered(std::span<const Attribute> attributes) {
  std::uint64_t sum = attributes.size();
  for (const Attribute& attribute : attributes)
    sum += HashMix(attribute.hash, 0x8ebc6af09c88c6e3ULL);
  return sum;
}

std::uint64_t HashId(std::uint64_t hash, TraceId trace_id, SpanId span_id) {
  return HashCombine(HashCombine(hash ^ trace_id.high, trace_id.low), span_id.value);
}

std::uint64_t ResourceHash(const Batch& batch, std::uint32_t index) {
  return index == kNoIndex ? 0 : batch.resources[index].hash;
}

std::uint64_t ScopeHash(const Batch& batch, std::uint32_t index) {
  return index == kNoIndex ? 0 : batch.scopes[index].hash;
}

std::uint64_t HashEventsAndLinks(std::uint64_t hash, const Span& span, const Batch& batch,
                                 std::uint64_t seed) {
  for (const SpanEvent& event : batch.EventsOf(span)) {
    hash = HashCombine(hash ^ event.time_unix_ns, HashBytes(event.name, seed));
    hash = HashOrdered(hash, batch.Of(event.attributes));
  }
  for (const SpanLink& link : batch.LinksOf(span)) {
    hash = HashId(hash ^ link.flags, link.trace_id, link.span_id);
    hash = HashCombine(hash, HashBytes(link.trace_state, seed));
    hash = HashOrdered(hash, batch.Of(link.attributes));
  }
  return hash;
}

}  // namespace

std::uint64_t IdentityOf(const Span& span, const Batch& batch, std::uint64_t seed) {
  std::uint64_t hash = HashId(seed ^ kSpan, span.trace_id, span.span_id);
  hash = HashCombine(
      hash ^ span.parent_span_id.value,
      (std::uint64_t{span.kind} << 40U) ^ (std::uint64_t{span.status_code} << 32U) ^ span.flags);
  hash = HashCombine(hash ^ span.start_unix_ns, span.end_unix_ns);
  hash = HashCombine(hash, HashBytes(span.name, seed));
  hash = HashOrdered(hash, batch.Of(span.attributes));
  hash = HashCombine(hash ^ ScopeHash(batch, span.scope), ResourceHash(batch, span.resource));
  if (!span.status_message.empty()) hash = HashCombine(hash, HashBytes(span.status_message, ~seed));
  if (!span.trace_state.empty()) hash = HashCombine(hash, HashBytes(span.trace_state, seed + 1));
  if (span.events.count + span.links.count > 0) hash = HashEventsAndLinks(hash, span, batch, seed);
  return hash;
}

std::uint64_t IdentityOf(const LogLine& line, const Batch& batch, std::uint64_t seed) {
  std::uint64_t hash = HashId(seed ^ kLine, line.trace_id, line.span_id);
  hash = HashCombine(hash ^ line.time_unix_ns, line.observed_unix_ns);
  hash = HashCombine(hash ^ line.severity_number, HashBytes(line.severity_text, seed));
  hash = HashCombine(hash, HashBytes(line.body, seed));
  hash = HashOrdered(hash, batch.Of(line.attributes));
  hash = HashCombine(hash ^ ScopeHash(batch, line.scope), ResourceHash(batch, line.resource));
  if (!line.event_name.empty()) hash = HashCombine(hash, HashBytes(line.event_name, ~seed));
  return hash;
}

std::uint64_t IdentityOfPlainLine(const LogLine& line, std::uint64_t body_hash,
                                  std::uint64_t index) {
  return HashId(HashCombine(body_hash ^ kPlainLine, index), line.trace_id, line.span_id);
}

std::uint64_t IdentityOf(const Exemplar& exemplar, const Batch& batch, std::uint64_t seed) {
  std::uint64_t hash = HashId(seed ^ kExemplar, exemplar.trace_id, exemplar.span_id);
  hash = HashCombine(hash, HashBytes(exemplar.metric, seed));
  hash = HashCombine(hash, HashUnordered(batch.Of(exemplar.labels)));
  if (const Resource* resource = batch.ResourceOf(exemplar.resource)) {
    hash = HashCombine(hash, HashUnordered(batch.Of(resource->attributes)));
  }
  const std::uint64_t value = exemplar.is_integer ? std::bit_cast<std::uint64_t>(exemplar.integer)
                                                  : std::bit_cast<std::uint64_t>(exemplar.number);
  return HashCombine(HashCombine(hash ^ exemplar.time_unix_ns, value), exemplar.is_integer ? 1 : 2);
}

std::uint64_t IdentityOf(const GaugePoint& point, const Batch& batch, std::uint64_t seed) {
  std::uint64_t series = HashCombine(seed ^ kGauge, HashBytes(point.metric, seed));
  series = HashCombine(series, HashBytes(point.unit, seed));
  series = HashCombine(series, static_cast<std::uint64_t>(point.metric_type));
  series = HashCombine(series, HashUnordered(batch.Of(point.labels)));
  if (const Resource* resource = batch.ResourceOf(point.resource)) {
    series = HashCombine(series, HashUnordered(batch.Of(resource->attributes)));
  }
  return GaugeIdentityOf(series, point.time_unix_ns, seed);
}

// Times are a sender's choice: they are hashed with the seed, so that none can choose identities
// that fall into one place.
std::uint64_t GaugeIdentityOf(std::uint64_t series, std::uint64_t time_unix_ns,
                              std::uint64_t seed) {
  const std::uint64_t step = time_unix_ns / kGaugeStepNs;
  char bytes[sizeof step];
  std::memcpy(bytes, &step, sizeof step);
  return series ^ HashBytes(bytes, sizeof bytes, seed ^ kGauge);
}

std::uint64_t GaugeSeriesOf(std::uint64_t identity, std::uint64_t time_unix_ns,
                            std::uint64_t seed) {
  return GaugeIdentityOf(identity, time_unix_ns, seed);  // An exclusive or undoes itself.
}

std::uint64_t HashOf(const Resource& resource, const Batch& batch, std::uint64_t seed) {
  return HashOrdered(seed, batch.Of(resource.attributes));
}

std::uint64_t HashOf(const InstrumentationScope& scope, const Batch& batch, std::uint64_t seed) {
  const std::uint64_t hash =
      HashCombine(HashBytes(scope.name, seed), HashBytes(scope.version, ~seed));
  return HashOrdered(hash, batch.Of(scope.attributes));
}

}  // namespace throughline
