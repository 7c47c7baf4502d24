// Inflating stays within its bounds, whatever the bytes; and gzip gives back what it was given.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "correlate/check.h"
#include "wire/compress.h"

using throughline::wire::Encoding;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr Encoding kEncodings[] = {Encoding::kGzip,   Encoding::kDeflate, Encoding::kZstd,
                                     Encoding::kSnappy, Encoding::kLz4,     Encoding::kSnappyBlock};
  constexpr std::size_t kLimit = 100'000;
  constexpr std::size_t kPadding = 64;
  const Encoding encoding = kEncodings[data[0] % 6];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto inflated = throughline::wire::Inflate(encoding, bytes, kLimit, kPadding);
  if (inflated) {
    TL_CHECK(inflated->size <= kLimit);
    TL_CHECK(inflated->capacity >= inflated->size + kPadding);
    TL_CHECK(inflated->capacity <= kLimit + 1 + kPadding);
    TL_CHECK(inflated->data[inflated->size + kPadding - 1] == 0);
  } else {
    TL_CHECK(!inflated.error().message.empty());
    TL_CHECK(inflated.error().offset <= bytes.size());
  }
  const auto back = throughline::wire::Inflate(Encoding::kGzip, throughline::wire::Gzip(bytes),
                                               bytes.size(), kPadding);
  TL_CHECK(back);
  TL_CHECK(std::string_view(back->data.get(), back->size) == bytes);
  return 0;
}
