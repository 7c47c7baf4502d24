// The commands that talk to a running gateway, for people and scripts.
#pragma once

namespace CLI {
class App;
}

namespace throughline::gateway {

// Registers locate, trace, logs, exemplars, resolve, explain, compare, doctor and demo; each
// callback sets *exit_code.
void AddClientCommands(CLI::App& app, int* exit_code);

}  // namespace throughline::gateway
