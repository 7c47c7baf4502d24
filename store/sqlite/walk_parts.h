// Walks over the records of one part (store/walk.h).
#pragma once

#include <cstdint>
#include <functional>

#include "correlate/result.h"
#include "store/segment/segment.h"
#include "store/sqlite/memtable.h"
#include "store/walk.h"

namespace throughline::store::sqlite {

using WalkVisit = std::function<bool(const Batch& batch, WalkPlace place)>;

// Both visit what stands behind `query.after`, with places of `source`. False: the visitor said so.
Result<bool> WalkSegment(const segment::Segment& segment, std::uint64_t source,
                         std::uint32_t tenant, const WalkQuery& query, const WalkVisit& visit);
bool WalkHot(const Memtable::Snapshot& snapshot, std::uint64_t source, std::uint32_t tenant,
             const WalkQuery& query, const WalkVisit& visit);

}  // namespace throughline::store::sqlite
