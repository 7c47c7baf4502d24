// Which attributes the records of a hot part have: a filter for every few hundred of them, so that
// a search for one value reads the few requests that may have it.
//
// Filters are made by the first search that could use them, of requests that will get no more
// company: intake pays nothing, and who never searches neither. They say the same as those of a
// segment's blocks (segment/tag_filter.h). Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "correlate/scope.h"
#include "store/segment/segment.h"
#include "store/segment/tag_filter.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::sqlite {

class HotTags {
 public:
  struct Limits {
    // Spans and lines that share a filter: whole requests, until there are so many.
    std::size_t chunk_records = 512;
    // Of all filters of a part. What lies behind is read by every search.
    std::size_t filter_bytes = std::size_t{16} << 20U;
  };
  explicit HotTags(const Limits& limits) : limits_(limits) {}

  // Of each request of the snapshot, whether it may hold records with all tags of the filter. Makes
  // the filters that are missing, until the deadline. The snapshots of all calls are of one part.
  std::vector<bool> RequestsFor(const Memtable::Snapshot& snapshot,
                                const segment::SearchFilter& filter, const Scope& scope);
  // What the filters take.
  std::size_t size_bytes() const;

 private:
  struct Chunk {
    std::size_t end = 0;  // Of its requests.
    std::string filter;   // Empty: nothing in it has attributes.
  };
  // Makes the filter of the next chunk; false: it is not full, or there is no room for it.
  bool AddChunk(const Memtable::Snapshot& snapshot, std::optional<segment::TagGatherer>& gatherer);

  const Limits limits_;
  mutable std::mutex mutex_;
  std::vector<Chunk> chunks_;  // Guarded by mutex_, as size_bytes_; of requests from the first on.
  std::size_t size_bytes_ = 0;
};

}  // namespace throughline::store::sqlite
