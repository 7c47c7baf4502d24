#include "gateway/cli_backup.h"

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "api/time_text.h"
#include "gateway/complain.h"
#include "gateway/open_store.h"
#include "gateway/snapshot_client.h"
#include "gateway/stop_signal.h"
#include "gateway/watched.h"
#include "store/backup/backup.h"
#include "store/backup/read_catalog.h"
#include "store/backup/restore.h"
#include "store/care/lock.h"
#include "store/sqlite/file_names.h"

namespace throughline::gateway {
namespace {

namespace backup = store::backup;
namespace care = store::care;

constexpr const char* kDefaultUrl = "http://127.0.0.1:4380";

struct BackupArguments {
  std::string directory;  // Of the backup.
  std::string data;
  std::string url = kDefaultUrl;
  bool damaged = false;
};

int EndWith(const Error& error, const std::string& hint = {}) {
  if (care::IsStop(error)) {
    return Complain("stopped; the same command goes on from here", kExitStopped);
  }
  return Complain(Error{error.code, error.message + hint});
}

backup::Options OptionsOf(const BackupArguments& arguments, Watched& watched) {
  return {.take_damaged = arguments.damaged,
          .on_damage = [](const care::Finding& finding) { std::puts(care::Line(finding).c_str()); },
          .work = watched.work()};
}

std::string Segments(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " segment" : " segments");
}

// Nothing where the backup does not say.
std::string Until(std::uint64_t snapshot_unix_ns) {
  if (snapshot_unix_ns == 0) return "";
  std::string text = ", all until ";
  api::AppendIsoTime(snapshot_unix_ns, text);
  return text;
}

// --- backup -------------------------------------------------------------------------------------

Result<backup::Copied> CopySnapshot(const BackupArguments& arguments,
                                    const std::function<void()>& on_step) {
  const std::string snapshot = arguments.data + '/' + std::string(store::sqlite::kSnapshotFolder);
  TL_TRY_ASSIGN(const auto content, backup::ReadWholeCatalog(snapshot));
  std::uint64_t bytes = 0;
  for (const auto& segment : content.segments) bytes += segment.bytes;
  Watched watched(bytes, on_step);
  return backup::Backup(snapshot, arguments.directory, OptionsOf(arguments, watched));
}

// The gateway at `url` may have another data directory than the one that is named.
Result<void> CheckItIsHere(const BackupArguments& arguments, std::uint64_t id) {
  const std::string snapshot = arguments.data + '/' + std::string(store::sqlite::kSnapshotFolder);
  const auto content = backup::ReadWholeCatalog(snapshot);
  if (content && content->snapshot == id) return {};
  if (!content && content.error().code != Errc::kNotFound) return content.error();
  return Error{Errc::kConflict, "the gateway at " + arguments.url + " has another data directory" +
                                    " than " + arguments.data + ", or is on another machine"};
}

Result<backup::Copied> BackupOfARunningOne(const BackupArguments& arguments, const Error& held) {
  auto snapshot = HeldSnapshot::Make(arguments.url, StopWasAsked);
  if (!snapshot) {
    if (StopWasAsked()) return Error{Errc::kUnavailable, care::kStopped};
    return Error{snapshot.error().code,
                 held.message + "; " + arguments.url + " says: " + snapshot.error().message +
                     " (--url or THROUGHLINE_URL names the gateway that has it)"};
  }
  TL_TRY(CheckItIsHere(arguments, (*snapshot)->id()));
  return CopySnapshot(arguments, [&] { (*snapshot)->Renew(); });
}

Result<backup::Copied> BackupOfAStoppedOne(const BackupArguments& arguments) {
  TL_TRY_ASSIGN(const auto snapshot, OpenSnapshot(arguments.data));
  return CopySnapshot(arguments, {});
}

// A name that is mistyped must not become an empty store with an empty backup.
Result<void> CheckThereIsAStore(const std::string& data) {
  std::error_code error;
  const std::string catalog = data + '/' + std::string(store::sqlite::kCatalogFile);
  if (std::filesystem::exists(catalog, error)) return {};
  return InvalidArgument(data + " is no data directory: it has no " +
                         std::string(store::sqlite::kCatalogFile));
}

Result<backup::Copied> RunBackup(const BackupArguments& arguments) {
  TL_TRY(CheckThereIsAStore(arguments.data));
  Error held;
  {
    const auto lock = care::TakeLock(arguments.data);
    if (!lock) held = lock.error();
  }
  return held.message.empty() ? BackupOfAStoppedOne(arguments)
                              : BackupOfARunningOne(arguments, held);
}

int BackupCommand(const BackupArguments& arguments) {
  CatchStopSignals();
  const auto copied = RunBackup(arguments);
  if (!copied) {
    const bool is_damage = copied.error().code == Errc::kDataLoss && !arguments.damaged;
    return EndWith(copied.error(),
                   is_damage ? " (`throughline fsck` says more; --damaged backs up the rest)" : "");
  }
  std::printf("%s holds %s, %s%s; %s, %s were new\n", arguments.directory.c_str(),
              Segments(copied->segments).c_str(), Megabytes(copied->bytes).c_str(),
              Until(copied->snapshot_unix_ns).c_str(), Segments(copied->new_segments).c_str(),
              Megabytes(copied->new_bytes).c_str());
  return copied->damaged_segments > 0 ? kExitFailed : 0;
}

// --- restore ------------------------------------------------------------------------------------

int RestoreCommand(const BackupArguments& arguments) {
  CatchStopSignals();
  Watched watched(backup::BytesToRestore(arguments.directory));
  const auto copied =
      backup::Restore(arguments.directory, arguments.data, OptionsOf(arguments, watched));
  if (!copied) {
    const bool is_damage = copied.error().code == Errc::kDataLoss && !arguments.damaged;
    return EndWith(copied.error(), is_damage ? " (--damaged restores what there is)" : "");
  }
  std::printf("%s holds %s, %s%s\n", arguments.data.c_str(), Segments(copied->segments).c_str(),
              Megabytes(copied->bytes).c_str(), Until(copied->snapshot_unix_ns).c_str());
  if (copied->damaged_segments == 0) return 0;
  std::fprintf(stderr,
               "throughline: %s came damaged; `throughline fsck --data %s --repair` saves"
               " what can be read\n",
               Segments(copied->damaged_segments).c_str(), arguments.data.c_str());
  return kExitFailed;
}

void AddArguments(CLI::App& command, BackupArguments& arguments, const char* directory,
                  const char* data) {
  command.add_option("DIR", arguments.directory, directory)->required();
  command.add_option("--data", arguments.data, data)->envname("THROUGHLINE_DATA_DIR")->required();
  command.add_flag("--damaged", arguments.damaged, "Take what is damaged along as it is");
}

}  // namespace

void AddBackupCommands(CLI::App& app, int* exit_code) {
  auto arguments = std::make_shared<BackupArguments>();
  CLI::App* const make =
      app.add_subcommand("backup", "Copy what is stored to DIR, while a gateway runs or not");
  AddArguments(*make, *arguments, "The backup: new, or an earlier one, which gets what is new",
               "The data directory");
  make->add_option("--url", arguments->url, "Address of the gateway that has it, if one runs")
      ->envname("THROUGHLINE_URL")
      ->capture_default_str();
  make->callback([arguments, exit_code] { *exit_code = BackupCommand(*arguments); });

  auto restored = std::make_shared<BackupArguments>();
  CLI::App* const restore = app.add_subcommand("restore", "Make a data directory of a backup");
  AddArguments(*restore, *restored, "The backup", "The data directory, which has no store yet");
  restore->callback([restored, exit_code] { *exit_code = RestoreCommand(*restored); });
}

}  // namespace throughline::gateway
