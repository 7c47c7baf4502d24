// What the commands that ask a gateway share: where it is, how it is asked, and how an answer, or
// why there is none, is shown.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "gateway/cli_answer.h"
#include "gateway/cli_render.h"
#include "gateway/cli_report.h"
#include "gateway/http_client.h"
#include "gateway/terminal.h"

namespace throughline::gateway {

// What every one of them takes.
struct CallOptions {
  std::string url = "http://127.0.0.1:4380";
  std::string tenant;
  bool json = false;
  double timeout_seconds = 30;
};
void AddCallOptions(CLI::App& command, CallOptions& options);

// --since, --start and --end.
void AddWindow(CLI::App& command, WindowQuestion& window);

HttpClient ClientOf(const CallOptions& options);

// Called with a good answer.
using Renderer = std::function<Rendered(const Json&, const TerminalStyle&)>;

// Each returns an exit code (cli_state.h). Parameters without a value are not sent.
int GetAndShow(const CallOptions& options, const std::string& path,
               const std::vector<std::pair<std::string, std::string>>& query,
               const Renderer& render);
int PostAndShow(const CallOptions& options, HttpClient& client, const std::string& path,
                const std::string& json, const Renderer& render);

}  // namespace throughline::gateway
