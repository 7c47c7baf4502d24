#include "gateway/sql_signals.h"

#include <poll.h>

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

bool WaitForInput(int fd) {
  // Signals come in while it waits, and not between the look and the wait: they would be missed.
  sigset_t ours;
  sigset_t before;
  ::sigemptyset(&ours);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ours, signal);
  ::pthread_sigmask(SIG_BLOCK, &ours, &before);
  pollfd input{.fd = fd, .events = POLLIN, .revents = 0};
  const bool has_input = !g_interrupted && ::ppoll(&input, 1, nullptr, &before) > 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return has_input;
}

}  // namespace throughline::gateway
