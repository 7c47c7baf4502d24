// throughline: one program, a command each for the gateway and for its clients.
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "gateway/cli.h"
#include "gateway/cli_backup.h"
#include "gateway/cli_care.h"
#include "gateway/cli_grafana.h"
#include "gateway/cli_sql.h"
#include "gateway/cli_transfer.h"
#include "gateway/serve.h"
#include "gateway/version.h"

int main(int argc, char** argv) {
  using namespace throughline::gateway;
  CLI::App app{"From a spike to its trace to its log lines.", "throughline"};
  app.set_version_flag("--version", std::string("throughline ") + kVersion);
  app.require_subcommand(1);
  int exit_code = 0;
  AddServeCommand(app, &exit_code);
  AddClientCommands(app, &exit_code);
  AddTransferCommands(app, &exit_code);
  AddCareCommands(app, &exit_code);
  AddSqlCommand(app, &exit_code);
  AddBackupCommands(app, &exit_code);
  AddGrafanaCommand(app, &exit_code);
  // CLI11 reads `--name=` as a name without a value, and takes the next argument for it.
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {  // Last first, as parse() wants them.
    std::string argument = argv[i];
    if (argument.size() > 3 && argument.substr(0, 2) == "--" && argument.back() == '=') {
      arguments.emplace_back();
      argument.pop_back();
    }
    arguments.push_back(std::move(argument));
  }
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return exit_code;
}
