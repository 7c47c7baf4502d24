#include "store/sql/data_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

#include "store/care/wal.h"
#include "store/sqlite/file_names.h"
#include "store/sqlite/files.h"

namespace throughline::store::sql {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCatalog = "catalog.db";
constexpr const char* kLog = "-wal";
constexpr std::size_t kCopyBytes = 1U << 20U;
constexpr int kAttempts = 50;
constexpr std::chrono::milliseconds kBetweenAttempts{10};

class OpenFile {
 public:
  OpenFile(const std::string& path, int flags)
      : file_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~OpenFile() {
    if (file_ >= 0) ::close(file_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  bool is_open() const { return file_ >= 0; }
  int get() const { return file_; }

 private:
  const int file_;
};

// Calls `take` with the bytes of the file up to the size that it had when it was opened. False: it
// is not there.
template <typename Take>
Result<bool> EachPiece(const std::string& path, Take take) {
  const OpenFile file(path, O_RDONLY);
  if (!file.is_open()) {
    if (errno == ENOENT) return false;
    return sqlite::FileError("open", path, errno);
  }
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return sqlite::FileError("read the size", path, errno);
  auto left = static_cast<std::size_t>(found.st_size);
  std::string piece(std::min(kCopyBytes, std::max<std::size_t>(left, 1)), '\0');
  while (left > 0) {
    const ssize_t read = ::read(file.get(), piece.data(), std::min(piece.size(), left));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return sqlite::FileError("read", path, errno);
    if (read == 0) break;
    left -= static_cast<std::size_t>(read);
    TL_TRY(take(std::string_view(piece.data(), static_cast<std::size_t>(read))));
  }
  return true;
}

Result<bool> CopyFile(const std::string& from, const std::string& to) {
  const OpenFile file(to, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.is_open()) return sqlite::FileError("create", to, errno);
  auto copied = EachPiece(from, [&](std::string_view bytes) -> Result<void> {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return sqlite::FileError("write", to, errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  });
  if (copied && !*copied) TL_TRY(sqlite::SystemFiles().Remove(to));
  return copied;
}

Result<std::optional<std::string>> ReadAll(const std::string& path) {
  std::string bytes;
  TL_TRY_ASSIGN(const bool is_there, EachPiece(path, [&](std::string_view piece) -> Result<void> {
                  bytes.append(piece);
                  return {};
                }));
  return is_there ? std::optional<std::string>(std::move(bytes)) : std::nullopt;
}

}  // namespace

DataCopy::DataCopy(DataCopy&& other) noexcept
    : directory_(std::move(other.directory_)),
      path_(std::exchange(other.path_, {})),
      segments_(std::move(other.segments_)) {}

DataCopy& DataCopy::operator=(DataCopy&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(path_, other.path_);
  std::swap(segments_, other.segments_);
  return *this;
}

DataCopy::~DataCopy() {
  std::error_code error;  // Nobody is there to be told.
  if (!path_.empty()) fs::remove_all(path_, error);
}

Result<DataCopy> DataCopy::Make(const std::string& directory) {
  std::error_code error;
  const std::string absolute = fs::absolute(directory, error).string();
  if (error || !fs::exists(absolute + '/' + kCatalog, error)) {
    return Error{Errc::kNotFound, directory + " is no data directory: it has no " + kCatalog};
  }
  const fs::path parent = fs::temp_directory_path(error);
  if (error) return sqlite::FileError("find", "TMPDIR", error.value());
  std::string path = (parent / "throughline-sql-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) return sqlite::FileError("create", path, errno);
  DataCopy copy(absolute, path);
  TL_TRY(copy.CopyTails());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(kBetweenAttempts);
    TL_TRY_ASSIGN(const bool is_still, copy.CopyCatalog());
    if (!is_still) continue;
    TL_TRY(copy.LinkSegments());
    // Retention may have taken one since the catalog was read. One that is lost for good is a
    // matter of the store.
    if (copy.IsWhole() || attempt + 1 == kAttempts) return copy;
  }
  return Error{Errc::kUnavailable, directory + "/" + kCatalog + " does not hold still"};
}

Result<void> DataCopy::CopyTails() {
  TL_TRY_ASSIGN(const auto names, sqlite::SystemFiles().List(directory_));
  for (const std::string& name : names) {
    if (sqlite::NumberIn(name, sqlite::kTailPrefix) == 0) continue;
    const std::string to = path_ + '/' + name;
    // The log first: a tail that has one has its first page too.
    TL_TRY(CopyFile(directory_ + '/' + name + kLog, to + kLog));
    TL_TRY_ASSIGN(const bool is_there, CopyFile(directory_ + '/' + name, to));
    // Sealed meanwhile.
    if (!is_there) TL_TRY(sqlite::SystemFiles().Remove(to + kLog));
  }
  return {};
}

Result<bool> DataCopy::CopyCatalog() {
  const std::string from = directory_ + '/' + kCatalog;
  const std::string to = path_ + '/' + kCatalog;
  TL_TRY(CopyFile(from, to));
  TL_TRY(CopyFile(from + kLog, to + kLog));
  TL_TRY_ASSIGN(const auto now, ReadAll(from));
  TL_TRY_ASSIGN(const auto copied, ReadAll(to));
  if (!now || now != copied) return false;
  TL_TRY_ASSIGN(const auto log_now, ReadAll(from + kLog));
  TL_TRY_ASSIGN(const auto log_copied, ReadAll(to + kLog));
  if (log_now.has_value() != log_copied.has_value()) return false;
  return !log_now || log_now->starts_with(*log_copied);  // It may have grown.
}

Result<void> DataCopy::LinkSegments() {
  for (const std::string& name : segments_) {
    TL_TRY(sqlite::SystemFiles().Remove(path_ + '/' + name));
  }
  segments_.clear();
  TL_TRY_ASSIGN(auto catalog, care::OpenAsFound(path_ + '/' + kCatalog));
  TL_TRY_ASSIGN(const std::int64_t version, catalog.Pragma("user_version"));
  if (version < 2) return {};  // Before there were segments.
  TL_TRY_ASSIGN(auto list, catalog.Prepare("SELECT file FROM segment ORDER BY id"));
  auto row = list.Use();
  while (row.Next()) segments_.emplace_back(row.Text(0));
  TL_TRY(row.Finish());
  for (const std::string& name : segments_) {
    // A name, and none that leads elsewhere.
    if (sqlite::NumberIn(name, sqlite::kSegmentPrefix) == 0) continue;
    std::error_code error;
    fs::create_symlink(directory_ + '/' + name, path_ + '/' + name, error);
    if (error) return sqlite::FileError("link", path_ + '/' + name, error.value());
  }
  return {};
}

bool DataCopy::IsWhole() const {
  return std::all_of(segments_.begin(), segments_.end(), [this](const std::string& name) {
    struct stat found {};
    return ::stat((directory_ + '/' + name).c_str(), &found) == 0;
  });
}

Error DataCopy::Named(Error error) const {
  for (std::size_t at = error.message.find(path_); at != std::string::npos;
       at = error.message.find(path_, at + directory_.size())) {
    error.message.replace(at, path_.size(), directory_);
  }
  return error;
}

}  // namespace throughline::store::sql
