#include "gateway/cli.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/cli_analyses.h"
#include "gateway/cli_answer.h"
#include "gateway/cli_call.h"
#include "gateway/cli_render.h"
#include "gateway/cli_state.h"
#include "gateway/cli_waterfall.h"
#include "gateway/complain.h"
#include "gateway/demo.h"
#include "gateway/http_client.h"
#include "gateway/terminal.h"
#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

constexpr std::size_t kResolveItems = 10'000;     // In one request.
constexpr std::size_t kInputLineBytes = 1 << 20;  // Of one line on stdin.

// --- locate -------------------------------------------------------------------------------------

struct ByIdOptions {
  CallOptions call;
  std::string id;
  std::string wait;
  bool all = false;
};

void AddLocate(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ByIdOptions>();
  CLI::App* command = app.add_subcommand("locate", "Where an id's records are, and since when");
  AddCallOptions(*command, options->call);
  command->add_option("ID", options->id, "A trace id in any spelling, or a traceparent, B3, ...")
      ->required();
  command->add_option("--wait", options->wait, "Wait this long for the first record (5s)");
  command->callback([options, exit_code] {
    *exit_code = GetAndShow(options->call, "/api/v1/locate/" + PercentEncode(options->id),
                            {{"wait", options->wait}}, RenderLocate);
  });
}

// --- trace --------------------------------------------------------------------------------------

void AddTrace(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ByIdOptions>();
  CLI::App* command =
      app.add_subcommand("trace", "A trace as a waterfall, its log lines beneath their spans");
  AddCallOptions(*command, options->call);
  command->add_option("ID", options->id, "A trace id in any spelling, or a traceparent, B3, ...")
      ->required();
  command->add_option("--wait", options->wait, "Wait this long for the first record (5s)");
  command->add_flag("--all", options->all, "Every span and line, however many");
  command->callback([options, exit_code] {
    const auto render = [all = options->all](const Json& answer, const TerminalStyle& style) {
      WaterfallLimits limits;
      if (all) limits = {.spans = SIZE_MAX, .lines_a_span = SIZE_MAX};
      return Rendered{RenderTrace(answer, limits, style),
                      IsDead(answer["state"].Text()) ? kExitNotFound : kExitFound};
    };
    *exit_code = GetAndShow(options->call, "/api/v1/traces/" + PercentEncode(options->id),
                            {{"wait", options->wait}}, render);
  });
}

// --- logs ---------------------------------------------------------------------------------------

struct ListOptions {
  CallOptions call;
  std::string trace_id, service, severity, contains;  // Of logs.
  std::string match, min_value, max_value, le;        // Of exemplars.
  WindowQuestion window;
  std::string limit, cursor;
};

void AddRange(CLI::App& command, ListOptions& options) {
  AddWindow(command, options.window);
  command.add_option("--limit", options.limit, "At most this many");
  command.add_option("--cursor", options.cursor, "The next page: the cursor of --json");
}

void AddLogs(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* command = app.add_subcommand("logs", "Log lines that carry trace ids");
  AddCallOptions(*command, options->call);
  command->add_option("--trace-id", options->trace_id, "Of this trace, in any spelling");
  command->add_option("--service", options->service, "Of this service");
  command->add_option("--severity", options->severity, "At least this severe: warn, error, ...");
  command->add_option("--contains", options->contains, "With this text in the body");
  AddRange(*command, *options);
  command->callback([options, exit_code] {
    const ListOptions& o = *options;
    *exit_code = GetAndShow(o.call, "/api/v1/logs",
                            {{"trace_id", o.trace_id},
                             {"service", o.service},
                             {"severity", o.severity},
                             {"contains", o.contains},
                             {"start", StartOf(o.window)},
                             {"end", o.window.end},
                             {"limit", o.limit},
                             {"cursor", o.cursor}},
                            RenderLogs);
  });
}

// --- exemplars ----------------------------------------------------------------------------------

void AddExemplars(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* command =
      app.add_subcommand("exemplars", "What is behind a spike: exemplars and their traces");
  AddCallOptions(*command, options->call);
  command->add_option("METRIC", options->match,
                      "A metric, with matchers where wanted: 'latency_seconds{service=\"pay\"}'");
  command->add_option("--min-value", options->min_value, "With at least this value");
  command->add_option("--max-value", options->max_value, "With at most this value");
  command->add_option("--le", options->le, "Of the bucket with this upper bound");
  AddRange(*command, *options);
  command->callback([options, exit_code] {
    const ListOptions& o = *options;
    *exit_code = GetAndShow(o.call, "/api/v1/exemplars",
                            {{"match", o.match},
                             {"min_value", o.min_value},
                             {"max_value", o.max_value},
                             {"le", o.le},
                             {"start", StartOf(o.window)},
                             {"end", o.window.end},
                             {"limit", o.limit},
                             {"cursor", o.cursor}},
                            RenderExemplars);
  });
}

// --- resolve ------------------------------------------------------------------------------------

struct ResolveOptions {
  CallOptions call;
  std::vector<std::string> texts;
};

int ResolveTexts(const CallOptions& options, HttpClient& client,
                 const std::vector<std::string>& texts) {
  std::vector<std::string> ids;
  std::vector<std::string> lines;
  for (const std::string& text : texts) (IsLine(text) ? lines : ids).push_back(text);
  std::string body;
  wire::JsonWriter json(body);
  json.BeginObject();
  for (const auto& [name, list] : {std::pair{"ids", &ids}, std::pair{"lines", &lines}}) {
    json.Key(name).BeginArray();
    for (const std::string& text : *list) json.String(text);
    json.EndArray();
  }
  json.EndObject();
  const auto render = [&](const Json& answer, const TerminalStyle& style) {
    return RenderResolve(answer, ids, lines, style);
  };
  return PostAndShow(options, client, "/api/v1/resolve", body, render);
}

// Reads stdin to its end, a request for each `kResolveItems` lines. The worst exit code counts.
int ResolveStdin(const CallOptions& options, HttpClient& client) {
  std::vector<std::string> texts;
  std::string line;
  int worst = -1;
  const auto flush = [&] {
    worst = std::max(worst, ResolveTexts(options, client, texts));
    texts.clear();
  };
  while (std::getline(std::cin, line)) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    if (line.size() > kInputLineBytes) line.resize(kInputLineBytes);
    texts.push_back(std::move(line));
    if (texts.size() == kResolveItems) flush();
    if (worst >= kExitUsage) return worst;
  }
  if (!texts.empty()) flush();
  return worst < 0 ? Complain("nothing on stdin to resolve", kExitUsage) : worst;
}

void AddResolve(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ResolveOptions>();
  CLI::App* command =
      app.add_subcommand("resolve", "Ids and log lines to traces; '-' or nothing reads stdin");
  AddCallOptions(*command, options->call);
  command->add_option("TEXT", options->texts, "Ids in any spelling, or whole log lines");
  command->callback([options, exit_code] {
    HttpClient client = ClientOf(options->call);
    const bool from_stdin =
        options->texts.empty() || (options->texts.size() == 1 && options->texts[0] == "-");
    *exit_code = from_stdin ? ResolveStdin(options->call, client)
                            : ResolveTexts(options->call, client, options->texts);
  });
}

// --- demo ---------------------------------------------------------------------------------------

void AddDemo(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* command =
      app.add_subcommand("demo", "Sends the live traffic of a shop of seven services");
  command->add_option("--url", options->otlp_url, "Where OTLP goes")->capture_default_str();
  command->add_option("--logs-url", options->main_url, "Where log lines go and lookups are asked")
      ->envname("THROUGHLINE_URL")
      ->capture_default_str();
  command->add_option("--tenant", options->tenant, "Tenant (X-Scope-OrgID)")
      ->envname("THROUGHLINE_TENANT");
  command->add_option("--rate", options->traces_per_second, "Traces a second")
      ->check(CLI::Range(0.1, 1000.0))
      ->capture_default_str();
  command
      ->add_option("--duration", options->duration_seconds,
                   "Seconds of live traffic; 0: until stopped")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--seed", options->seed, "The same seed makes the same traffic");
  command->callback([options, exit_code] {
    options->program = program_invocation_name;
    *exit_code = RunDemo(*options);
  });
}

}  // namespace

void AddClientCommands(CLI::App& app, int* exit_code) {
  AddLocate(app, exit_code);
  AddTrace(app, exit_code);
  AddLogs(app, exit_code);
  AddExemplars(app, exit_code);
  AddResolve(app, exit_code);
  AddExplain(app, exit_code);
  AddCompare(app, exit_code);
  AddDoctor(app, exit_code);
  AddDemo(app, exit_code);
}

}  // namespace throughline::gateway
