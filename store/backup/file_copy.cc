#include "store/backup/file_copy.h"

#include <utility>

#include "store/sqlite/file_hash.h"
#include "store/sqlite/file_names.h"

namespace throughline::store::backup {

using segment::SegmentInfo;

Result<bool> FileCopy::IsWhole(const std::string& path, const SegmentInfo& info) const {
  if (info.hash == 0) return false;
  TL_TRY_ASSIGN(const std::uint64_t bytes, files().SizeOf(path));
  if (bytes != info.bytes) return false;
  sqlite::FileHash hash;
  TL_TRY(files().Read(path, [&](std::string_view piece) -> Result<void> {
    hash.Add(piece);
    return options_.work.Step(info.file, piece.size());
  }));
  return hash.Value() == info.hash;
}

bool FileCopy::CanBeRead(const std::string& path) const {
  return files().Read(path, [](std::string_view) -> Result<void> { return {}; }).has_value();
}

Result<void> FileCopy::Damaged(const SegmentInfo& info, std::string hurt) {
  ++copied_.damaged_segments;
  const care::Finding finding{
      .file = info.file, .hurt = std::move(hurt), .lost = "", .cure = care::Cure::kWithLoss};
  if (options_.on_damage) options_.on_damage(finding);
  if (options_.take_damaged) return {};
  return Error{Errc::kDataLoss, "damaged: " + care::Line(finding)};
}

Result<void> FileCopy::CopySegment(const std::string& from, const std::string& to,
                                   const SegmentInfo& info) {
  const std::string source = from + '/' + info.file;
  const std::string aside = to + '/' + info.file + std::string(sqlite::kAside);
  sqlite::FileHash hash;
  std::uint64_t bytes = 0;
  const auto take = [&]() -> Result<void> {
    const auto visit = [&](std::string_view piece) -> Result<void> {
      hash.Add(piece);
      bytes += piece.size();
      return options_.work.Step(info.file, piece.size());
    };
    TL_TRY(files().Copy(source, aside, visit));
    if (bytes != info.bytes || (info.hash != 0 && hash.Value() != info.hash)) {
      TL_TRY(Damaged(info, "it is not what was written: " + std::to_string(bytes) + " of " +
                               std::to_string(info.bytes) + " bytes, with another hash"));
    }
    At("copied");
    TL_TRY(files().SyncFile(aside));
    At("synced");
    TL_TRY(files().Rename(aside, to + '/' + info.file));
    ++copied_.new_segments;
    copied_.new_bytes += bytes;
    At("named");
    return {};
  };
  auto taken = take();
  if (taken) return taken;
  (void)files().Remove(aside);  // A full disk has use for the room.
  if (care::IsStop(taken.error()) || taken.error().code == Errc::kDataLoss) return taken;
  // The copy failed: on which side?
  if (CanBeRead(source)) return taken;
  if (!files().SizeOf(from + '/' + std::string(sqlite::kCatalogFile))) {
    return Error{Errc::kUnavailable, from + " is gone meanwhile"};
  }
  return Damaged(info, "it cannot be read: " + taken.error().message);
}

Result<void> FileCopy::CopyAs(const std::string& from, const std::string& to) const {
  const std::string aside = to + std::string(sqlite::kAside);
  const auto take = [&]() -> Result<void> {
    TL_TRY(files().Copy(from, aside, [](std::string_view) -> Result<void> { return {}; }));
    At("catalog:copied");
    TL_TRY(files().SyncFile(aside));
    At("catalog:synced");
    return files().Rename(aside, to);
  };
  auto taken = take();
  if (!taken) (void)files().Remove(aside);
  return taken;
}

}  // namespace throughline::store::backup
