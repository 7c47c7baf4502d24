// Zipkin's spans in JSON: see span_check.h.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "spans/zipkin.h"
#include "tests/fuzz/span_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  throughline::fuzz::CheckSpanDecoder({reinterpret_cast<const char*>(data), size},
                                      throughline::spans::DecodeZipkinJson);
  return 0;
}
