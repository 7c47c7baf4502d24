// Writes a segment again without some kinds of its records.
//
// Blocks lose whole groups, which nobody has to inflate for it; whatever is left stands where it
// stood, under the same numbers. So a walk through the one can go on in the other.
#pragma once

#include <string>
#include <string_view>

#include "correlate/result.h"
#include "store/segment/segment_info.h"

namespace throughline::store::segment {

// Writes `path`, which must not exist, of the newest format; what it leaves on an error is the
// caller's to remove. Complete, but not synced. `from` has what `info` says; kinds that are gone
// already may be named again. kDataLoss: `from` is damaged.
Result<void> WriteWithout(Kinds kinds, const SegmentInfo& info, const std::string& from,
                          const std::string& path, const char* vfs);

// A block without the groups of these kinds; the ids of spans stay, which others name by place.
Result<std::string> BlockWithout(Kinds kinds, std::string_view block);

}  // namespace throughline::store::segment
