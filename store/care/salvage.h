// Saves what can be read of hurt files, as new segments.
#pragma once

#include <string>

#include "store/care/check_tail.h"
#include "store/care/finding.h"
#include "store/segment/segment_info.h"

namespace throughline::store::care {

// Writes what a segment's readable blocks and gauges hold as DIR/`to.file`, durable when it
// returns. `to` has id, tail and file; the rest is filled in. All counts zero: nothing could be
// saved, and no file is there.
Result<void> SalvageSegment(const std::string& directory, const std::string& name,
                            std::uint64_t hash_seed, const Work& work, segment::SegmentInfo& to);
// The same with the good rows of a tail.
Result<void> SalvageTail(const std::string& directory, const TailFacts& tail,
                         std::uint64_t hash_seed, segment::SegmentInfo& to);

}  // namespace throughline::store::care
