#include "store/sqlite/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace throughline::store::sqlite {
namespace {

Result<void> OpenAndSync(const std::string& path, int flags, int (*sync)(int)) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (file < 0) return FileError("open", path, errno);
  const int failed = sync(file) == 0 ? 0 : errno;
  ::close(file);
  if (failed != 0) return FileError("sync", path, failed);
  return {};
}

class PosixFiles final : public Files {
 public:
  Result<void> CreateDirectories(const std::string& directory) override {
    std::filesystem::path path = std::filesystem::path(directory).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();  // A slash at the end.
    struct stat found {};
    if (path.empty() || ::stat(path.c_str(), &found) == 0) {
      if (path.empty() || S_ISDIR(found.st_mode)) return {};
      return FileError("create", directory, ENOTDIR);
    }
    const std::string parent = path.has_parent_path() ? path.parent_path().string() : ".";
    TL_TRY(CreateDirectories(parent));
    if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) {
      return FileError("create", directory, errno);
    }
    return SyncDirectory(parent);
  }

  Result<void> Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return FileError("rename", from, errno);
    return {};
  }

  Result<void> SyncDirectory(const std::string& directory) override {
    return OpenAndSync(directory, O_DIRECTORY, ::fsync);
  }

  Result<void> SyncFile(const std::string& path) override {
    return OpenAndSync(path, 0, ::fdatasync);
  }

  Result<void> Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FileError("remove", path, errno);
    return {};
  }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    std::error_code error;
    std::vector<std::string> names;
    auto entry = std::filesystem::directory_iterator(directory, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      std::error_code gone;  // Since it was listed.
      if (!entry->is_directory(gone)) names.push_back(entry->path().filename().string());
    }
    if (error) return FileError("list", directory, error.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<std::uint64_t> SizeOf(const std::string& path) override {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return FileError("read the size", path, errno);
    return static_cast<std::uint64_t>(found.st_size);
  }
};

}  // namespace

Files& SystemFiles() {
  static PosixFiles files;
  return files;
}

Error FileError(const char* verb, const std::string& path, int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return {Errc::kUnavailable, "disk full: " + path};
    case EROFS: return {Errc::kUnavailable, "read-only: " + path};
    default:
      return {Errc::kUnavailable,
              std::string("cannot ") + verb + ": " + path + ": " + std::strerror(error_number)};
  }
}

}  // namespace throughline::store::sqlite
