// Reads the write-ahead log beside a SQLite database as SQLite would, to tell what SQLite does not:
// how much of it stands behind the place where SQLite stops reading.
//
// Only bytes; the format is https://sqlite.org/fileformat2.html#the_write_ahead_log.
#pragma once

#include <cstdint>
#include <string>

#include "correlate/result.h"
#include "store/sqlite/database.h"

namespace throughline::store::care {

struct WalState {
  std::uint64_t bytes = 0;       // Of the file; 0: there is none.
  bool has_header = false;       // Which can be read.
  std::uint64_t salts = 0;       // Of the header: another one is another log.
  std::uint64_t commits = 0;     // That can be read,
  std::uint64_t good_bytes = 0;  // up to here.
  // Behind that, of the same log: what was committed, and cannot be read any more. What a crash cut
  // off in the middle of a commit counts none.
  std::uint64_t lost_commits = 0;
  std::uint64_t lost_bytes = 0;
};

Result<WalState> ReadWal(const std::string& path);

// Opens a database with what its log has, and leaves both as they are.
Result<sqlite::Database> OpenAsFound(const std::string& path);

}  // namespace throughline::store::care
