// Files of a catalog, brought from one directory into another: whole or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "correlate/result.h"
#include "store/care/finding.h"
#include "store/segment/segment_info.h"
#include "store/sqlite/files.h"

namespace throughline::store::backup {

// What a backup and a restore are given.
struct Options {
  // Segments that are not what the catalog says come along as they are, or stay behind where they
  // cannot be read. Otherwise the first one ends it.
  bool take_damaged = false;
  // Of each of those.
  std::function<void(const care::Finding& finding)> on_damage = {};
  care::Work work = {};
  // For tests: what it stands on, null is the system's; and each step that a crash must leave
  // whole.
  sqlite::Files* files = nullptr;
  std::function<void(std::string_view step)> sync_point = {};
};

// What is there at the end, and what it took.
struct Copied {
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::uint64_t new_segments = 0;
  std::uint64_t new_bytes = 0;
  std::uint64_t removed_segments = 0;
  std::uint64_t damaged_segments = 0;
  std::uint64_t snapshot_unix_ns = 0;  // When what is there was all that there was.
};

class FileCopy {
 public:
  // Both outlive it.
  FileCopy(const Options& options, Copied& copied) : options_(options), copied_(copied) {}

  sqlite::Files& files() const {
    return options_.files == nullptr ? sqlite::SystemFiles() : *options_.files;
  }
  void At(std::string_view step) const {
    if (options_.sync_point) options_.sync_point(step);
  }

  // Whether a file is the one of the row; reads all of it. False also where the row has no hash, so
  // that nothing can tell. An error: it cannot be read, or the work was stopped.
  Result<bool> IsWhole(const std::string& path, const segment::SegmentInfo& info) const;
  // Copies a segment by way of NAME.tmp; durable but for its name. kDataLoss: `from` has it
  // otherwise, or not at all; kUnavailable: either disk, or all of `from` is gone. On an error
  // nothing of it stays.
  Result<void> CopySegment(const std::string& from, const std::string& to,
                           const segment::SegmentInfo& info);
  // Copies any file under a name; durable but for the name.
  Result<void> CopyAs(const std::string& from, const std::string& to) const;

 private:
  Result<void> Damaged(const segment::SegmentInfo& info, std::string hurt);
  bool CanBeRead(const std::string& path) const;

  const Options& options_;
  Copied& copied_;
};

}  // namespace throughline::store::backup
