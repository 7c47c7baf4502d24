// The commands that care for a data directory: `throughline fsck`, `backup` and `restore`.
#pragma once

namespace CLI {
class App;
}

namespace throughline::gateway {

// Exit codes of fsck: 0 nothing is wrong; 1 something is, or was, and no record is lost; 2 records
// are lost, or no repair helps; 3 it could not be checked, or was stopped. Of the others: 0 done; 1
// failed; 2 wrong arguments, or what there is refuses; 3 stopped by a signal: the same command goes
// on.
void AddCareCommands(CLI::App& app, int* exit_code);

}  // namespace throughline::gateway
