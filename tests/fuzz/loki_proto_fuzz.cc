// Loki's push in protobuf: the counts add up, texts are UTF-8, and the same bytes give the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "logs/loki.h"
#include "tests/fuzz/check_lines.h"

using throughline::Batch;
using throughline::Body;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const throughline::DecodeOptions options{
      .hash_seed = 7, .keep_unlinked = (data[0] & 1U) != 0, .attributes_per_record = 8};
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Batch batch;
  batch.body = Body::Of(bytes);
  const auto decoded = throughline::logs::DecodeLokiProto(batch.body.view(), options, batch);
  if (!decoded) {
    TL_CHECK(!decoded.error().message.empty());
    return 0;
  }
  throughline::fuzz::CheckLines(*decoded, options, batch);
  Batch again;
  again.body = Body::Of(bytes);
  TL_CHECK(throughline::logs::DecodeLokiProto(again.body.view(), options, again));
  throughline::fuzz::CheckSame(batch, again);
  return 0;
}
