#include "gateway/stop_signal.h"

#include <csignal>

namespace throughline::gateway {
namespace {

volatile std::sig_atomic_t g_stop_was_asked = 0;

void OnSignal(int /*signal*/) { g_stop_was_asked = 1; }

}  // namespace

void CatchStopSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool StopWasAsked() { return g_stop_was_asked != 0; }

}  // namespace throughline::gateway
