#include "store/sqlite/region_pool.h"

#include <sys/mman.h>

#include "correlate/check.h"

namespace throughline::store::sqlite {

RegionPool::Mapping RegionPool::Map(std::size_t capacity) {
  void* const data = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TL_CHECK(data != MAP_FAILED);  // Address space, not memory: at start-up, or never.
  // Fewer page faults and TLB misses. Advice: where the kernel has no large pages, small ones do.
  ::madvise(data, capacity, MADV_HUGEPAGE);
  return {.data = static_cast<char*>(data), .capacity = capacity, .used = 0};
}

void RegionPool::Unmap(const Mapping& mapping) { ::munmap(mapping.data, mapping.capacity); }

RegionPool::Mapping RegionPool::Take(std::size_t capacity) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto best = spare_.end();
    for (auto at = spare_.begin(); at != spare_.end(); ++at) {
      const bool fits = at->capacity == capacity;
      if (fits && (best == spare_.end() || at->used > best->used)) best = at;
    }
    if (best != spare_.end()) {
      const Mapping mapping = *best;
      used_ -= mapping.used;
      spare_.erase(best);
      return mapping;
    }
  }
  return Map(capacity);
}

void RegionPool::Give(Mapping mapping) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (used_ + mapping.used <= spare_bytes_) {
      used_ += mapping.used;
      spare_.push_back(mapping);
      return;
    }
  }
  Unmap(mapping);
}

void RegionPool::Trim() {
  std::vector<Mapping> spare;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    spare.swap(spare_);
    used_ = 0;
  }
  for (const Mapping& mapping : spare) Unmap(mapping);
}

}  // namespace throughline::store::sqlite
