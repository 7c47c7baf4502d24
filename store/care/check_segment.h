// Checks one segment's file: all that it holds, against itself and against the catalog.
#pragma once

#include <string>
#include <vector>

#include "store/care/finding.h"
#include "store/segment/segment_info.h"

namespace throughline::store::care {

// What the file itself says, as far as it can be read.
struct SegmentFacts {
  segment::SegmentInfo info;  // Counted anew; without id and tail.
  bool is_readable = false;   // It is a segment, of a version that we know.
  bool is_newer = false;
  bool is_hurt = false;  // The file; not only what the catalog says of it.
  bool has_seed = false;
  std::uint64_t hash_seed = 0;
  std::uint32_t most_tenant = 0;
};

// What a file holds still, of what its row of the catalog says was sealed.
segment::SegmentInfo Left(const segment::SegmentInfo& row);

// `row`: the catalog's; null: it has none. Findings name the file as `name`. An error: stopped.
Result<SegmentFacts> CheckSegment(const std::string& directory, const std::string& name,
                                  const segment::SegmentInfo* row, const Work& work,
                                  std::vector<Finding>& findings);

}  // namespace throughline::store::care
