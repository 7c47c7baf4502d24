#include "store/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace throughline::store {
namespace {

// So that the names of files that were created, renamed or removed are durable too.
void SyncFolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)::fsync(fd);  // Not all file systems can; the data itself is safe.
  ::close(fd);
}

}  // namespace

Error FileError(std::string_view what, const std::string& path) {
  std::string message = "cannot ";
  message.append(what).append(" ").append(path).append(": ").append(std::strerror(errno));
  return {Errc::kUnavailable, std::move(message)};
}

Result<AppendFile> AppendFile::Open(const std::string& path, std::uint64_t size_bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return FileError("open", path);
  AppendFile file(fd, path, true);
  struct stat found {};
  if (::fstat(fd, &found) != 0) return FileError("open", path);
  if (static_cast<std::uint64_t>(found.st_size) < size_bytes) {
    return Error{Errc::kDataLoss, path + " has " + std::to_string(found.st_size) + " bytes, and " +
                                      std::to_string(size_bytes) + " were written to it"};
  }
  const auto size = static_cast<off_t>(size_bytes);
  if (::ftruncate(fd, size) != 0 || ::lseek(fd, size, SEEK_SET) != size) {
    return FileError("write", path);
  }
  file.size_bytes_ = size_bytes;
  return file;
}

AppendFile AppendFile::Of(int fd, const std::string& name) { return {fd, name, false}; }

AppendFile::AppendFile(AppendFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      owned_(other.owned_),
      size_bytes_(other.size_bytes_) {}

AppendFile::~AppendFile() {
  if (owned_ && fd_ >= 0) ::close(fd_);
}

Result<void> AppendFile::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FileError("write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    size_bytes_ += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<void> AppendFile::Sync() {
  if (owned_ && ::fdatasync(fd_) != 0) return FileError("write", path_);
  return {};
}

Result<void> ReplaceFile(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".new";
  TL_TRY_ASSIGN(AppendFile file, AppendFile::Open(beside, 0));
  TL_TRY(file.Append(bytes));
  TL_TRY(file.Sync());
  if (std::rename(beside.c_str(), path.c_str()) != 0) return FileError("write", path);
  SyncFolderOf(path);
  return {};
}

Result<std::string> ReadWholeFile(const std::string& path, std::uint64_t limit_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return Error{Errc::kNotFound, "no " + path};
    return FileError("read", path);
  }
  std::string bytes;
  char buffer[1 << 16];
  ssize_t got = 0;
  do {
    got = ::read(fd, buffer, sizeof buffer);
    if (got > 0) bytes.append(buffer, static_cast<std::size_t>(got));
  } while ((got > 0 && bytes.size() <= limit_bytes) || (got < 0 && errno == EINTR));
  const Error error = FileError("read", path);
  ::close(fd);
  if (got < 0) return error;
  if (bytes.size() > limit_bytes) {
    return Error{Errc::kTooLarge,
                 path + " has more than " + std::to_string(limit_bytes) + " bytes"};
  }
  return bytes;
}

bool FileExists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

Result<void> RemoveFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FileError("remove", path);
  SyncFolderOf(path);
  return {};
}

}  // namespace throughline::store
