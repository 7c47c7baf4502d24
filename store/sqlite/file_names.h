// What the files of a data directory are called (format.md).
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace throughline::store::sqlite {

inline constexpr std::string_view kCatalogFile = "catalog.db";
inline constexpr std::string_view kTailPrefix = "tail-0-";
inline constexpr std::string_view kSegmentPrefix = "seg-0-";
inline constexpr std::string_view kSeenPrefix = "seen-0-";
inline constexpr std::string_view kFileSuffix = ".db";
// Of a tail and what SQLite keeps beside it, in the order of removal.
inline constexpr const char* kTailSuffixes[] = {"-wal", "-shm", ""};
inline constexpr std::string_view kAside = ".tmp";
// A folder with what a backup is made from (backup/snapshots.h).
inline constexpr std::string_view kSnapshotFolder = "snapshot";
// There while a restore is under way, or was cut off: the rest is no store yet.
inline constexpr std::string_view kRestoringFile = "restoring";

inline std::string NameOf(std::string_view prefix, std::uint64_t number) {
  return std::string(prefix) + std::to_string(number) + std::string(kFileSuffix);
}

// The number in a name; 0: it is of another kind.
inline std::uint64_t NumberIn(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || !name.ends_with(kFileSuffix)) return 0;
  name.remove_prefix(prefix.size());
  name.remove_suffix(std::min(name.size(), kFileSuffix.size()));
  std::uint64_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  return read.ec == std::errc() && read.ptr == name.data() + name.size() ? number : 0;
}

}  // namespace throughline::store::sqlite
