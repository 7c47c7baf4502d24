// Decoding lines: the counts add up, what is stored is canonical, and the same bytes give the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "correlate/attribute.h"
#include "correlate/check.h"
#include "logs/lines.h"
#include "otlp/proto.h"

using throughline::Batch;
using throughline::LogLine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  using throughline::logs::LineFormat;
  constexpr LineFormat kFormats[] = {LineFormat::kNdjson, LineFormat::kJsonArray,
                                     LineFormat::kText};
  const LineFormat format = kFormats[data[0] % 3];
  const throughline::DecodeOptions options{.hash_seed = 7, .keep_unlinked = (data[0] & 0x80U) != 0};
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Batch batch;
  batch.body = throughline::Body::Of(bytes);
  const auto decoded = DecodeLines(batch.body.view(), format, options, batch);
  if (!decoded) {
    TL_CHECK(format == LineFormat::kJsonArray);
    return 0;
  }
  TL_CHECK(decoded->received == decoded->accepted + decoded->rejected + decoded->unlinked);
  TL_CHECK(batch.logs.size() ==
           decoded->accepted + (options.keep_unlinked ? decoded->unlinked : 0));
  for (const LogLine& line : batch.logs) {
    TL_CHECK(options.keep_unlinked || line.trace_id.IsValid());
    TL_CHECK(line.trace_id.IsValid() == (line.found_by != throughline::FoundBy::kNone));
    TL_CHECK(throughline::ReadValue(line.body).type == throughline::ValueType::kString);
    TL_CHECK(throughline::otlp::IsUtf8(throughline::StringOf(line.body)));
    TL_CHECK(line.attributes.begin + line.attributes.count <= batch.attributes.size());
    TL_CHECK(line.related.begin + line.related.count <= batch.related.size());
  }
  Batch again;
  again.body = throughline::Body::Of(bytes);
  TL_CHECK(DecodeLines(again.body.view(), format, options, again));
  TL_CHECK(again.logs.size() == batch.logs.size());
  for (std::size_t i = 0; i < batch.logs.size(); ++i) {
    TL_CHECK(again.logs[i].identity == batch.logs[i].identity);
  }
  return 0;
}
