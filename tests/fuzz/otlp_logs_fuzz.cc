// Property: our decoder and the official classes agree on every request that protobuf accepts.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/proto/oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  throughline::oracle::CompareLogs({reinterpret_cast<const char*>(data), size});
  return 0;
}
