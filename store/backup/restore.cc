#include "store/backup/restore.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "store/backup/read_catalog.h"
#include "store/care/check_segment.h"
#include "store/care/lock.h"
#include "store/sqlite/file_names.h"

namespace throughline::store::backup {
namespace {

using segment::SegmentInfo;
using sqlite::CatalogContent;
using sqlite::NumberIn;

std::string Records(const SegmentInfo& info) {
  return std::to_string(info.spans) + " spans, " + std::to_string(info.logs) + " lines, " +
         std::to_string(info.exemplars) + " exemplars, " + std::to_string(info.gauges) +
         " gauge points";
}

// Says of a segment of the backup what fsck would say.
Result<void> CheckOne(const std::string& directory, const SegmentInfo& info, const FileCopy& copy,
                      const Options& options, Checked& checked) {
  const std::string path = directory + '/' + info.file;
  const auto is_whole = copy.IsWhole(path, info);
  if (is_whole && *is_whole) return {};
  if (!is_whole && care::IsStop(is_whole.error())) return is_whole.error();
  const std::size_t before = checked.findings.size();
  if (!is_whole && !copy.files().SizeOf(path)) {
    checked.findings.push_back({info.file, "the catalog lists it, and it is not there",
                                Records(info), care::Cure::kWithLoss});
    return {};
  }
  TL_TRY(care::CheckSegment(directory, info.file, &info, options.work, checked.findings));
  // What failed to be read may be read the next time: not to be trusted.
  if (!is_whole && checked.findings.size() == before) {
    checked.findings.push_back(
        {info.file, "it cannot be read: " + is_whole.error().message, "", care::Cure::kWhole});
  }
  return {};
}

class RestoreRun {
 public:
  RestoreRun(const std::string& backup, const std::string& data, const Options& options)
      : backup_(backup), data_(data), options_(options), copy_(options, copied_) {}

  Result<Copied> Run() {
    TL_TRY(LookAtData());
    TL_TRY_ASSIGN(const Checked checked, CheckBackup(backup_, options_));
    std::set<std::string> hurt;
    for (const care::Finding& finding : checked.findings) {
      hurt.insert(finding.file);
      if (options_.on_damage) options_.on_damage(finding);
    }
    if (!hurt.empty() && !options_.take_damaged) {
      return Error{Errc::kDataLoss, "damaged: " + std::to_string(hurt.size()) + " of " +
                                        std::to_string(checked.content.segments.size()) +
                                        " segments of " + backup_};
    }
    copied_.snapshot_unix_ns = checked.content.snapshot_unix_ns;
    TL_TRY(copy_.CopyAs(backup_ + '/' + std::string(sqlite::kCatalogFile), Restoring()));
    TL_TRY(files().SyncDirectory(data_));
    copy_.At("begun");
    TL_TRY(BringSegments(checked.content, hurt));
    copied_.damaged_segments = std::max<std::uint64_t>(copied_.damaged_segments, hurt.size());
    TL_TRY(RemoveTheRest(checked.content));
    TL_TRY(files().SyncDirectory(data_));
    copy_.At("segments:synced");
    TL_TRY(files().Rename(Restoring(), data_ + '/' + std::string(sqlite::kCatalogFile)));
    copy_.At("catalog:named");
    TL_TRY(files().SyncDirectory(data_));
    copy_.At("catalog:there");
    return std::move(copied_);
  }

 private:
  sqlite::Files& files() const { return copy_.files(); }
  std::string Restoring() const { return data_ + '/' + std::string(sqlite::kRestoringFile); }
  bool IsThere(std::string_view name) const {
    return std::binary_search(names_.begin(), names_.end(), name);
  }

  Result<void> LookAtData();
  Result<void> BringSegments(const CatalogContent& content, const std::set<std::string>& hurt);
  Result<void> RemoveTheRest(const CatalogContent& content);

  const std::string& backup_;
  const std::string& data_;
  const Options& options_;
  Copied copied_;
  FileCopy copy_;
  std::vector<std::string> names_;  // In the data directory, as the run began.
};

Result<void> RestoreRun::LookAtData() {
  TL_TRY_ASSIGN(names_, files().List(data_));
  if (IsThere(sqlite::kRestoringFile)) return {};
  for (const std::string& name : names_) {
    const bool is_of_a_store = name.starts_with(sqlite::kCatalogFile) ||
                               NumberIn(name, sqlite::kSegmentPrefix) != 0 ||
                               name.starts_with(sqlite::kTailPrefix);
    if (!is_of_a_store) continue;
    return Error{Errc::kConflict, data_ + " holds a store already (" + name +
                                      "): restore into another directory, or move it away first"};
  }
  return {};
}

Result<void> RestoreRun::BringSegments(const CatalogContent& content,
                                       const std::set<std::string>& hurt) {
  for (const SegmentInfo& info : content.segments) {
    ++copied_.segments;
    copied_.bytes += info.bytes;
    if (IsThere(info.file)) {
      TL_TRY_ASSIGN(const bool is_whole, copy_.IsWhole(data_ + '/' + info.file, info));
      if (is_whole) continue;
    }
    // Told of already, where it is not worse than it was.
    Options quiet = options_;
    if (hurt.contains(info.file)) quiet.on_damage = nullptr;
    TL_TRY(FileCopy(quiet, copied_).CopySegment(backup_, data_, info));
  }
  return {};
}

// What a restore of another backup left, and what was cut off in the middle of a file.
Result<void> RestoreRun::RemoveTheRest(const CatalogContent& content) {
  std::set<std::string> listed;
  for (const SegmentInfo& info : content.segments) listed.insert(info.file);
  for (const std::string& name : names_) {
    const bool is_segment = NumberIn(name, sqlite::kSegmentPrefix) != 0;
    if (!name.ends_with(sqlite::kAside) && (!is_segment || listed.contains(name))) continue;
    TL_TRY(files().Remove(data_ + '/' + name));
    copy_.At("removed");
  }
  return {};
}

// None: the backup stands on a disk that nobody can write.
Result<std::optional<sqlite::DirectoryLock>> LockBackup(const std::string& backup) {
  auto lock = care::TakeLock(backup);
  if (lock) return std::optional<sqlite::DirectoryLock>(std::move(*lock));
  const bool is_read_only = lock.error().message.starts_with("read-only") ||
                            lock.error().message.ends_with("Permission denied");
  if (is_read_only) return std::optional<sqlite::DirectoryLock>();
  return lock.error();
}

}  // namespace

Result<Checked> CheckBackup(const std::string& directory, const Options& options) {
  Copied ignored;
  const FileCopy copy(options, ignored);
  TL_TRY_ASSIGN(const auto names, copy.files().List(directory));
  for (const std::string& name : names) {
    if (!name.starts_with(sqlite::kTailPrefix)) continue;
    return Error{Errc::kConflict, directory + " has a tail (" + name +
                                      ") and is a data directory, no backup: copy it as it is"};
  }
  Checked checked;
  TL_TRY_ASSIGN(checked.content, ReadWholeCatalog(directory));
  for (const SegmentInfo& info : checked.content.segments) {
    TL_TRY(CheckOne(directory, info, copy, options, checked));
  }
  return checked;
}

Result<Copied> Restore(const std::string& backup, const std::string& data, const Options& options) {
  sqlite::Files& files = options.files == nullptr ? sqlite::SystemFiles() : *options.files;
  TL_TRY_ASSIGN(const auto backup_lock, LockBackup(backup));
  TL_TRY(files.CreateDirectories(data));
  TL_TRY_ASSIGN(const auto lock, care::TakeLock(data));
  return RestoreRun(backup, data, options).Run();
}

std::uint64_t BytesToRestore(const std::string& backup) {
  const auto content = ReadWholeCatalog(backup);
  std::uint64_t bytes = 0;
  if (!content) return 0;
  for (const SegmentInfo& info : content->segments) bytes += 2 * info.bytes;  // Checked, copied.
  return bytes;
}

}  // namespace throughline::store::backup
