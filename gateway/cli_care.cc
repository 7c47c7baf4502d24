#include "gateway/cli_care.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "gateway/complain.h"
#include "gateway/stop_signal.h"
#include "gateway/watched.h"
#include "store/care/check.h"
#include "store/care/lock.h"
#include "store/care/repair.h"

namespace throughline::gateway {
namespace {

namespace care = store::care;

constexpr int kExitHurt = 1;
constexpr int kExitLost = 2;
constexpr int kExitNotDone = 3;

// --- fsck ---------------------------------------------------------------------------------------

struct FsckArguments {
  std::string data;
  bool repair = false;
};

int ExitOf(const care::Report& report) {
  int code = 0;
  for (const care::Finding& finding : report.findings) {
    const bool is_whole = finding.cure == care::Cure::kWhole && finding.lost.empty();
    code = std::max(code, is_whole ? kExitHurt : kExitLost);
  }
  return code;
}

Result<care::Report> CheckWatched(const std::string& directory, care::Checked& checked) {
  Watched watched(care::BytesToCheck(directory));
  return care::Check(directory, watched.work(), &checked);
}

void Print(const care::Report& report) {
  for (const care::Finding& finding : report.findings) std::puts(care::Line(finding).c_str());
}

int Repair(const std::string& directory, const care::Report& report, care::Checked& checked) {
  const int code = ExitOf(report);
  const auto done = [&] {
    Watched watched(report.bytes);
    return care::Repair(directory, report, watched.work());
  }();
  if (!done) {
    return Complain("not repaired: " + done.error().message,
                    care::IsStop(done.error()) ? kExitNotDone : kExitLost);
  }
  for (const std::string& line : *done) std::printf("repaired: %s\n", line.c_str());
  const auto again = CheckWatched(directory, checked);
  if (!again) return Complain(again.error().message, kExitNotDone);
  Print(*again);
  if (!again->findings.empty()) return Complain("what is above is still wrong", kExitLost);
  std::puts("the data directory is whole now");
  return code;
}

int CheckAndRepair(const FsckArguments& arguments, care::Checked& checked) {
  const auto report = CheckWatched(arguments.data, checked);
  if (!report) return Complain(report.error().message, kExitNotDone);
  if (report->known_segments > 0) {
    std::printf("%zu segments were found whole by the check that was stopped\n",
                report->known_segments);
  }
  Print(*report);
  if (report->findings.empty()) {
    std::printf("whole: %zu segments with %s records, %zu tails, %s\n", report->segments.size(),
                std::to_string(report->records).c_str(), report->tails.size(),
                Megabytes(report->bytes).c_str());
    return 0;
  }
  if (arguments.repair) return Repair(arguments.data, *report, checked);
  std::fprintf(stderr, "throughline: %zu problems; --repair does what can be done\n",
               report->findings.size());
  return ExitOf(*report);
}

int Fsck(const FsckArguments& arguments) {
  CatchStopSignals();
  const auto lock = care::TakeLock(arguments.data);
  if (!lock) return Complain(lock.error().message, kExitNotDone);
  care::Checked checked = care::Checked::Load(arguments.data);
  const int code = CheckAndRepair(arguments, checked);
  // One that was stopped goes on from there; one that is done begins anew the next time.
  const auto kept = code == kExitNotDone && checked.size() > 0 ? checked.Save() : checked.Remove();
  if (!kept) (void)Complain(kept.error().message, code);
  return code;
}

void AddFsck(CLI::App& app, int* exit_code) {
  auto arguments = std::make_shared<FsckArguments>();
  CLI::App* const command =
      app.add_subcommand("fsck", "Check a data directory that no gateway runs on");
  command->add_option("--data", arguments->data, "The data directory")->required();
  command->add_flag("--repair", arguments->repair,
                    "Do what can be done; what is taken out goes to hurt/ in it");
  command->callback([arguments, exit_code] { *exit_code = Fsck(*arguments); });
}

}  // namespace

void AddCareCommands(CLI::App& app, int* exit_code) { AddFsck(app, exit_code); }

}  // namespace throughline::gateway
