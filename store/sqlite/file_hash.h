// One number for all bytes of a file: whether they are those that were written. Not against
// forgery, only against what disks do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/hash.h"
#include "correlate/result.h"

namespace throughline::store::sqlite {

// Of bytes that come piece by piece; every piece but the last has kHashPieceBytes.
inline constexpr std::size_t kHashPieceBytes = std::size_t{1} << 20U;

class FileHash {
 public:
  void Add(std::string_view piece) { hash_ = HashCombine(hash_, HashBytes(piece, 0)); }
  // Never 0, which stands for "not known".
  std::uint64_t Value() const { return hash_ == 0 ? 1 : hash_; }

 private:
  std::uint64_t hash_ = 0x7468726f7567686cULL;
};

Result<std::uint64_t> HashOfFile(const std::string& path);

}  // namespace throughline::store::sqlite
