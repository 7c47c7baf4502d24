// SIGINT and SIGTERM as a flag that a command asks between two steps.
#pragma once

namespace throughline::gateway {

// From here on the first signal sets the flag, and a second one ends the process as it would have.
// SIGPIPE becomes an error of the write.
void CatchStopSignals();
bool StopWasAsked();

}  // namespace throughline::gateway
