#include "store/care/lock.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "store/sqlite/files.h"

namespace throughline::store::care {
namespace {

// "1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF" in /proc/locks. 0: not told.
int HolderOf(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return 0;
  const std::string inode = ":" + std::to_string(found.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, mode, file;
    int process = 0;
    words >> number >> kind >> advisory >> mode >> process >> file;
    if (words && kind == "FLOCK" && file.ends_with(inode)) return process;
  }
  return 0;
}

}  // namespace

Result<sqlite::DirectoryLock> TakeLock(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return sqlite::FileError("open", directory, error ? error.value() : ENOTDIR);
  }
  auto lock = sqlite::DirectoryLock::Take(directory);
  if (lock) return lock;
  const int process = HolderOf(directory + "/LOCK");
  if (process > 0) {
    return Error{lock.error().code, directory + "/LOCK: process " + std::to_string(process) +
                                        " holds this data directory"};
  }
  return lock.error();
}

}  // namespace throughline::store::care
