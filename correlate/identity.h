// Deduplication keys: what a retry repeats.
//
//   span      trace, span id, kind, hash of content (all fields, resource and scope included)
//   line      source (resource, scope), time as sent, hash of content; a plain line without a time:
//             hash of its request body and its place in it
//   exemplar  metric, resource and point attributes (in any order), trace, span, its time, its
//   value
//   gauge     metric, unit, type, resource and point attributes (in any order), the ten seconds of
//             its time
//
// Decoders call these once a record is complete and put the result into `identity`; the store
// mixes the tenant in. Hashes use the seed of the data directory, so that they outlive a restart.
// The same content gives the same identity whatever the encoding it came in.
#pragma once

#include <cstdint>

#include "correlate/batch.h"

namespace throughline {

std::uint64_t IdentityOf(const Span& span, const Batch& batch, std::uint64_t seed);
// For a line that has a time (sent or observed), or whose record has more than its text.
std::uint64_t IdentityOf(const LogLine& line, const Batch& batch, std::uint64_t seed);
// For a plain line without a time. `body_hash` is HashBytes of the request's inflated body.
std::uint64_t IdentityOfPlainLine(const LogLine& line, std::uint64_t body_hash,
                                  std::uint64_t index);
std::uint64_t IdentityOf(const Exemplar& exemplar, const Batch& batch, std::uint64_t seed);

// Of a gauge point, the identity is that of its series for the ten seconds of its time. A store
// that keeps the series beside its points need not keep their identities: each follows from the
// other.
std::uint64_t IdentityOf(const GaugePoint& point, const Batch& batch, std::uint64_t seed);
std::uint64_t GaugeSeriesOf(std::uint64_t identity, std::uint64_t time_unix_ns, std::uint64_t seed);
std::uint64_t GaugeIdentityOf(std::uint64_t series, std::uint64_t time_unix_ns, std::uint64_t seed);
inline constexpr std::uint64_t kGaugeStepNs = 10'000'000'000;

// Fill Resource::hash and InstrumentationScope::hash, which the identities above read.
std::uint64_t HashOf(const Resource& resource, const Batch& batch, std::uint64_t seed);
std::uint64_t HashOf(const InstrumentationScope& scope, const Batch& batch, std::uint64_t seed);

}  // namespace throughline
