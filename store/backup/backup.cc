#include "store/backup/backup.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "store/backup/read_catalog.h"
#include "store/care/lock.h"
#include "store/sqlite/file_names.h"

namespace throughline::store::backup {
namespace {

using segment::SegmentInfo;
using sqlite::CatalogContent;
using sqlite::NumberIn;

bool IsAside(const std::string& name) { return name.ends_with(sqlite::kAside); }

// What a backup has beside its catalog, and what one that was cut off may leave.
bool IsOfABackup(const std::string& name) {
  return name == "LOCK" || name == sqlite::kCatalogFile || IsAside(name) ||
         NumberIn(name, sqlite::kSegmentPrefix) != 0;
}

class BackupRun {
 public:
  BackupRun(const std::string& source, const std::string& target, const Options& options)
      : source_(source), target_(target), options_(options), copy_(options, copied_) {}

  Result<Copied> Run() {
    TL_TRY_ASSIGN(content_, ReadWholeCatalog(source_));
    copied_.snapshot_unix_ns = content_.snapshot_unix_ns;
    TL_TRY(LookAtTarget());
    for (const SegmentInfo& info : content_.segments) {
      TL_TRY(Bring(info));
      ++copied_.segments;
      copied_.bytes += info.bytes;
    }
    TL_TRY(files().SyncDirectory(target_));
    copy_.At("segments:synced");
    TL_TRY(copy_.CopyAs(CatalogOf(source_), CatalogOf(target_)));
    copy_.At("catalog:named");
    TL_TRY(files().SyncDirectory(target_));
    copy_.At("catalog:there");
    TL_TRY(RemoveTheRest());
    return std::move(copied_);
  }

 private:
  sqlite::Files& files() const { return copy_.files(); }
  static std::string CatalogOf(const std::string& directory) {
    return directory + '/' + std::string(sqlite::kCatalogFile);
  }
  bool IsThere(const std::string& name) const {
    return std::binary_search(names_.begin(), names_.end(), name);
  }

  Result<void> LookAtTarget();
  Result<void> LookAtEarlier();
  Result<void> Bring(const SegmentInfo& info);
  Result<void> RemoveTheRest();

  const std::string& source_;
  const std::string& target_;
  const Options& options_;
  Copied copied_;
  FileCopy copy_;
  CatalogContent content_;
  std::vector<std::string> names_;              // In the target, as the run began.
  std::map<std::string, SegmentInfo> earlier_;  // By file: of the backup that is there.
};

// Nothing is touched that is not a backup of this store.
Result<void> BackupRun::LookAtTarget() {
  TL_TRY_ASSIGN(names_, files().List(target_));
  for (const std::string& name : names_) {
    if (IsOfABackup(name)) continue;
    return Error{Errc::kConflict,
                 target_ + " has a file " + name +
                     ", and is no backup: name another directory, or an empty one"};
  }
  return IsThere(std::string(sqlite::kCatalogFile)) ? LookAtEarlier() : Result<void>();
}

Result<void> BackupRun::LookAtEarlier() {
  TL_TRY_ASSIGN(const CatalogContent earlier, ReadWholeCatalog(target_));
  if (earlier.hash_seed != content_.hash_seed) {
    return Error{Errc::kConflict,
                 target_ + " is a backup of another data directory: name another one"};
  }
  for (const SegmentInfo& info : earlier.segments) earlier_[info.file] = info;
  for (const SegmentInfo& info : content_.segments) {
    const auto found = earlier_.find(info.file);
    if (found == earlier_.end()) continue;
    const SegmentInfo& there = found->second;
    const bool hash_differs = there.hash != 0 && info.hash != 0 && there.hash != info.hash;
    if (there.bytes == info.bytes && !hash_differs) continue;
    // As after a restore of an older backup. Its name cannot stand for both.
    return Error{Errc::kConflict, target_ + " has another " + info.file +
                                      " than the data directory, since that was restored from"
                                      " another backup: name another directory"};
  }
  return {};
}

Result<void> BackupRun::Bring(const SegmentInfo& info) {
  if (IsThere(info.file)) {
    const std::string path = target_ + '/' + info.file;
    // What a backup lists was brought there whole.
    const auto found = earlier_.find(info.file);
    TL_TRY_ASSIGN(const std::uint64_t bytes, files().SizeOf(path));
    if (found != earlier_.end() && found->second.hash == info.hash && bytes == info.bytes) {
      return options_.work.Step(info.file, info.bytes);
    }
    TL_TRY_ASSIGN(const bool is_whole, copy_.IsWhole(path, info));
    if (is_whole) return {};
  }
  return copy_.CopySegment(source_, target_, info);
}

Result<void> BackupRun::RemoveTheRest() {
  std::set<std::string> listed;
  for (const SegmentInfo& info : content_.segments) listed.insert(info.file);
  for (const std::string& name : names_) {
    const bool is_segment = NumberIn(name, sqlite::kSegmentPrefix) != 0;
    if (!IsAside(name) && (!is_segment || listed.contains(name))) continue;
    TL_TRY(files().Remove(target_ + '/' + name));
    if (is_segment) ++copied_.removed_segments;
    copy_.At("removed");
  }
  return files().SyncDirectory(target_);
}

}  // namespace

Result<Copied> Backup(const std::string& source, const std::string& target,
                      const Options& options) {
  sqlite::Files& files = options.files == nullptr ? sqlite::SystemFiles() : *options.files;
  TL_TRY(files.CreateDirectories(target));
  TL_TRY_ASSIGN(const auto lock, care::TakeLock(target));
  return BackupRun(source, target, options).Run();
}

}  // namespace throughline::store::backup
