#include "gateway/demo_signals.h"

#include <ctime>

namespace throughline::gateway {

StopSignals::StopSignals() : signals_(), before_() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

StopSignals::~StopSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool StopSignals::WaitFor(std::uint64_t ns) {
  if (requested_) return true;
  const timespec timeout{.tv_sec = static_cast<std::time_t>(ns / 1'000'000'000),
                         .tv_nsec = static_cast<long>(ns % 1'000'000'000)};
  requested_ = sigtimedwait(&signals_, nullptr, &timeout) > 0;
  return requested_;
}

bool StopSignals::Requested() { return WaitFor(0); }

}  // namespace throughline::gateway
