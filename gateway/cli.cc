#include "gateway/cli.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/cli_answer.h"
#include "gateway/cli_compare.h"
#include "gateway/cli_doctor.h"
#include "gateway/cli_explain.h"
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

constexpr const char* kDefaultUrl = "http://127.0.0.1:4380";
constexpr std::size_t kResolveItems = 10'000;     // In one request.
constexpr std::size_t kInputLineBytes = 1 << 20;  // Of one line on stdin.

// What every lookup command takes.
struct Common {
  std::string url = kDefaultUrl;
  std::string tenant;
  bool json = false;
  double timeout_seconds = 30;
};

void AddCommon(CLI::App& command, Common& common) {
  command.add_option("--url", common.url, "Address of the gateway")
      ->envname("THROUGHLINE_URL")
      ->capture_default_str();
  command.add_option("--tenant", common.tenant, "Tenant (X-Scope-OrgID)")
      ->envname("THROUGHLINE_TENANT");
  command.add_flag("--json", common.json, "The gateway's JSON answer as it is");
  command.add_option("--timeout", common.timeout_seconds, "Seconds to wait for an answer")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
}

HttpClient ClientOf(const Common& common) {
  return HttpClient({.timeout_ms = static_cast<long>(common.timeout_seconds * 1000)}, nullptr);
}

HttpHeaders HeadersOf(const Common& common) {
  HttpHeaders headers{{"Accept", "application/json"}};
  if (!common.tenant.empty()) headers.emplace_back("X-Scope-OrgID", common.tenant);
  return headers;
}

int ExitOf(int http_status) {
  if (http_status == 404) return kExitNotFound;
  if (http_status >= 500 || http_status == 429) return kExitUnreachable;
  return http_status >= 400 ? kExitUsage : kExitFound;
}

// Prints an answer, or why there is none. `render` is called with a good answer.
template <typename Render>
int Show(const Common& common, const Result<HttpAnswer>& answer, Render render) {
  if (!answer) {
    return Complain("cannot reach the gateway at " + common.url + ": " + answer.error().message +
                        " (is it running? --url or THROUGHLINE_URL names another one)",
                    kExitUnreachable);
  }
  JsonDocument document;
  const bool is_json = document.Parse(answer->body);
  const bool good = answer->status >= 200 && answer->status < 300;
  if (common.json && is_json) {
    std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
    if (!answer->body.ends_with('\n')) std::fputc('\n', stdout);
  }
  if (!good) {
    return Complain(RenderProblem(document.root(), answer->status), ExitOf(answer->status));
  }
  if (!is_json) {
    return Complain("what answers at " + common.url + " is no Throughline gateway",
                    kExitUnreachable);
  }
  const Rendered rendered = render(document.root(), StyleOf(STDOUT_FILENO));
  if (!common.json) std::fwrite(rendered.text.data(), 1, rendered.text.size(), stdout);
  return rendered.exit_code;
}

template <typename Render>
int GetAndShow(const Common& common, const std::string& path,
               const std::vector<std::pair<std::string, std::string>>& query, Render render) {
  HttpClient client = ClientOf(common);
  return Show(common, client.Get(UrlOf(common.url, path, query), HeadersOf(common)), render);
}

// "15m" to "now-15m"; what is a time already stays.
std::string StartOf(const std::string& since, const std::string& start) {
  return since.empty() ? start : "now-" + since;
}

// --- locate -------------------------------------------------------------------------------------

struct ByIdOptions {
  Common common;
  std::string id;
  std::string wait;
  bool all = false;
};

void AddLocate(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ByIdOptions>();
  CLI::App* command = app.add_subcommand("locate", "Where an id's records are, and since when");
  AddCommon(*command, options->common);
  command->add_option("ID", options->id, "A trace id in any spelling, or a traceparent, B3, ...")
      ->required();
  command->add_option("--wait", options->wait, "Wait this long for the first record (5s)");
  command->callback([options, exit_code] {
    *exit_code = GetAndShow(options->common, "/api/v1/locate/" + PercentEncode(options->id),
                            {{"wait", options->wait}}, RenderLocate);
  });
}

// --- trace --------------------------------------------------------------------------------------

void AddTrace(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ByIdOptions>();
  CLI::App* command =
      app.add_subcommand("trace", "A trace as a waterfall, its log lines beneath their spans");
  AddCommon(*command, options->common);
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
    *exit_code = GetAndShow(options->common, "/api/v1/traces/" + PercentEncode(options->id),
                            {{"wait", options->wait}}, render);
  });
}

// --- logs ---------------------------------------------------------------------------------------

struct ListOptions {
  Common common;
  std::string trace_id, service, severity, contains;  // Of logs.
  std::string match, min_value, max_value, le;        // Of exemplars.
  std::string since, start, end;
  std::string limit, cursor;
};

void AddWindow(CLI::App& command, ListOptions& options) {
  auto* since = command.add_option("--since", options.since, "From this long ago (15m, 2h)");
  command.add_option("--start", options.start, "From: RFC 3339, unix time, or now-15m")
      ->excludes(since);
  command.add_option("--end", options.end, "To: RFC 3339, unix time, or now-5m");
}

void AddRange(CLI::App& command, ListOptions& options) {
  AddWindow(command, options);
  command.add_option("--limit", options.limit, "At most this many");
  command.add_option("--cursor", options.cursor, "The next page: the cursor of --json");
}

void AddLogs(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* command = app.add_subcommand("logs", "Log lines that carry trace ids");
  AddCommon(*command, options->common);
  command->add_option("--trace-id", options->trace_id, "Of this trace, in any spelling");
  command->add_option("--service", options->service, "Of this service");
  command->add_option("--severity", options->severity, "At least this severe: warn, error, ...");
  command->add_option("--contains", options->contains, "With this text in the body");
  AddRange(*command, *options);
  command->callback([options, exit_code] {
    const ListOptions& o = *options;
    *exit_code = GetAndShow(o.common, "/api/v1/logs",
                            {{"trace_id", o.trace_id},
                             {"service", o.service},
                             {"severity", o.severity},
                             {"contains", o.contains},
                             {"start", StartOf(o.since, o.start)},
                             {"end", o.end},
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
  AddCommon(*command, options->common);
  command->add_option("METRIC", options->match,
                      "A metric, with matchers where wanted: 'latency_seconds{service=\"pay\"}'");
  command->add_option("--min-value", options->min_value, "With at least this value");
  command->add_option("--max-value", options->max_value, "With at most this value");
  command->add_option("--le", options->le, "Of the bucket with this upper bound");
  AddRange(*command, *options);
  command->callback([options, exit_code] {
    const ListOptions& o = *options;
    *exit_code = GetAndShow(o.common, "/api/v1/exemplars",
                            {{"match", o.match},
                             {"min_value", o.min_value},
                             {"max_value", o.max_value},
                             {"le", o.le},
                             {"start", StartOf(o.since, o.start)},
                             {"end", o.end},
                             {"limit", o.limit},
                             {"cursor", o.cursor}},
                            RenderExemplars);
  });
}

// --- resolve ------------------------------------------------------------------------------------

struct ResolveOptions {
  Common common;
  std::vector<std::string> texts;
};

int ResolveTexts(const Common& common, HttpClient& client, const std::vector<std::string>& texts) {
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
  HttpHeaders headers = HeadersOf(common);
  headers.emplace_back("Content-Type", "application/json");
  const auto render = [&](const Json& answer, const TerminalStyle& style) {
    return RenderResolve(answer, ids, lines, style);
  };
  return Show(common, client.Post(UrlOf(common.url, "/api/v1/resolve", {}), headers, body), render);
}

// Reads stdin to its end, a request for each `kResolveItems` lines. The worst exit code counts.
int ResolveStdin(const Common& common, HttpClient& client) {
  std::vector<std::string> texts;
  std::string line;
  int worst = -1;
  const auto flush = [&] {
    worst = std::max(worst, ResolveTexts(common, client, texts));
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
  AddCommon(*command, options->common);
  command->add_option("TEXT", options->texts, "Ids in any spelling, or whole log lines");
  command->callback([options, exit_code] {
    HttpClient client = ClientOf(options->common);
    const bool from_stdin =
        options->texts.empty() || (options->texts.size() == 1 && options->texts[0] == "-");
    *exit_code = from_stdin ? ResolveStdin(options->common, client)
                            : ResolveTexts(options->common, client, options->texts);
  });
}

// --- explain and compare -----------------------------------------------------------------------

using Renderer = Rendered (*)(const Json&, const TerminalStyle&);

// Posts a JSON body, and shows the answer.
int Ask(const Common& common, const char* path, const std::string& body, Renderer render) {
  HttpClient client = ClientOf(common);
  HttpHeaders headers = HeadersOf(common);
  headers.emplace_back("Content-Type", "application/json");
  return Show(common, client.Post(UrlOf(common.url, path, {}), headers, body), render);
}

struct ExplainCommand {
  Common common;
  ExplainQuestion question;
};

void AddExplain(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ExplainCommand>();
  ExplainQuestion& question = options->question;
  CLI::App* command =
      app.add_subcommand("explain", "Why traces differ from normal ones: the culprit, with proof");
  AddCommon(*command, options->common);
  auto* since =
      command->add_option("--since", question.window.since, "From this long ago (5m, 1h)");
  command->add_option("--start", question.window.start, "From: RFC 3339, unix time, or now-5m")
      ->excludes(since);
  command->add_option("--end", question.window.end, "To: RFC 3339, unix time, or now");
  command->add_option("--baseline-start", question.baseline.start,
                      "A normal window; without it some are chosen");
  command->add_option("--baseline-end", question.baseline.end, "Its end");
  command->add_option("--service", question.service, "Only traces through this service");
  command->add_option("--operation", question.operation, "And this operation of it");
  command->add_option("--metric", question.metric, "The metric that shows the spike, a selector");
  command->add_option("--trace-id", question.trace_id, "A trace of the spike, in any spelling");
  command->add_option("--kind", question.kind, "latency or error");
  command->add_option("--limit", question.limit, "At most this many candidates");
  command->callback([options, exit_code] {
    *exit_code =
        Ask(options->common, "/api/v1/explain", ExplainBody(options->question), RenderExplain);
  });
}

struct CompareCommand {
  Common common;
  CompareQuestion question;
};

void AddCompare(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<CompareCommand>();
  CompareQuestion& question = options->question;
  CLI::App* command = app.add_subcommand(
      "compare",
      "Whether one version's traces are worse than another's; exits with 0 where they "
      "pass, 1 where they fail, 4 where that cannot be said");
  AddCommon(*command, options->common);
  command->add_option("--baseline", question.baseline,
                      "key=value: an attribute of the baseline (service.version=1.4)");
  command->add_option("--candidate", question.candidate, "key=value: the same of the candidate");
  command->add_option("--service", question.service, "A span of this service has the attributes");
  command->add_option("--operation", question.operation, "And this operation of it");
  auto* since =
      command->add_option("--since", question.window.since, "From this long ago (5m, 1h)");
  command->add_option("--start", question.window.start, "From: RFC 3339, unix time, or now-5m")
      ->excludes(since);
  command->add_option("--end", question.window.end, "To: RFC 3339, unix time, or now");
  auto* before = command->add_option("--baseline-start", question.baseline_window.start,
                                     "From, of the baseline, where it is another time");
  command->add_option("--baseline-end", question.baseline_window.end, "To, of the baseline")
      ->needs(before);
  command->callback([options, exit_code] {
    *exit_code =
        Ask(options->common, "/api/v1/compare", CompareBody(options->question), RenderCompare);
  });
}

// --- doctor ------------------------------------------------------------------------------------

void AddDoctor(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* command = app.add_subcommand(
      "doctor",
      "How well spans, lines and exemplars hang together, and which configuration to change; exits "
      "with 1 where something is wrong");
  AddCommon(*command, options->common);
  command->add_option("--service", options->service, "Of this service");
  AddWindow(*command, *options);
  command->callback([options, exit_code] {
    const ListOptions& o = *options;
    *exit_code =
        GetAndShow(o.common, "/api/v1/coverage",
                   {{"service", o.service}, {"start", StartOf(o.since, o.start)}, {"end", o.end}},
                   RenderDoctor);
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
