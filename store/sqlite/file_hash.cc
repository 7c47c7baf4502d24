#include "store/sqlite/file_hash.h"

#include <cerrno>
#include <cstdio>
#include <memory>

#include "store/sqlite/files.h"

namespace throughline::store::sqlite {

Result<std::uint64_t> HashOfFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) return FileError("open", path, errno);
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  const auto piece = std::make_unique_for_overwrite<char[]>(kHashPieceBytes);
  FileHash hash;
  for (;;) {
    const std::size_t read = std::fread(piece.get(), 1, kHashPieceBytes, file.get());
    if (read > 0) hash.Add({piece.get(), read});
    if (read < kHashPieceBytes) break;
  }
  if (std::ferror(file.get()) != 0) return FileError("read", path, errno);
  return hash.Value();
}

}  // namespace throughline::store::sqlite
