// The command `throughline serve`: configuration, signals, and the line that says it is ready.
#pragma once

namespace CLI {
class App;
}

namespace throughline::gateway {

// Registers serve; its callback sets *exit_code: 0 stopped by a signal (or --check-config passed),
// 1 could not start, 2 the configuration is wrong.
void AddServeCommand(CLI::App& app, int* exit_code);

}  // namespace throughline::gateway
