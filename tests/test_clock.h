// A clock that stands still until it is told how much time has passed. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "correlate/clock.h"

namespace throughline {

class TestClock final : public Clock {
 public:
  explicit TestClock(std::uint64_t now_unix_ns) : now_(now_unix_ns) {}
  std::uint64_t NowUnixNs() const override { return now_.load(); }
  void Advance(std::uint64_t ns) { now_ += ns; }

 private:
  std::atomic<std::uint64_t> now_;
};

}  // namespace throughline
