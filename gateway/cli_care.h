// The command that cares for a data directory: `throughline fsck`.
#pragma once

namespace CLI {
class App;
}

namespace throughline::gateway {

// Exit codes of fsck: 0 nothing is wrong; 1 something is, or was, and no record is lost; 2 records
// are lost, or no repair helps; 3 it could not be checked, or was stopped.
void AddCareCommands(CLI::App& app, int* exit_code);

}  // namespace throughline::gateway
