// The commands `throughline backup` and `throughline restore`.
#pragma once

namespace CLI {
class App;
}

namespace throughline::gateway {

// Exit codes: 0 done; 1 failed, the disk or the gateway refuses, or something is damaged; 2 wrong
// arguments, or what stands there is something else; 3 stopped by a signal: the same command goes
// on.
void AddBackupCommands(CLI::App& app, int* exit_code);

}  // namespace throughline::gateway
