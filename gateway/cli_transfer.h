// The commands `throughline export` and `throughline import`: they work on a data directory, and
// need no gateway.
#pragma once

namespace CLI {
class App;
}

namespace throughline::gateway {

// Exit codes: 0 done; 1 failed, or records of the input were rejected; 2 wrong arguments; 3 stopped
// by a signal: the same command goes on.
void AddTransferCommands(CLI::App& app, int* exit_code);

}  // namespace throughline::gateway
