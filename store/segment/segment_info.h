// What is known of a sealed segment without opening it: its row of the catalog.
#pragma once

#include <cstdint>
#include <string>

#include "correlate/query.h"

namespace throughline::store::segment {

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
};

}  // namespace throughline::store::segment
