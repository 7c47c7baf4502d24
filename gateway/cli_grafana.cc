#include "gateway/cli_grafana.h"

#include <cstdio>
#include <memory>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "api/grafana_provisioning.h"
#include "gateway/complain.h"

namespace throughline::gateway {

void AddGrafanaCommand(CLI::App& app, int* exit_code) {
  CLI::App* const command = app.add_subcommand(
      "grafana-provisioning", "Writes the file that provisions Grafana's data sources");
  const auto url = std::make_shared<std::string>("http://127.0.0.1:4380");
  command->add_option("--url", *url, "of the gateway, as Grafana reaches it")
      ->capture_default_str();
  command->callback([url, exit_code] {
    const auto text = api::GrafanaProvisioning(*url);
    if (!text) {
      *exit_code = Complain(text.error());
      return;
    }
    std::fwrite(text->data(), 1, text->size(), stdout);
    if (std::fflush(stdout) != 0) *exit_code = Complain("standard output is closed", kExitFailed);
  });
}

}  // namespace throughline::gateway
