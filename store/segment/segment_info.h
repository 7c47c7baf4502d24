// What is known of a sealed segment without opening it: its row of the catalog.
#pragma once

#include <cstdint>
#include <string>

#include "correlate/query.h"
#include "store/sqlite/record.h"

namespace throughline::store::segment {

// Kinds of records, a bit each.
using Kinds = std::uint32_t;
inline constexpr Kinds KindBit(sqlite::RecordKind kind) {
  return Kinds{1} << static_cast<unsigned>(kind);
}
inline constexpr Kinds kSpanBit = KindBit(sqlite::RecordKind::kSpan);
inline constexpr Kinds kLineBit = KindBit(sqlite::RecordKind::kLine);
inline constexpr Kinds kExemplarBit = KindBit(sqlite::RecordKind::kExemplar);
inline constexpr Kinds kGaugeBit = KindBit(sqlite::RecordKind::kGauges);

struct SegmentInfo {
  std::uint64_t id = 0;
  std::uint64_t tail = 0;  // The number of the tail that it was made of.
  std::string file;        // Its name in the data directory.
  std::int64_t format = 1;
  std::uint64_t traces = 0;
  std::uint64_t spans = 0;
  std::uint64_t logs = 0;
  std::uint64_t exemplars = 0;
  std::uint64_t gauges = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;  // Of the file (sqlite/file_hash.h); 0: not known.
  // Effective times of all records, of whatever kind; start > end: there are none.
  TimeRange time = {UINT64_MAX, 0};
  std::uint64_t first_arrival_unix_ns = UINT64_MAX;
  std::uint64_t last_arrival_unix_ns = 0;
  // Kinds that retention took: they are in no answer. The counts are those of before.
  Kinds expired = 0;
  Kinds removed = 0;  // Those of them that the file does not hold any more.

  // Records of these kinds, as they were sealed.
  std::uint64_t CountOf(Kinds kinds) const {
    return (kinds & kSpanBit ? spans : 0) + (kinds & kLineBit ? logs : 0) +
           (kinds & kExemplarBit ? exemplars : 0) + (kinds & kGaugeBit ? gauges : 0);
  }
  // That it was sealed with.
  Kinds kinds() const {
    return (spans != 0 ? kSpanBit : 0) | (logs != 0 ? kLineBit : 0) |
           (exemplars != 0 ? kExemplarBit : 0) | (gauges != 0 ? kGaugeBit : 0);
  }
};

}  // namespace throughline::store::segment
