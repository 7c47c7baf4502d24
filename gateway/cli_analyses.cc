#include "gateway/cli_analyses.h"

#include <memory>
#include <string>

#include "gateway/cli_call.h"
#include "gateway/cli_compare.h"
#include "gateway/cli_doctor.h"
#include "gateway/cli_explain.h"

namespace throughline::gateway {
namespace {

struct ExplainCommand {
  CallOptions call;
  ExplainQuestion question;
};

struct CompareCommand {
  CallOptions call;
  CompareQuestion question;
};

struct DoctorCommand {
  CallOptions call;
  WindowQuestion window;
  std::string service;
};

// Posts a JSON body, and shows the answer.
int Ask(const CallOptions& options, const char* path, const std::string& body,
        const Renderer& render) {
  HttpClient client = ClientOf(options);
  return PostAndShow(options, client, path, body, render);
}

}  // namespace

void AddExplain(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ExplainCommand>();
  ExplainQuestion& question = options->question;
  CLI::App* command =
      app.add_subcommand("explain", "Why traces differ from normal ones: the culprit, with proof");
  AddCallOptions(*command, options->call);
  AddWindow(*command, question.window);
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
        Ask(options->call, "/api/v1/explain", ExplainBody(options->question), RenderExplain);
  });
}

void AddCompare(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<CompareCommand>();
  CompareQuestion& question = options->question;
  CLI::App* command = app.add_subcommand(
      "compare",
      "Whether one version's traces are worse than another's; exits with 0 where they "
      "pass, 1 where they fail, 4 where that cannot be said");
  AddCallOptions(*command, options->call);
  command->add_option("--baseline", question.baseline,
                      "key=value: an attribute of the baseline (service.version=1.4)");
  command->add_option("--candidate", question.candidate, "key=value: the same of the candidate");
  command->add_option("--service", question.service, "A span of this service has the attributes");
  command->add_option("--operation", question.operation, "And this operation of it");
  AddWindow(*command, question.window);
  auto* before = command->add_option("--baseline-start", question.baseline_window.start,
                                     "From, of the baseline, where it is another time");
  command->add_option("--baseline-end", question.baseline_window.end, "To, of the baseline")
      ->needs(before);
  command->callback([options, exit_code] {
    *exit_code =
        Ask(options->call, "/api/v1/compare", CompareBody(options->question), RenderCompare);
  });
}

void AddDoctor(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<DoctorCommand>();
  CLI::App* command = app.add_subcommand(
      "doctor",
      "How well spans, lines and exemplars hang together, and which configuration to change; exits "
      "with 1 where something is wrong");
  AddCallOptions(*command, options->call);
  command->add_option("--service", options->service, "Of this service");
  AddWindow(*command, options->window);
  command->callback([options, exit_code] {
    const DoctorCommand& o = *options;
    *exit_code =
        GetAndShow(o.call, "/api/v1/coverage",
                   {{"service", o.service}, {"start", StartOf(o.window)}, {"end", o.window.end}},
                   RenderDoctor);
  });
}

}  // namespace throughline::gateway
