#include "store/care/wal.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>

#include "store/sqlite/files.h"

namespace throughline::store::care {
namespace {

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::uint32_t kMagic = 0x377f0682;

std::uint32_t BigEndian(const char* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = (value << 8U) | static_cast<unsigned char>(at[i]);
  return value;
}

// The running checksum of a log; its words are in the order that the magic number says.
class Checksum {
 public:
  explicit Checksum(bool big_endian) : big_endian_(big_endian) {}
  void Add(std::string_view bytes) {
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      first_ += Word(bytes.data()) + second_;
      second_ += Word(bytes.data() + 4) + first_;
    }
  }
  bool Is(const char* stored) const {
    return BigEndian(stored) == first_ && BigEndian(stored + 4) == second_;
  }

 private:
  std::uint32_t Word(const char* at) const {
    const std::uint32_t value = BigEndian(at);
    return big_endian_ ? value : __builtin_bswap32(value);
  }
  const bool big_endian_;
  std::uint32_t first_ = 0;
  std::uint32_t second_ = 0;
};

}  // namespace

Result<WalState> ReadWal(const std::string& path) {
  WalState state;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) {
    if (errno == ENOENT) return state;
    return sqlite::FileError("open", path, errno);
  }
  char header[kHeaderBytes];
  state.bytes = std::fread(header, 1, sizeof header, file.get());
  if (state.bytes == 0) return state;
  std::uint32_t page = 0;
  Checksum checksum(BigEndian(header) & 1U);
  if (state.bytes == sizeof header) {
    page = BigEndian(header + 8);
    checksum.Add({header, 24});
    state.has_header = (BigEndian(header) & ~1U) == kMagic && checksum.Is(header + 24) &&
                       page >= 512 && page <= 65536 && (page & (page - 1)) == 0;
    state.salts = (std::uint64_t{BigEndian(header + 16)} << 32U) | BigEndian(header + 20);
  }
  if (!state.has_header) {
    std::fseek(file.get(), 0, SEEK_END);
    state.bytes = static_cast<std::uint64_t>(std::ftell(file.get()));
    return state;
  }
  state.good_bytes = sizeof header;
  std::string frame(kFrameHeaderBytes + page, '\0');
  bool is_good = true;
  for (;;) {
    const std::size_t read = std::fread(frame.data(), 1, frame.size(), file.get());
    state.bytes += read;
    if (read < frame.size()) break;
    const std::uint64_t salts =
        (std::uint64_t{BigEndian(frame.data() + 8)} << 32U) | BigEndian(frame.data() + 12);
    const bool is_commit = BigEndian(frame.data() + 4) != 0;
    if (is_good) {
      checksum.Add({frame.data(), 8});
      checksum.Add({frame.data() + kFrameHeaderBytes, page});
      is_good = salts == state.salts && checksum.Is(frame.data() + 16);
    }
    if (is_good && is_commit) {
      ++state.commits;
      state.good_bytes = state.bytes;
    } else if (!is_good && is_commit && salts == state.salts) {
      ++state.lost_commits;
    }
  }
  if (std::ferror(file.get()) != 0) return sqlite::FileError("read", path, errno);
  if (state.lost_commits > 0) state.lost_bytes = state.bytes - state.good_bytes;
  return state;
}

Result<sqlite::Database> OpenAsFound(const std::string& path) {
  // Where there is no log, opening a database that may have one would begin one.
  const auto bytes = sqlite::SystemFiles().SizeOf(path + "-wal");
  const bool has_log = bytes && *bytes > 0;
  return sqlite::Database::Open(path, {.immutable = !has_log, .as_found = has_log});
}

}  // namespace throughline::store::care
