#include "tests/store/backup/backup_place.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "correlate/check.h"
#include "store/sqlite/files.h"
#include "tests/store/new_directory.h"

namespace throughline::store::backup {
namespace {

namespace fs = std::filesystem;

}  // namespace

BackupPlace::BackupPlace() : root_(NewDirectory()) { data_.Fill(); }

BackupPlace::~BackupPlace() { fs::remove_all(root_); }

std::string BackupPlace::Keep(SqliteStore& store, std::uint64_t id) {
  TL_CHECK(store.SealAll(0).has_value());
  TL_CHECK(store.WriteSnapshot(id, id * 1000).has_value());
  // The next start would remove it.
  const std::string kept = Beside("snapshot-" + std::to_string(id));
  fs::remove_all(kept);
  fs::copy(data_.PathOf("snapshot"), kept,
           fs::copy_options::recursive | fs::copy_options::create_hard_links);
  return kept;
}

std::string BackupPlace::Snapshot(std::uint64_t id) {
  const auto store = data_.Open(data_.path());
  TL_CHECK(store != nullptr);
  return Keep(*store, id);
}

std::string BackupPlace::SnapshotWith(std::uint64_t first, std::uint64_t last, std::uint64_t id) {
  const auto store = data_.Open(data_.path());
  TL_CHECK(store != nullptr);
  for (std::uint64_t number = first; number <= last; ++number) data_.Append(*store, number);
  return Keep(*store, id);
}

std::string BackupPlace::AnswersOf(const std::string& backup) {
  const std::string directory = Beside("restored-" + std::to_string(++restored_));
  const auto restored = Restore(backup, directory, {});
  if (!restored) return "cannot restore: " + restored.error().message;
  std::string answers = data_.Answers(directory);
  fs::remove_all(directory);
  return answers;
}

std::string BackupPlace::Wrong(const std::string& backup) {
  const auto checked = CheckBackup(backup, {});
  if (!checked) return "error: " + checked.error().message;
  std::string lines;
  for (const care::Finding& finding : checked->findings) lines += care::Line(finding) + '\n';
  return lines;
}

std::vector<std::string> BackupPlace::Names(const std::string& directory) {
  return sqlite::SystemFiles().List(directory).value();
}

}  // namespace throughline::store::backup
