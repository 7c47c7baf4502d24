// Reads the records of a hot request that a search may want.
//
// Most are ruled out by what stands in front of a record, without reading the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "correlate/batch.h"
#include "store/segment/segment.h"
#include "store/sqlite/memtable.h"
#include "store/sqlite/record_bytes.h"

namespace throughline::store::sqlite {

class HotReader {
 public:
  // Both outlive the reader.
  HotReader(const Memtable::Snapshot& snapshot, const segment::SearchFilter& filter);

  // Appends the request's records of the filter's kind, but those that it rules out.
  void Read(const Block& request, Batch& to);

 private:
  // Looks at all strings of the dictionary: only once something is read.
  void FindTagIds();
  bool MayMatch(RecordView record, std::uint64_t arrival_unix_ns) const;
  bool SpanMayMatch(RecordView record) const;
  bool HasText(std::uint64_t string, const std::optional<std::string>& wanted) const;
  // Whether the attributes that `cursor` stands at, or the resource, have all that is asked for.
  bool HasTags(Cursor cursor, std::uint64_t resource) const;
  bool ResourceHas(std::size_t tag, std::uint64_t resource) const;

  const Memtable::Snapshot* snapshot_;
  const segment::SearchFilter* filter_;
  // Of each tag that is asked for, the strings of the dictionary that are it.
  std::vector<std::vector<std::uint32_t>> tag_ids_;
  std::uint32_t known_strings_ = 0;  // Those below were looked at.
  bool has_tag_ids_ = false;
};

}  // namespace throughline::store::sqlite
