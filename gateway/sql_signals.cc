#include "gateway/sql_signals.h"

#include <csignal>

namespace throughline::gateway {
namespace {

std::atomic<bool> g_interrupted{false};
std::atomic<bool> g_end_was_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void OnInterrupt(int /*signal*/) { g_interrupted = true; }

void OnEnd(int /*signal*/) {
  g_end_was_asked = true;
  g_interrupted = true;
}

}  // namespace

void CatchSqlSignals() {
  struct sigaction action {};
  ::sigemptyset(&action.sa_mask);
  action.sa_handler = OnInterrupt;  // Without SA_RESTART: a read that waits has to end.
  ::sigaction(SIGINT, &action, nullptr);
  action.sa_handler = OnEnd;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::shared_ptr<const std::atomic<bool>> SqlInterrupt() {
  return {std::shared_ptr<void>(), &g_interrupted};  // Lives as long as the process.
}

void ForgetInterrupt() {
  if (!g_end_was_asked) g_interrupted = false;
}

void Interrupt() { g_interrupted = true; }

bool SqlEndWasAsked() { return g_end_was_asked; }

}  // namespace throughline::gateway
