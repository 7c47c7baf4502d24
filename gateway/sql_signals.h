// Signals of `throughline sql`: SIGINT ends the query that runs, not the shell.
#pragma once

#include <atomic>
#include <memory>

namespace throughline::gateway {

// From here on SIGINT and SIGTERM set flags, and end a read that waits. SIGPIPE becomes an error of
// the write.
void CatchSqlSignals();

// SIGINT came since the last call of ForgetInterrupt; or SIGTERM did.
std::shared_ptr<const std::atomic<bool>> SqlInterrupt();
void ForgetInterrupt();
void Interrupt();       // As SIGINT does.
bool SqlEndWasAsked();  // SIGTERM.

// Waits until `fd` can be read. False: there was a signal, be it before the call, since the last
// ForgetInterrupt.
bool WaitForInput(int fd);

}  // namespace throughline::gateway
