// Writes what a memtable holds as one segment file (format.md).
#pragma once

#include <string>

#include "correlate/result.h"
#include "store/segment/segment_info.h"
#include "store/sqlite/database.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::segment {

// Writes `path`, which must not exist; what it leaves on an error is the caller's to remove. The
// file is complete but not synced. `table` gets no more records. Fills in all of the info but id,
// tail and file.
Result<SegmentInfo> WriteSegment(const sqlite::Memtable& table, const std::string& path,
                                 const char* vfs);

// A new file of the newest format, without its tables.
Result<sqlite::Database> OpenNewSegment(const std::string& path, const char* vfs);

}  // namespace throughline::store::segment
