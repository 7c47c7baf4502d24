// Reads the records of a hot request that a search may want.
//
// Most are ruled out by what stands in front of a record, without reading the rest.
#pragma once

#include <cstdint>

#include "correlate/batch.h"
#include "store/segment/segment.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::sqlite {

class HotReader {
 public:
  // Both outlive the reader.
  HotReader(const Memtable::Snapshot& snapshot, const segment::SearchFilter& filter)
      : snapshot_(&snapshot), filter_(&filter) {}

  // Appends the request's records of the filter's kind, but those that it rules out.
  void Read(const Block& request, Batch& to) const;

 private:
  bool MayMatch(RecordView record, std::uint64_t arrival_unix_ns) const;
  bool SpanMayMatch(RecordView record) const;
  bool HasText(std::uint64_t string, const std::optional<std::string>& wanted) const;

  const Memtable::Snapshot* snapshot_;
  const segment::SearchFilter* filter_;
};

}  // namespace throughline::store::sqlite
