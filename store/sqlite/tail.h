// A tail file (format.md): what a memtable holds, on disk.
//
// One row a request; its WAL is never folded back, so that appending costs what the bytes cost.
// Belongs to the thread that appends, after Replay.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"
#include "store/sqlite/database.h"
#include "store/sqlite/files.h"

namespace throughline::store::sqlite {

inline constexpr std::int64_t kTailId = 0x544c5441;   // "TLTA", the application_id.
inline constexpr std::int64_t kNewestTailFormat = 2;  // 2: gauges.

struct TailRow {
  std::int64_t format = 1;
  std::uint32_t tenant = 0;
  std::uint64_t arrival_unix_ns = 0;
  std::string_view records;
  std::string_view dictionary;
};

class Tail {
 public:
  struct Options {
    bool full_durability = false;
    const char* vfs = nullptr;  // As in OpenOptions.
    Files& files;
  };
  // Creates the file where it is not there.
  static Result<Tail> Open(const std::string& path, const Options& options);

  const std::string& path() const { return path_; }

  // All rows in one transaction; durable as configured when it returns.
  Result<void> Append(const std::vector<TailRow>& rows);
  // A commit that seemed to fail may be there after a crash, until the next one stands in its
  // place. Makes that sure, where no append has done so: a retry may go to another tail from here
  // on.
  Result<void> Settle();
  // Every row in the order of commit; stops at the first error of `row`.
  Result<void> Replay(const std::function<Result<void>(const TailRow& row)>& row);

 private:
  Tail(std::string path, Database db, Statement insert);

  std::string path_;
  Database db_;
  Statement insert_;
  bool in_doubt_ = false;  // The last commit seemed to fail.
};

}  // namespace throughline::store::sqlite
