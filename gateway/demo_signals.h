// SIGINT and SIGTERM as something to wait for instead of something that interrupts.
#pragma once

#include <signal.h>

#include <cstdint>

namespace throughline::gateway {

// Blocks both signals for the calling thread while it lives; create it before other threads.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Waits at most `ns`; true once a signal has come.
  bool WaitFor(std::uint64_t ns);
  bool Requested();

 private:
  sigset_t signals_;
  sigset_t before_;
  bool requested_ = false;
};

}  // namespace throughline::gateway
