// What every decoder of spans promises, whatever the bytes: it is a pure function of them, what is
// accepted has valid ids, ranges inside the batch and canonical attributes, and every span is
// counted once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "correlate/attribute.h"
#include "correlate/batch.h"
#include "correlate/check.h"
#include "correlate/identity.h"
#include "correlate/result.h"

namespace throughline::fuzz {

inline constexpr DecodeOptions kSpanOptions = {.hash_seed = 7,
                                               .keep_unlinked = false,
                                               .records_per_request = 1000,
                                               .attributes_per_record = 50};

inline void CheckSpanAttributes(Range range, const Batch& batch) {
  TL_CHECK(range.begin <= batch.attributes.size());
  TL_CHECK(range.count <= batch.attributes.size() - range.begin);
  Arena arena;
  for (const Attribute& attribute : batch.Of(range)) {
    const Attribute same =
        MakeAttribute(attribute.key(), attribute.value(), kSpanOptions.hash_seed, arena);
    TL_CHECK(same.bytes() == attribute.bytes() && same.hash == attribute.hash);
  }
}

inline void CheckSpan(const Span& span, const Batch& batch) {
  TL_CHECK(span.trace_id.IsValid() && span.span_id.IsValid());
  TL_CHECK(span.end_unix_ns >= span.start_unix_ns);
  TL_CHECK(span.resource == kNoIndex || span.resource < batch.resources.size());
  TL_CHECK(span.scope == kNoIndex || span.scope < batch.scopes.size());
  if (span.resource != kNoIndex) {
    CheckSpanAttributes(batch.resources[span.resource].attributes, batch);
  }
  CheckSpanAttributes(span.attributes, batch);
  for (const SpanEvent& event : batch.EventsOf(span)) CheckSpanAttributes(event.attributes, batch);
  for (const SpanLink& link : batch.LinksOf(span)) {
    TL_CHECK(link.trace_id.IsValid() && link.span_id.IsValid());
    CheckSpanAttributes(link.attributes, batch);
  }
  TL_CHECK(span.identity == IdentityOf(span, batch, kSpanOptions.hash_seed));
}

using DecodeSpans = Result<Decoded> (*)(std::string_view, const DecodeOptions&, Batch&);

inline void CheckSpanDecoder(std::string_view bytes, DecodeSpans decode) {
  Batch batch;
  batch.body = Body::Of(bytes);
  const auto decoded = decode(batch.body.view(), kSpanOptions, batch);
  Batch twin;
  twin.body = Body::Of(bytes);
  const auto again = decode(twin.body.view(), kSpanOptions, twin);
  TL_CHECK(decoded.has_value() == again.has_value());
  if (!decoded) {
    TL_CHECK(!decoded.error().message.empty());
    TL_CHECK(decoded.error().message == again.error().message);
    return;
  }
  TL_CHECK(decoded->received == decoded->accepted + decoded->rejected);
  TL_CHECK(decoded->accepted == batch.spans.size());
  TL_CHECK((decoded->rejected == 0) == decoded->first_rejection.empty());
  TL_CHECK(twin.spans.size() == batch.spans.size());
  for (std::size_t i = 0; i < batch.spans.size(); ++i) {
    CheckSpan(batch.spans[i], batch);
    TL_CHECK(twin.spans[i].identity == batch.spans[i].identity);
  }
}

}  // namespace throughline::fuzz
