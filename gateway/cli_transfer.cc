#include "gateway/cli_transfer.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <CLI/App.hpp>

#include "correlate/scope.h"
#include "exemplars/otlp.h"
#include "gateway/complain.h"
#include "gateway/import_state.h"
#include "gateway/open_store.h"
#include "gateway/progress.h"
#include "gateway/stop_signal.h"
#include "gateway/time_argument.h"
#include "logs/otlp.h"
#include "spans/otlp.h"
#include "store/transfer/export.h"
#include "store/file.h"
#include "store/transfer/import.h"

namespace throughline::gateway {
namespace {

namespace transfer = store::transfer;

// What a crash may cost of an export's time.
constexpr std::chrono::seconds kSaveInterval{5};

struct TransferArguments {
  std::string data;
  std::string tenant;
  std::string since;
  std::string until;
  std::string ndjson;
  std::string otlp;
  std::string sqlite;

  const std::string& path() const {
    return !ndjson.empty() ? ndjson : !otlp.empty() ? otlp : sqlite;
  }
  const char* form() const {
    return !ndjson.empty() ? "ndjson" : !otlp.empty() ? "otlp" : "sqlite";
  }
  // What was asked for, in one line: two commands that say the same ask the same.
  std::string Question() const {
    std::error_code error;
    const auto folder = std::filesystem::weakly_canonical(data, error);
    std::string text = "data " + (error ? data : folder.string());
    if (!tenant.empty()) text += ", tenant " + tenant;
    if (!since.empty()) text += ", since " + since;
    if (!until.empty()) text += ", until " + until;
    return text;
  }
};

Result<TimeRange> RangeOf(const TransferArguments& arguments, std::uint64_t now_unix_ns) {
  TimeRange range;
  if (!arguments.since.empty()) {
    TL_TRY_ASSIGN(range.start_unix_ns, TimeArgument(arguments.since, now_unix_ns));
  }
  if (!arguments.until.empty()) {
    TL_TRY_ASSIGN(range.end_unix_ns, TimeArgument(arguments.until, now_unix_ns));
  }
  if (range.start_unix_ns > range.end_unix_ns) {
    return InvalidArgument("--since is after --until");
  }
  return range;
}

Result<void> CheckTenant(const std::string& tenant) {
  if (!tenant.empty() && !TenantFromHeader(tenant)) {
    return InvalidArgument("\"" + tenant + "\" is no name of a tenant");
  }
  return {};
}

// --- export -------------------------------------------------------------------------------------

Result<std::unique_ptr<transfer::Output>> OpenOutput(const TransferArguments& arguments) {
  if (!arguments.ndjson.empty()) return transfer::OpenNdjsonOutput(arguments.ndjson);
  if (!arguments.otlp.empty()) return transfer::OpenOtlpOutput(arguments.otlp, {});
  return transfer::OpenSqliteOutput(arguments.sqlite);
}

std::uint64_t SizeOf(const store::Walkable& store, const std::string& tenant) {
  std::uint64_t size = 0;
  Scope scope;
  for (const std::string& one : store.Tenants()) {
    if (!tenant.empty() && one != tenant) continue;
    scope.tenant = one;
    size += store.WalkSize(scope);
  }
  return size;
}

Result<transfer::Exported> RunExport(const TransferArguments& arguments) {
  transfer::ExportRequest request;
  request.question = arguments.Question();
  request.tenant = arguments.tenant;
  TL_TRY(CheckTenant(arguments.tenant));
  TL_TRY_ASSIGN(request.time, RangeOf(arguments, NowUnixNs()));
  TL_TRY_ASSIGN(const auto store, OpenForReading(arguments.data));
  TL_TRY_ASSIGN(const auto output, OpenOutput(arguments));
  const std::uint64_t before = output->resumed() ? output->resumed()->records : 0;
  const std::uint64_t size = SizeOf(*store, arguments.tenant);
  // Of a part of the time it is not known how much there is.
  const bool is_all = arguments.since.empty() && arguments.until.empty();
  Progress progress;
  auto next_save = std::chrono::steady_clock::now() + kSaveInterval;
  transfer::ExportHooks hooks;
  hooks.stop = StopWasAsked;
  hooks.save_due = [&next_save] {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_save) return false;
    next_save = now + kSaveInterval;
    return true;
  };
  hooks.progress = [&](std::uint64_t records) {
    const bool known = is_all && size > 0;
    progress.Show(records - before,
                  known ? static_cast<double>(records) / static_cast<double>(size) : -1);
  };
  return transfer::Export(*store, request, *output, hooks);
}

int ExportCommand(const TransferArguments& arguments) {
  CatchStopSignals();
  const auto exported = RunExport(arguments);
  if (!exported) return Complain(exported.error());
  if (exported->complete) {
    std::fprintf(stderr, "throughline: %llu records exported\n",
                 static_cast<unsigned long long>(exported->records));
    return 0;
  }
  return Complain("stopped after " + std::to_string(exported->records) + " records" +
                      (arguments.ndjson == "-" ? "" : "; the same command goes on from here"),
                  kExitStopped);
}

// --- import -------------------------------------------------------------------------------------

Result<Decoded> DecodeMetrics(std::string_view bytes, const DecodeOptions& options, Batch& batch) {
  TL_TRY_ASSIGN(auto decoded, exemplars::DecodeOtlp(bytes, options, batch));
  return std::move(decoded.exemplars);
}

Result<std::unique_ptr<transfer::Input>> OpenInput(const TransferArguments& arguments,
                                                   std::uint64_t hash_seed) {
  transfer::InputLimits limits;
  limits.decode.hash_seed = hash_seed;
  if (!arguments.ndjson.empty()) return transfer::OpenNdjsonInput(arguments.ndjson, limits);
  if (!arguments.otlp.empty()) {
    return transfer::OpenOtlpInput(
        arguments.otlp, limits,
        {.traces = spans::DecodeOtlp, .logs = logs::DecodeOtlp, .metrics = DecodeMetrics});
  }
  return transfer::OpenSqliteInput(arguments.sqlite, limits);
}

std::string InputName(const TransferArguments& arguments) {
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(arguments.path(), error);
  return std::string(arguments.form()) + " " + (error ? arguments.path() : path.string()) +
         " into " + arguments.Question();
}

// The state to begin with: a new one, or that of the same import which was stopped.
Result<ImportState> BeginImport(const TransferArguments& arguments, transfer::Input& input) {
  ImportState state;
  state.input = InputName(arguments);
  state.print = input.Print();
  state.arrival_unix_ns = NowUnixNs();
  TL_TRY_ASSIGN(const TimeRange range, RangeOf(arguments, state.arrival_unix_ns));
  state.start_unix_ns = range.start_unix_ns;
  state.end_unix_ns = range.end_unix_ns;
  TL_TRY_ASSIGN(auto stopped, ReadImportState(arguments.data));
  if (!stopped) return state;
  const std::string path = ImportStatePath(arguments.data);
  if (stopped->input != state.input) {
    return Error{Errc::kConflict,
                 "an import of " + stopped->input + " was stopped: end it, or remove " + path};
  }
  if (stopped->print != state.print) {
    return Error{Errc::kConflict, arguments.path() + " had " + stopped->print +
                                      " when its import was stopped and has " + state.print +
                                      ": remove " + path + " to begin again"};
  }
  TL_TRY(input.GoTo(stopped->place));
  return std::move(*stopped);
}

void SayImported(const transfer::Imported& imported, const Decoded& decoded) {
  const Appended& counts = imported.appended;
  const std::uint64_t known = counts.deduplicated_spans + counts.deduplicated_logs +
                              counts.deduplicated_exemplars + counts.deduplicated_gauges;
  std::string text = std::to_string(counts.spans) + " spans, " + std::to_string(counts.logs) +
                     " lines, " + std::to_string(counts.exemplars) + " exemplars, " +
                     std::to_string(counts.gauges) + " gauge points imported";
  if (known > 0) text += "; " + std::to_string(known) + " were there already";
  if (imported.left_out > 0) text += "; " + std::to_string(imported.left_out) + " left out";
  if (decoded.rejected > 0) {
    text += "; " + std::to_string(decoded.rejected) + " rejected: " + decoded.first_rejection;
  }
  std::fprintf(stderr, "throughline: %s\n", text.c_str());
}

Result<int> RunImport(const TransferArguments& arguments) {
  TL_TRY(CheckTenant(arguments.tenant));
  TL_TRY_ASSIGN(const auto store, OpenForAppending(arguments.data));
  TL_TRY_ASSIGN(const auto input, OpenInput(arguments, store->hash_seed()));
  TL_TRY_ASSIGN(ImportState state, BeginImport(arguments, *input));
  transfer::ImportRequest request;
  request.tenant = arguments.tenant;
  request.time = {.start_unix_ns = state.start_unix_ns, .end_unix_ns = state.end_unix_ns};
  request.arrival_unix_ns = state.arrival_unix_ns;
  const bool can_resume = !state.print.empty();
  const std::string state_path = ImportStatePath(arguments.data);
  Progress progress;
  transfer::ImportHooks hooks;
  hooks.stop = StopWasAsked;
  hooks.note = [&]() -> Result<void> {
    if (!can_resume) return {};
    state.place = input->Place();
    return store::ReplaceFile(state_path, ImportStateText(state));
  };
  hooks.progress = [&](const transfer::Imported&) {
    const double share = input->size() == 0 ? -1
                                            : static_cast<double>(input->done()) /
                                                  static_cast<double>(input->size());
    progress.Show(input->decoded().accepted + input->decoded().unlinked, share);
  };
  TL_TRY_ASSIGN(const transfer::Imported imported,
                transfer::Import(*input, request, *store, hooks));
  SayImported(imported, input->decoded());
  if (!imported.complete) {
    return Complain(can_resume ? "stopped; the same command goes on from here"
                               : "stopped; what was imported stays",
                    kExitStopped);
  }
  if (can_resume) TL_TRY(store::RemoveFile(state_path));
  return input->decoded().rejected > 0 ? kExitFailed : 0;
}

int ImportCommand(const TransferArguments& arguments) {
  CatchStopSignals();
  const auto exit_code = RunImport(arguments);
  return exit_code ? *exit_code : Complain(exit_code.error());
}

// --- the commands -------------------------------------------------------------------------------

void AddCommand(CLI::App& app, const char* name, const char* help, const char* tenant_help,
                int (*run)(const TransferArguments&), int* exit_code) {
  auto arguments = std::make_shared<TransferArguments>();
  CLI::App* const command = app.add_subcommand(name, help);
  command->add_option("--data", arguments->data, "The data directory; no gateway may be using it")
      ->required();
  command->add_option("--tenant", arguments->tenant, tenant_help);
  command->add_option("--since", arguments->since, "From: 2h (ago), RFC 3339, unix time");
  command->add_option("--until", arguments->until, "To: the same");
  auto* const form = command->add_option_group("form");
  form->add_option("--ndjson", arguments->ndjson, "One JSON object a line; '-' is a pipe");
  form->add_option("--otlp", arguments->otlp, "A folder of OTLP requests in protobuf");
  form->add_option("--sqlite", arguments->sqlite, "A SQLite file with ordinary tables");
  form->require_option(1);
  command->callback([arguments, run, exit_code] { *exit_code = run(*arguments); });
}

}  // namespace

void AddTransferCommands(CLI::App& app, int* exit_code) {
  AddCommand(app, "export", "Write what is stored to NDJSON, OTLP or SQLite",
             "Only of this tenant; all otherwise", ExportCommand, exit_code);
  AddCommand(app, "import", "Read what export wrote into a data directory",
             "Only of this tenant; and where the input names none, its tenant", ImportCommand,
             exit_code);
}

}  // namespace throughline::gateway
