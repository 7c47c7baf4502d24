// OTLP/JSON of all three signals: decoding is a pure function of the bytes, what is accepted has
// valid ids and ranges inside the batch, attributes are canonical, and every record is counted
// once.
#include <cstdint>
#include <string_view>
#include <vector>

#include "correlate/check.h"
#include "correlate/identity.h"
#include "exemplars/otlp.h"
#include "logs/otlp.h"
#include "spans/otlp.h"

namespace {

using namespace throughline;

const DecodeOptions kOptions = {.hash_seed = 7,
                                .keep_unlinked = true,
                                .records_per_request = 1000,
                                .attributes_per_record = 50,
                                .gauges = {"*"}};

void CheckRange(Range range, std::size_t size) {
  TL_CHECK(range.begin <= size && range.count <= size - range.begin);
}

// Reads a canonical value to its depth.
void CheckValue(std::string_view any_value, int depth) {
  TL_CHECK(depth <= kMaxValueDepth);
  const Value value = ReadValue(any_value);
  TL_CHECK(any_value.empty() || value.type != ValueType::kEmpty);
  if (value.type != ValueType::kArray && value.type != ValueType::kMap) return;
  for (ValueItems items(value); items.Next();) CheckValue(items.value, depth + 1);
}

void CheckAttributes(Range range, const Batch& batch) {
  CheckRange(range, batch.attributes.size());
  Arena arena;
  for (const Attribute& attribute : batch.Of(range)) {
    CheckValue(attribute.value(), 0);
    const Attribute same =
        MakeAttribute(attribute.key(), attribute.value(), kOptions.hash_seed, arena);
    TL_CHECK(same.bytes() == attribute.bytes() && same.hash == attribute.hash);
  }
}

void CheckOwners(std::uint32_t resource, std::uint32_t scope, const Batch& batch) {
  TL_CHECK(resource == kNoIndex || resource < batch.resources.size());
  TL_CHECK(scope == kNoIndex || scope < batch.scopes.size());
}

void CheckCounts(const Decoded& decoded, std::size_t in_batch) {
  TL_CHECK(decoded.received == decoded.accepted + decoded.rejected + decoded.unlinked);
  TL_CHECK(in_batch == decoded.accepted + decoded.unlinked);
  TL_CHECK(decoded.received <= kOptions.records_per_request);
  TL_CHECK((decoded.rejected == 0) == decoded.first_rejection.empty());
}

void CheckRecord(const Span& span, const Batch& batch) {
  TL_CHECK(span.trace_id.IsValid() && span.span_id.IsValid());
  CheckOwners(span.resource, span.scope, batch);
  CheckRange(span.events, batch.events.size());
  CheckRange(span.links, batch.span_links.size());
  CheckAttributes(span.attributes, batch);
  for (const SpanEvent& event : batch.EventsOf(span)) CheckAttributes(event.attributes, batch);
  for (const SpanLink& link : batch.LinksOf(span)) {
    TL_CHECK(link.trace_id.IsValid() && link.span_id.IsValid());
    CheckAttributes(link.attributes, batch);
  }
  TL_CHECK(span.identity == IdentityOf(span, batch, kOptions.hash_seed));
}

void CheckRecord(const LogLine& line, const Batch& batch) {
  TL_CHECK(line.trace_id.IsValid() == (line.found_by != FoundBy::kNone));
  CheckOwners(line.resource, line.scope, batch);
  CheckRange(line.related, batch.related.size());
  CheckAttributes(line.attributes, batch);
  CheckValue(line.body, 0);
}

void CheckRecord(const Exemplar& exemplar, const Batch& batch) {
  CheckOwners(exemplar.resource, exemplar.scope, batch);
  CheckAttributes(exemplar.labels, batch);
  CheckAttributes(exemplar.attributes, batch);
  TL_CHECK(exemplar.identity == IdentityOf(exemplar, batch, kOptions.hash_seed));
}

void CheckGauges(const exemplars::DecodedMetrics& decoded, const Batch& batch) {
  TL_CHECK(decoded.gauge_points == batch.gauges.size());
  for (const GaugePoint& point : batch.gauges) {
    TL_CHECK(point.time_unix_ns != 0 && point.value == point.value);
    CheckOwners(point.resource, kNoIndex, batch);
    CheckAttributes(point.labels, batch);
    TL_CHECK(point.identity == IdentityOf(point, batch, kOptions.hash_seed));
  }
}
void CheckGauges(const Decoded&, const Batch& batch) { TL_CHECK(batch.gauges.empty()); }

const Decoded& CountsOf(const Decoded& decoded) { return decoded; }
const Decoded& CountsOf(const exemplars::DecodedMetrics& decoded) { return decoded.exemplars; }

template <typename Decode, typename Records>
void CheckSignal(std::string_view bytes, Decode decode, Records records_of) {
  Batch batch;
  batch.body = Body::Of(bytes);
  const auto decoded = decode(batch.body.view(), kOptions, batch);
  Batch twin;
  twin.body = Body::Of(bytes);
  const auto again = decode(twin.body.view(), kOptions, twin);
  TL_CHECK(decoded.has_value() == again.has_value());
  if (!decoded) {
    TL_CHECK(!decoded.error().message.empty());
    TL_CHECK(decoded.error().message == again.error().message);
    return;
  }
  const auto& records = records_of(batch);
  CheckCounts(CountsOf(*decoded), records.size());
  CheckGauges(*decoded, batch);
  TL_CHECK(records_of(twin).size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    CheckRecord(records[i], batch);
    TL_CHECK(records_of(twin)[i].identity == records[i].identity);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckSignal(bytes, spans::DecodeOtlpJson,
              [](const Batch& batch) -> const std::vector<Span>& { return batch.spans; });
  CheckSignal(bytes, logs::DecodeOtlpJson,
              [](const Batch& batch) -> const std::vector<LogLine>& { return batch.logs; });
  CheckSignal(bytes, exemplars::DecodeOtlpJson,
              [](const Batch& batch) -> const std::vector<Exemplar>& { return batch.exemplars; });
  return 0;
}
