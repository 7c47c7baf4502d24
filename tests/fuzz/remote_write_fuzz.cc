// Property: our decoder and a plain reading of the generated classes agree on every request that
// protobuf accepts. The first byte says the version.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/proto/prometheus/remote_write_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using throughline::exemplars::WriteVersion;
  if (size == 0) return 0;
  throughline::oracle::CompareRemoteWrite({reinterpret_cast<const char*>(data) + 1, size - 1},
                                          data[0] % 2 == 0 ? WriteVersion::k1 : WriteVersion::k2);
  return 0;
}
