// Points of one series as bytes: a row of a segment's table `gauge` (format.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "store/segment/columns.h"

namespace throughline::store::segment {

struct GaugeEntry {
  std::uint64_t time_unix_ns = 0;  // As sent.
  std::uint64_t arrival_unix_ns = 0;
  double value = 0;

  std::uint64_t EffectiveUnixNs() const {
    return EffectiveTimeOf(time_unix_ns, 0, arrival_unix_ns).unix_ns;
  }
};

void PutGaugePart(const GaugeEntry* points, std::size_t count, FrameWriter& frame,
                  std::string& out);
// kDataLoss: damaged.
Result<std::vector<GaugeEntry>> ReadGaugePart(std::string_view part);

}  // namespace throughline::store::segment
