#include "store/transfer/finish_record.h"

#include "correlate/hash.h"
#include "correlate/identity.h"

namespace throughline::store::transfer {

std::string Finish(Span& span, const DecodeOptions& options, Batch& batch) {
  if (!span.trace_id.IsValid()) return "a span without a trace id";
  if (!span.span_id.IsValid()) return "a span without a span id";
  for (const SpanLink& link : batch.LinksOf(span)) {
    if (!link.trace_id.IsValid() || !link.span_id.IsValid()) return "a link without an id";
  }
  span.identity = IdentityOf(span, batch, options.hash_seed);
  batch.spans.push_back(span);
  return {};
}

std::string Finish(LogLine& line, std::optional<std::uint64_t> identity, std::uint64_t place,
                   const DecodeOptions& options, Batch& batch) {
  if (!line.trace_id.IsValid()) line.found_by = FoundBy::kNone;
  if (line.trace_id.IsValid() && line.found_by == FoundBy::kNone) line.found_by = FoundBy::kField;
  if (identity) {
    line.identity = *identity;
  } else {
    line.identity = IdentityOf(line, batch, options.hash_seed);
    const bool has_time = line.time_unix_ns != 0 || line.observed_unix_ns != 0;
    if (!has_time && line.attributes.count == 0) {
      line.identity = IdentityOfPlainLine(line, line.identity, place);
    }
  }
  batch.logs.push_back(line);
  return {};
}

std::string Finish(Exemplar& exemplar, const DecodeOptions& options, Batch& batch) {
  exemplar.identity = IdentityOf(exemplar, batch, options.hash_seed);
  batch.exemplars.push_back(exemplar);
  return {};
}

std::string Finish(GaugePoint& point, const DecodeOptions& options, Batch& batch) {
  point.identity = IdentityOf(point, batch, options.hash_seed);
  batch.gauges.push_back(point);
  return {};
}

}  // namespace throughline::store::transfer
