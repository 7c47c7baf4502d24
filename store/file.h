// Files of ours beside the databases: written with errors, made durable, put in place whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::store {

// A file that is appended to. Buffers nothing of its own.
class AppendFile {
 public:
  // Opens or creates `path` for its user alone. What is behind `size_bytes` is cut off; kDataLoss
  // where there is less.
  static Result<AppendFile> Open(const std::string& path, std::uint64_t size_bytes);
  // Takes what is open already, as stdout is, and does not close it.
  static AppendFile Of(int fd, const std::string& name);
  AppendFile(AppendFile&& other) noexcept;
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  AppendFile& operator=(AppendFile&&) = delete;
  ~AppendFile();

  Result<void> Append(std::string_view bytes);
  // On disk when it returns. Does nothing for what was open already.
  Result<void> Sync();
  // Of the file so far.
  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  AppendFile(int fd, std::string path, bool owned)
      : fd_(fd), path_(std::move(path)), owned_(owned) {}
  int fd_;
  std::string path_;
  bool owned_;
  std::uint64_t size_bytes_ = 0;
};

// After a crash there is the old file or the new one, never a half.
Result<void> ReplaceFile(const std::string& path, std::string_view bytes);

// kNotFound: there is none. kTooLarge: over `limit_bytes`. kUnavailable: it cannot be read.
Result<std::string> ReadWholeFile(const std::string& path, std::uint64_t limit_bytes);

bool FileExists(const std::string& path);
// No error where there is none.
Result<void> RemoveFile(const std::string& path);
// "cannot WHAT PATH: why errno says".
Error FileError(std::string_view what, const std::string& path);

}  // namespace throughline::store
