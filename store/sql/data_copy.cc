#include "store/sql/data_copy.h"

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

constexpr const char* kCatalog = sqlite::kCatalogFile.data();  // Of a literal.
constexpr const char* kLog = "-wal";
constexpr int kAttempts = 50;
constexpr std::chrono::milliseconds kBetweenAttempts{10};

bool IsThere(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// False: there is no `from`, which may have gone meanwhile.
Result<bool> CopyFile(const std::string& from, const std::string& to) {
  const auto copied =
      sqlite::SystemFiles().Copy(from, to, [](std::string_view) { return Result<void>(); });
  if (copied) return true;
  if (IsThere(from)) return copied.error();
  TL_TRY(sqlite::SystemFiles().Remove(to));
  return false;
}

Result<std::optional<std::string>> ReadAll(const std::string& path) {
  std::string bytes;
  const auto read = sqlite::SystemFiles().Read(path, [&bytes](std::string_view piece) {
    bytes.append(piece);
    return Result<void>();
  });
  if (read) return std::optional<std::string>(std::move(bytes));
  if (IsThere(path)) return read.error();
  return std::optional<std::string>();
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
