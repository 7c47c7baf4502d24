// Address space that a Region has let go, for the next of the same capacity: its pages need not be
// asked for, and cleared by the kernel, again.
//
// Any thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

namespace throughline::store::sqlite {

class RegionPool {
 public:
  struct Mapping {
    char* data = nullptr;
    std::size_t capacity = 0;
    std::size_t used = 0;  // Bytes from the front that may take memory, and hold anything.
  };

  // Keeps spare mappings while what they use of memory is at most `spare_bytes` together.
  explicit RegionPool(std::size_t spare_bytes) : spare_bytes_(spare_bytes) {}
  RegionPool(const RegionPool&) = delete;
  RegionPool& operator=(const RegionPool&) = delete;
  ~RegionPool() { Trim(); }

  // The spare mapping of this capacity that uses most memory, else a new one.
  Mapping Take(std::size_t capacity);
  void Give(Mapping mapping);
  // Gives all that is spare back to the kernel.
  void Trim();

  static Mapping Map(std::size_t capacity);
  static void Unmap(const Mapping& mapping);

 private:
  const std::size_t spare_bytes_;
  std::mutex mutex_;
  std::vector<Mapping> spare_;  // Guarded by mutex_, as the next.
  std::size_t used_ = 0;
};

}  // namespace throughline::store::sqlite
