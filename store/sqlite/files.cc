#include "store/sqlite/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "store/sqlite/file_hash.h"

namespace throughline::store::sqlite {
namespace {

// An open file, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int file) : file_(file) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (file_ >= 0) ::close(file_);
  }
  int get() const { return file_; }
  // Some file systems say only here that the disk is full.
  bool Close() { return ::close(std::exchange(file_, -1)) == 0; }

 private:
  int file_;
};

Result<void> ReadPieces(int file, const std::string& path, const Files::Visit& visit) {
  const auto piece = std::make_unique_for_overwrite<char[]>(kHashPieceBytes);
  std::size_t filled = 0;
  for (;;) {
    const ssize_t got = ::read(file, piece.get() + filled, kHashPieceBytes - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("read", path, errno);
    filled += static_cast<std::size_t>(got);
    if (got > 0 && filled < kHashPieceBytes) continue;
    if (filled > 0) TL_TRY(visit({piece.get(), filled}));
    if (got == 0) return {};
    filled = 0;
  }
}

Result<void> WriteAll(int file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FileError("write", path, written < 0 ? errno : EIO);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

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

  Result<void> Read(const std::string& path, const Visit& visit) override {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return FileError("open", path, errno);
    return ReadPieces(file.get(), path, visit);
  }

  Result<void> Copy(const std::string& from, const std::string& to, const Visit& visit) override {
    const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (source.get() < 0) return FileError("open", from, errno);
    Descriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (target.get() < 0) return FileError("open", to, errno);
    const auto write = [&](std::string_view piece) -> Result<void> {
      TL_TRY(visit(piece));
      return WriteAll(target.get(), to, piece);
    };
    TL_TRY(ReadPieces(source.get(), from, write));
    if (!target.Close()) return FileError("write", to, errno);
    return {};
  }

  Result<bool> Link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) == 0) return true;
    if (errno == ENOENT && ::access(from.c_str(), F_OK) != 0) return false;
    return FileError("link", to, errno);
  }

  Result<void> RemoveDirectory(const std::string& directory) override {
    const auto names = List(directory);
    if (!names) {
      if (::access(directory.c_str(), F_OK) != 0 && errno == ENOENT) return {};
      return names.error();
    }
    for (const std::string& name : *names) TL_TRY(Remove(directory + '/' + name));
    if (::rmdir(directory.c_str()) != 0 && errno != ENOENT) {
      return FileError("remove", directory, errno);
    }
    return {};
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
