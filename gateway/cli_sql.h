// The command `throughline sql`: read-only SQL over a data directory, also beside a gateway that
// runs on it.
#pragma once

namespace CLI {
class App;
}

namespace throughline::gateway {

// Exit codes: 0 done; 1 failed, timed out, or part of an answer is missing; 2 wrong arguments, or a
// statement that cannot be run; 3 stopped by a signal.
void AddSqlCommand(CLI::App& app, int* exit_code);

}  // namespace throughline::gateway
