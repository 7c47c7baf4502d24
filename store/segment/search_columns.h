// What searches look at before they read blocks: of each record its time, what most searches ask
// for, and the block that it stands in; sorted by time, in parts of one service or metric
// (format.md, "Search").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"
#include "store/segment/columns.h"

namespace throughline::store::segment {

// Records of a part, at most.
inline constexpr std::size_t kPartRecords = 4096;

// Of one record. Which fields count depends on its kind.
struct SearchEntry {
  std::uint64_t time_unix_ns = 0;  // Effective.
  std::uint64_t duration_ns = 0;   // Of spans.
  double value = 0;                // Of exemplars.
  std::uint32_t name = 0;          // Of spans: the string's id + 1.
  std::uint32_t kind = 0;          // Of spans.
  std::uint32_t status = 0;        // Of spans; of lines their severity number.
  std::uint32_t block = 0;
};

// Of the entries of a part, for skipping it whole.
struct SearchBounds {
  std::uint64_t first_unix_ns = UINT64_MAX;
  std::uint64_t last_unix_ns = 0;
  double least = 0;  // Duration, severity or value. Rounded outwards.
  double most = 0;
};

SearchBounds BoundsOf(const SearchEntry* entries, std::size_t count, std::uint32_t record_kind);

// Appends a part's bytes; the entries are sorted by time.
void PutPart(const SearchEntry* entries, std::size_t count, FrameWriter& frame, std::string& out);
// kDataLoss: damaged.
Result<std::vector<SearchEntry>> ReadPart(std::string_view part);

}  // namespace throughline::store::segment
