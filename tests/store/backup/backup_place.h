// Where tests of backups work: a data directory, its snapshots, and room for backups and restored
// directories beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/backup/backup.h"
#include "store/backup/restore.h"
#include "tests/store/care/data_directory.h"

namespace throughline::store::backup {

class BackupPlace {
 public:
  BackupPlace();
  ~BackupPlace();
  BackupPlace(const BackupPlace&) = delete;
  BackupPlace& operator=(const BackupPlace&) = delete;

  care::DataDirectory& data() { return data_; }
  // A directory beside, which is not there yet.
  std::string Beside(const std::string& name) const { return root_ + '/' + name; }

  // Seals all that is stored, and makes the snapshot; its path. It stays until the store is opened.
  std::string Snapshot(std::uint64_t id = 1);
  // Appends batches, then the same.
  std::string SnapshotWith(std::uint64_t first, std::uint64_t last, std::uint64_t id);
  // Of a directory of the tests', with backup's answers; the directory stays as it is.
  std::string AnswersOf(const std::string& backup);
  // What CheckBackup finds, a line each; or why it could not.
  static std::string Wrong(const std::string& backup);
  static std::vector<std::string> Names(const std::string& directory);

 private:
  std::string Keep(SqliteStore& store, std::uint64_t id);

  care::DataDirectory data_;
  const std::string root_;
  int restored_ = 0;
};

}  // namespace throughline::store::backup
