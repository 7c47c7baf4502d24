// `throughline grafana-provisioning`: the file that gives Grafana its data sources on a gateway.
#pragma once

namespace CLI {
class App;
}

namespace throughline::gateway {

// Registers it; the callback sets *exit_code: 0, or kExitWrong for a URL that is none.
void AddGrafanaCommand(CLI::App& app, int* exit_code);

}  // namespace throughline::gateway
