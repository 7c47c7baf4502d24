#include "store/sqlite/region.h"

#include <sys/mman.h>

#include <mutex>
#include <vector>

namespace throughline::store::sqlite {
namespace {

// What has been touched in regions that nobody uses now.
constexpr std::size_t kSpareBytesAtMost = 128U << 20U;
// Smaller ones are got from the system as fast.
constexpr std::size_t kWorthKeeping = 1U << 20U;

struct Spare {
  char* data = nullptr;
  std::size_t capacity = 0;
  std::size_t touched = 0;
};

class Spares {
 public:
  static Spares& Instance() {
    static Spares* const spares = new Spares();  // Outlives every region.
    return *spares;
  }

  // Null data: there is none.
  Spare Take(std::size_t capacity) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t i = spares_.size(); i > 0; --i) {
      if (spares_[i - 1].capacity != capacity) continue;
      const Spare spare = spares_[i - 1];
      spares_.erase(spares_.begin() + static_cast<std::ptrdiff_t>(i - 1));
      bytes_ -= spare.touched;
      return spare;
    }
    return {};
  }
  // False: there are enough.
  bool Keep(const Spare& spare) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (spare.touched < kWorthKeeping || bytes_ + spare.touched > kSpareBytesAtMost) return false;
    spares_.push_back(spare);
    bytes_ += spare.touched;
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<Spare> spares_;  // Guarded by mutex_.
  std::size_t bytes_ = 0;      // Guarded by mutex_.
};

}  // namespace

Region::Region(std::size_t capacity) : capacity_(capacity) {
  const Spare spare = Spares::Instance().Take(capacity);
  if (spare.data != nullptr) {
    data_ = spare.data;
    touched_ = spare.touched;
    return;
  }
  void* const data = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TL_CHECK(data != MAP_FAILED);  // Address space, not memory: at start-up, or never.
  data_ = static_cast<char*>(data);
  // Fewer page faults and TLB misses. Advice: where the kernel has no large pages, small ones do.
  ::madvise(data_, capacity_, MADV_HUGEPAGE);
}

Region::~Region() {
  if (!Spares::Instance().Keep({data_, capacity_, touched_})) ::munmap(data_, capacity_);
}

}  // namespace throughline::store::sqlite
