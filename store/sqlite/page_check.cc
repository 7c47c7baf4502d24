#include "store/sqlite/page_check.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "correlate/hash.h"
#include "store/sqlite/files.h"

namespace throughline::store::sqlite {
namespace {

constexpr std::uint64_t kSeed = 0x7061676573756d31ULL;
constexpr std::size_t kContentBytes = kCheckedPageBytes - kPageCheckBytes;

}  // namespace

std::uint64_t PageCheck(const char* page, std::uint64_t offset) {
  return HashBytes(page, kContentBytes, kSeed + offset);
}

void StampPage(char* page, std::uint64_t offset) {
  const std::uint64_t check = PageCheck(page, offset);
  std::memcpy(page + kContentBytes, &check, sizeof check);
}

bool IsPageWhole(const char* page, std::uint64_t offset) {
  std::uint64_t check = 0;
  std::memcpy(&check, page + kContentBytes, sizeof check);
  return check == PageCheck(page, offset);
}

Result<std::uint64_t> CountDamagedPages(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) return FileError("open", path, errno);
  char page[kCheckedPageBytes];
  std::uint64_t damaged = 0;
  for (std::uint64_t offset = 0;; offset += kCheckedPageBytes) {
    const std::size_t read = std::fread(page, 1, sizeof page, file.get());
    if (read > 0 && (read < sizeof page || !IsPageWhole(page, offset))) ++damaged;
    if (read < sizeof page) break;
  }
  if (std::ferror(file.get()) != 0) return FileError("read", path, errno);
  return damaged;
}

}  // namespace throughline::store::sqlite
