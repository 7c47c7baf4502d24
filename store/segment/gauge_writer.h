// The gauge points of a memtable as rows of a segment: by series, sorted by time (format.md).
#pragma once

#include "correlate/result.h"
#include "store/segment/dictionary_writer.h"
#include "store/segment/segment_info.h"
#include "store/sqlite/database.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::segment {

// Counts the points in `info`, and widens its times.
Result<void> WriteGauges(const sqlite::Memtable::Snapshot& snapshot,
                         const DictionaryWriter& strings, sqlite::Database& db, SegmentInfo& info);

}  // namespace throughline::store::segment
