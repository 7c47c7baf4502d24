// A disk that tests break: calls that fail, room that ends, power that goes, bytes that rot.
//
//   FaultyVfs disk;
//   auto store = SqliteStore::Open({.directory = directory, .vfs = disk.name(), ...});
//   disk.Fail({.operation = Operation::kSync, .path = "tail-"});       // The next one.
//   disk.Fail({.operation = Operation::kWrite, .first = n, .code = SQLITE_FULL});
//   disk.PowerOff(); store->reset(); disk.PowerOn(seed);
//
// It is a VFS of SQLite's in front of the operating system's, under a name of its own, and a Files
// in front of SystemFiles(). Data lies in real files; what a power loss leaves of each is
// remembered in memory, so keep files small. No sync reaches the real disk. What it does follows
// from the calls and the seeds alone. Any thread; one call at a time.
//
// What a power loss may leave (and file systems promise no more): of a file, what was synced, and
// of each 512-byte sector that was written since any one of its versions, with any of the sizes
// that it had; of a directory, what was synced, and the first few of the creations, renames and
// removals since, in their order. Directories themselves are durable at once. Files that were there
// before their first call through here are taken for durable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "store/sqlite/files.h"

namespace throughline::store {

enum class Operation {
  kOpen,
  kRead,
  kWrite,
  kSync,
  kTruncate,
  kDelete,  // Also Files::Remove.
  kFileSize,
  kLock,
  kAccess,
  kShmMap,
  // Of Files only.
  kCreateDirectories,
  kRename,
  kSyncDirectory,
  kList,
};
inline constexpr Operation kLastOperation = Operation::kList;
const char* OperationName(Operation operation);

enum class Effect {
  kFails,      // Nothing is done.
  kTears,      // As kFails, but half of what was to be written is.
  kForgets,    // As kFails, and what was to be synced is never synced: Linux, after a failed fsync.
  kComesLate,  // All is done, and then it fails.
  kPowerOff,   // The power goes just before.
};

struct Fault {
  std::optional<Operation> operation = {};  // Absent: any.
  std::string path = {};                    // Of files whose path contains it.
  std::uint64_t first = 1;  // Of the calls that match from when the fault is set; 1: the next.
  std::uint64_t count = 1;
  int code = 0;  // SQLite's; 0: the one that the operation is apt to fail with.
  Effect effect = Effect::kFails;
};
inline constexpr std::uint64_t kForGood = UINT64_MAX;  // Of a count.

class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();  // Every file is closed before.
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  const char* name() const;
  sqlite::Files& files();

  // Faults add up; the first that is due decides.
  void Fail(Fault fault);
  // Ends all faults and flips, and begins to count anew.
  void Heal();
  // Calls since Heal, and how many of them a fault met.
  std::uint64_t calls(Operation operation) const;
  std::uint64_t failed_calls() const;

  // All files together take so much; a write that needs more writes what fits, and fails with
  // SQLITE_FULL. UINT64_MAX: as much as there is.
  void LimitBytes(std::uint64_t limit_bytes);
  std::uint64_t used_bytes() const;

  // Whoever reads this byte of files whose path contains `path` finds the bits of `mask` flipped.
  void FlipOnRead(const std::string& path, std::uint64_t offset, std::uint8_t mask);

  // Every call fails and nothing changes, from here on.
  void PowerOff();
  bool is_off() const;
  // Puts files back to what a power loss left of them, and heals. Every file is closed before.
  // Without a seed only what was synced is left. Turns the power off first, if that was not done.
  void PowerOn(std::optional<std::uint64_t> seed);
  // After PowerOff, which was the end of the process only: what was written is there, and what of
  // it is not synced is still to be lost. Heals.
  void Restart();

 private:
  class Disk;
  class FaultyFiles;
  struct Hooks;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<FaultyFiles> files_;
};

}  // namespace throughline::store
