// What holds of log lines, whatever bytes they were decoded from.
#pragma once

#include <cstddef>

#include "correlate/attribute.h"
#include "correlate/batch.h"
#include "correlate/check.h"
#include "otlp/utf8.h"

namespace throughline::fuzz {

inline void CheckAttributes(const Batch& batch, Range range) {
  TL_CHECK(range.begin + range.count <= batch.attributes.size());
  for (const Attribute& attribute : batch.Of(range)) {
    TL_CHECK(otlp::IsUtf8(attribute.key()));
    const Value value = ReadValue(attribute.value());
    TL_CHECK(value.type != ValueType::kString || otlp::IsUtf8(value.bytes));
  }
}

inline void CheckLines(const Decoded& decoded, const DecodeOptions& options, const Batch& batch) {
  TL_CHECK(decoded.received == decoded.accepted + decoded.rejected + decoded.unlinked);
  TL_CHECK(batch.logs.size() == decoded.accepted + (options.keep_unlinked ? decoded.unlinked : 0));
  TL_CHECK((decoded.rejected > 0) == !decoded.first_rejection.empty());
  for (const LogLine& line : batch.logs) {
    TL_CHECK(options.keep_unlinked || line.trace_id.IsValid());
    TL_CHECK(line.trace_id.IsValid() == (line.found_by != FoundBy::kNone));
    TL_CHECK(ReadValue(line.body).type == ValueType::kString);
    TL_CHECK(otlp::IsUtf8(StringOf(line.body)));
    TL_CHECK(otlp::IsUtf8(line.service) && otlp::IsUtf8(line.severity_text));
    CheckAttributes(batch, line.attributes);
    TL_CHECK(line.related.begin + line.related.count <= batch.related.size());
    TL_CHECK(line.resource == kNoIndex || line.resource < batch.resources.size());
  }
  for (const Resource& resource : batch.resources) CheckAttributes(batch, resource.attributes);
}

// Decoding is a pure function of the bytes.
inline void CheckSame(const Batch& batch, const Batch& again) {
  TL_CHECK(again.logs.size() == batch.logs.size());
  for (std::size_t i = 0; i < batch.logs.size(); ++i) {
    TL_CHECK(again.logs[i].identity == batch.logs[i].identity);
  }
}

}  // namespace throughline::fuzz
