// The files of the hot part (format.md): the catalog and the tail.
//
// The catalog is tiny and fully durable: the hash seed and the tenants' numbers. The tail takes one
// row a request; its WAL is never folded back, so that appending costs what the bytes cost. Both
// belong to the thread that appends, after Open. `DIR/LOCK` is held as long as this lives.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "correlate/result.h"
#include "store/sqlite/database.h"
#include "store/sqlite/files.h"

namespace throughline::store::sqlite {

struct TailRow {
  std::int64_t format = 1;
  std::uint32_t tenant = 0;
  std::uint64_t arrival_unix_ns = 0;
  std::string_view records;
  std::string_view dictionary;
};

// DIR/LOCK, which one process at a time can hold.
class DirectoryLock {
 public:
  static Result<DirectoryLock> Take(const std::string& directory);
  DirectoryLock(DirectoryLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int file) : file_(file) {}
  int file_;
};

class Tail {
 public:
  struct Options {
    std::string directory;
    bool full_durability = false;
    std::string vfs = {};    // Empty: SQLite's own choice.
    Files* files = nullptr;  // Null: SystemFiles().
  };
  // Creates the directory and the files that are not there.
  static Result<Tail> Open(const Options& options);

  std::uint64_t hash_seed() const { return hash_seed_; }
  // Tenant i has number i + 1.
  const std::vector<std::string>& tenants() const { return tenants_; }
  // Durable when it returns.
  Result<std::uint32_t> AddTenant(const std::string& name);

  // All rows in one transaction; durable as configured when it returns.
  Result<void> Append(const std::vector<TailRow>& rows);
  // Every row in the order of commit; stops at the first error of `row`.
  Result<void> Replay(const std::function<Result<void>(const TailRow& row)>& row);

  // Of the tail and its WAL.
  std::uint64_t disk_bytes() const;

 private:
  Tail(DirectoryLock lock, std::string tail_path, Database catalog, Database tail,
       Statement insert);

  DirectoryLock lock_;  // First: outlives the connections.
  std::string tail_path_;
  Database catalog_;
  Database tail_;
  Statement insert_;
  std::uint64_t hash_seed_ = 0;
  std::vector<std::string> tenants_;
};

}  // namespace throughline::store::sqlite
