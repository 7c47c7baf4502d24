// What the store does with whole files, where SQLite does not do it: finished files get their name,
// directories are made durable, what is no longer needed goes.
//
// A port, so that tests can break it (tests/store/faulty_vfs.h). Any thread. Errors are
// kUnavailable and carry the path.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/result.h"

namespace throughline::store::sqlite {

class Files {
 public:
  virtual ~Files() = default;

  // Makes `directory` and what is missing above it, durable when it returns.
  virtual Result<void> CreateDirectories(const std::string& directory) = 0;
  // Replaces `to` in one step. Which of the two a power loss leaves is open until SyncDirectory.
  virtual Result<void> Rename(const std::string& from, const std::string& to) = 0;
  // Makes what was created, renamed and removed in it durable; not what the files hold.
  virtual Result<void> SyncDirectory(const std::string& directory) = 0;
  // Makes what the file holds durable; not its name. Never of a database that a connection of this
  // process has open: closing any descriptor of it would drop SQLite's locks.
  virtual Result<void> SyncFile(const std::string& path) = 0;
  // One that is not there is removed already. Connections that have it open can still read it.
  virtual Result<void> Remove(const std::string& path) = 0;
  // Names of the files in it, sorted; without its directories.
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;
  virtual Result<std::uint64_t> SizeOf(const std::string& path) = 0;

  // Sees a file piece by piece: kHashPieceBytes each (file_hash.h), and what is left. Its error
  // ends the call, and is returned.
  using Visit = std::function<Result<void>(std::string_view piece)>;
  virtual Result<void> Read(const std::string& path, const Visit& visit) = 0;
  // Makes `to`, over what is there, of the bytes of `from`; each piece is visited before it is
  // written. Durable after SyncFile. On an error a part of `to` may be there.
  virtual Result<void> Copy(const std::string& from, const std::string& to, const Visit& visit) = 0;
  // Gives the file another name, which must be free. False: there is no `from`.
  virtual Result<bool> Link(const std::string& from, const std::string& to) = 0;
  // With the files in it, but not with directories. One that is not there is removed already.
  virtual Result<void> RemoveDirectory(const std::string& directory) = 0;
};

// The operating system's. Lives as long as the process.
Files& SystemFiles();

// "disk full: PATH", "read-only: PATH", or "cannot VERB: PATH: reason", of an errno.
Error FileError(const char* verb, const std::string& path, int error_number);

}  // namespace throughline::store::sqlite
