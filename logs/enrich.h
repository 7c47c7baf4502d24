// Adds what is known of a trace to the records of a shipper's body, and gives the same shape back.
//
// NDJSON, one JSON array, one JSON object, Loki push (JSON) or OTLP logs (protobuf and JSON) in;
// the same out, each record with `trace.*` fields added. Order kept, unknown fields kept byte for
// byte. A record that cannot be parsed is returned byte for byte and counted malformed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/ids.h"
#include "correlate/link.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline::logs {

enum class EnrichShape { kNdjson, kJsonArray, kJsonObject, kLokiPush, kOtlpJson, kOtlpProtobuf };

// What is said of one id. The summary is null when nothing is known of the trace.
struct TraceAnswer {
  Link link;
  Sampled sampled = Sampled::kUnknown;
  const TraceSummary* summary = nullptr;  // Valid until the next call of the lookup.
};

// Asked once per record that has an id; bound to the store by the gateway. `line_time_unix_ns` is
// the record's own time, 0 where it has none.
using TraceLookup = std::function<TraceAnswer(const Resolved& id, std::uint64_t line_time_unix_ns)>;

struct EnrichOptions {
  // Of trace.id, span.id, state, service, operation, duration_ns, error, sampled, url. Empty: all.
  std::vector<std::string> fields;
  std::string url_template;  // With {trace_id}; empty: no trace.url.
  DecodeOptions decode;
};

struct Enriched {
  std::string body;
  std::size_t records = 0;
  std::size_t malformed = 0;
};

// kInvalidArgument where the body as a whole is not of `shape`.
// `bytes` must be followed by Body::kPadding readable bytes.
Result<Enriched> Enrich(std::string_view bytes, EnrichShape shape, const EnrichOptions& options,
                        const TraceLookup& lookup);

// The ids that the records of `bytes` name, without looking anything up: for waiting until pending
// ones arrive.
std::vector<TraceId> IdsToEnrich(std::string_view bytes, EnrichShape shape,
                                 const EnrichOptions& options);

}  // namespace throughline::logs
