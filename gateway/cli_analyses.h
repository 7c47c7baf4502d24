// The commands that ask for an analysis: explain, compare, doctor.
#pragma once

#include <CLI/CLI.hpp>

namespace throughline::gateway {

// Each sets `*exit_code` when it has run.
void AddExplain(CLI::App& app, int* exit_code);
void AddCompare(CLI::App& app, int* exit_code);
void AddDoctor(CLI::App& app, int* exit_code);

}  // namespace throughline::gateway
