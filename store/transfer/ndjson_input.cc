// NDJSON as an input: lines of bounded length, read in blocks.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "correlate/digits.h"
#include "store/file.h"
#include "store/transfer/input.h"
#include "store/transfer/ndjson_line.h"

namespace throughline::store::transfer {
namespace {

constexpr std::size_t kBlockBytes = 1U << 16U;

class NdjsonInput final : public Input {
 public:
  NdjsonInput(int fd, std::string path, std::uint64_t size_bytes, InputLimits limits)
      : fd_(fd), path_(std::move(path)), size_bytes_(size_bytes), limits_(std::move(limits)) {}
  NdjsonInput(const NdjsonInput&) = delete;
  NdjsonInput& operator=(const NdjsonInput&) = delete;
  ~NdjsonInput() override {
    if (fd_ != STDIN_FILENO) ::close(fd_);
  }

  Result<Incoming> Next() override {
    while (true) {
      TL_TRY_ASSIGN(Incoming incoming, Fill());
      // Nothing in it, and not at the end: all of it was rejected.
      if (incoming.batch != nullptr || at_end_) return incoming;
    }
  }

  std::string Place() const override { return std::to_string(offset_); }

  Result<void> GoTo(std::string_view place) override {
    std::uint64_t offset = 0;
    if (!digits::ParseDecimal(place, offset) || offset > size_bytes_) {
      return InvalidArgument(path_ + " has no byte " + std::string(place));
    }
    if (::lseek(fd_, static_cast<off_t>(offset), SEEK_SET) < 0) return FileError("read", path_);
    offset_ = offset;
    return {};
  }

  std::string Print() const override {
    return fd_ == STDIN_FILENO ? std::string() : std::to_string(size_bytes_) + " bytes";
  }
  std::uint64_t done() const override { return offset_; }
  std::uint64_t size() const override { return size_bytes_; }
  const Decoded& decoded() const override { return decoded_; }

 private:
  Result<Incoming> Fill() {
    Incoming incoming;
    auto batch = std::make_shared<Batch>();
    NdjsonLines lines(limits_.decode, *batch);
    const std::uint64_t begin = offset_;
    std::string_view line;
    while (batch->record_count() < limits_.batch_records && offset_ - begin < limits_.batch_bytes) {
      TL_TRY_ASSIGN(const bool found, FindLine(line));
      at_end_ = !found;
      if (!found || !Read(line, lines, incoming.tenant)) break;
      Take(line.size() + 1);
    }
    if (batch->record_count() > 0) incoming.batch = std::move(batch);
    return incoming;
  }

  // False: the line is of another tenant than those before it, and is for the next batch.
  bool Read(std::string_view line, NdjsonLines& lines, std::string& tenant) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return true;
    const auto read = lines.Append(line, offset_, tenant);
    if (read && !*read) return false;
    ++decoded_.received;
    if (read) {
      ++decoded_.accepted;
    } else {
      Reject(read.error().message);
    }
    return true;
  }

  void Reject(std::string_view reason) {
    std::string text = "line at byte " + std::to_string(offset_) + ": ";
    decoded_.Reject(text.append(reason));
  }

  // The next line, without its newline, in the buffer and followed by padding. False: the end.
  Result<bool> FindLine(std::string_view& line) {
    std::size_t searched = 0;
    while (true) {
      const std::string_view unread = buffer_.view().substr(taken_);
      const std::size_t newline = unread.find('\n', searched);
      if (newline != std::string_view::npos && newline <= limits_.record_bytes) {
        line = unread.substr(0, newline);
        return true;
      }
      if (unread.size() > limits_.record_bytes) {
        TL_TRY(SkipLongLine());
        searched = 0;
        continue;
      }
      searched = unread.size();
      TL_TRY_ASSIGN(const bool more, ReadBlock());
      if (more) continue;
      line = buffer_.view().substr(taken_);
      return !line.empty();
    }
  }

  // Leaves the buffer at the beginning of the next line.
  Result<void> SkipLongLine() {
    ++decoded_.received;
    Reject("longer than " + std::to_string(limits_.record_bytes) + " bytes");
    while (true) {
      const std::string_view unread = buffer_.view().substr(taken_);
      const std::size_t newline = unread.find('\n');
      Take(newline == std::string_view::npos ? unread.size() : newline + 1);
      if (newline != std::string_view::npos) return {};
      TL_TRY_ASSIGN(const bool more, ReadBlock());
      if (!more) return {};
    }
  }

  // The last line may lack its newline.
  void Take(std::size_t size) {
    size = std::min(size, buffer_.size() - taken_);
    taken_ += size;
    offset_ += size;
  }

  // Appends to the buffer, which keeps what is not taken. False: the end of the file.
  Result<bool> ReadBlock() {
    const std::size_t kept = buffer_.size() - taken_;
    if (taken_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + taken_, kept);
      buffer_.set_size(kept);
      taken_ = 0;
    }
    const std::size_t wanted = kept + kBlockBytes + Body::kPadding;
    if (wanted > buffer_.capacity()) buffer_.Grow(std::max(wanted, 2 * buffer_.capacity()));
    ssize_t got = 0;
    do {
      got = ::read(fd_, buffer_.data() + kept, kBlockBytes);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return FileError("read", path_);
    buffer_.set_size(kept + static_cast<std::size_t>(got));
    return got > 0;
  }

  const int fd_;
  const std::string path_;
  const std::uint64_t size_bytes_;
  const InputLimits limits_;
  Decoded decoded_;
  bool at_end_ = false;
  Body buffer_;
  std::size_t taken_ = 0;     // Of the buffer.
  std::uint64_t offset_ = 0;  // Of the next line, in the file.
};

}  // namespace

Result<std::unique_ptr<Input>> OpenNdjsonInput(const std::string& path, const InputLimits& limits) {
  int fd = STDIN_FILENO;
  std::uint64_t size_bytes = 0;
  if (path != "-") {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat found {};
    if (fd < 0 || ::fstat(fd, &found) != 0) return FileError("read", path);
    size_bytes = static_cast<std::uint64_t>(found.st_size);
  }
  return std::unique_ptr<Input>(std::make_unique<NdjsonInput>(fd, path, size_bytes, limits));
}

}  // namespace throughline::store::transfer
