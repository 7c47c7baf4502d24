// Whatever another server answers, what is read of it is within its bounds and in order.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/prometheus/upstream_exemplars.h"
#include "correlate/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace throughline::api::prometheus;
  constexpr std::size_t kMost = 3;
  const auto read = ReadUpstreamExemplars({reinterpret_cast<const char*>(data), size}, kMost);
  if (!read) {
    TL_CHECK(!read.error().message.empty());
    return 0;
  }
  TL_CHECK(read->exemplars.size() <= kMost);
  TL_CHECK(read->left_out == 0 || read->exemplars.size() == kMost);
  std::uint64_t before = UINT64_MAX;
  for (const UpstreamExemplar& exemplar : read->exemplars) {
    TL_CHECK(exemplar.series < read->series.size());
    TL_CHECK(exemplar.unix_ns <= before);
    before = exemplar.unix_ns;
  }
  return 0;
}
