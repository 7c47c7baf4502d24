// Time as an argument: the gateway has the real one, tests have theirs.
#pragma once

#include <cstdint>

namespace throughline {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::uint64_t NowUnixNs() const = 0;
};

}  // namespace throughline
