// Property: our decoder and a plain reading of the generated classes agree on every exposition that
// protobuf accepts.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/proto/prometheus/exposition_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  throughline::oracle::CompareExposition({reinterpret_cast<const char*>(data), size});
  return 0;
}
