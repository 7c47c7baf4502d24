// A date and a time of day to nanoseconds since the Unix epoch.
#pragma once

#include <cstdint>

namespace throughline::logs {

struct CivilTime {
  std::int64_t year = 1970;
  std::int64_t month = 1;  // 1-12
  std::int64_t day = 1;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;  // 60: a leap second.
  std::int64_t nanosecond = 0;
  std::int64_t offset_minutes = 0;  // East of UTC.
};

// 0: there is no such date or time, or 64 bits do not hold it (before 1970, after 2553).
std::uint64_t UnixNsOf(const CivilTime& time);

}  // namespace throughline::logs
