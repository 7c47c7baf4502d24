// Decoding lines: the counts add up, what is stored is canonical, and the same bytes give the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "logs/lines.h"
#include "tests/fuzz/check_lines.h"

using throughline::Batch;

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
  throughline::fuzz::CheckLines(*decoded, options, batch);
  Batch again;
  again.body = throughline::Body::Of(bytes);
  TL_CHECK(DecodeLines(again.body.view(), format, options, again));
  throughline::fuzz::CheckSame(batch, again);
  return 0;
}
