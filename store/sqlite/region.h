// Address space that is reserved whole and filled from the front: what is in it never moves, so
// readers need no lock, and memory is used only as it is touched.
//
// One writer appends; readers look only at what the writer has published to them.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <utility>

#include "correlate/check.h"

namespace throughline::store::sqlite {

class Region {
 public:
  explicit Region(std::size_t capacity) : capacity_(capacity) {
    void* const data = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    TL_CHECK(data != MAP_FAILED);  // Address space, not memory: at start-up, or never.
    data_ = static_cast<char*>(data);
    // Fewer page faults and TLB misses. Advice: where the kernel has no large pages, small ones do.
    ::madvise(data_, capacity_, MADV_HUGEPAGE);
  }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  ~Region() { ::munmap(data_, capacity_); }

  char* data() { return data_; }
  const char* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::size_t left() const { return capacity_ - size_; }
  char* end() { return data_ + size_; }

  // Takes `bytes` more, which the caller has filled at end(); or gives the end back.
  void Extend(std::size_t bytes) {
    TL_CHECK(bytes <= left());
    size_ += bytes;
  }
  void Shrink(std::size_t size) {
    TL_CHECK(size <= size_);
    size_ = size;
  }

 private:
  char* data_ = nullptr;
  std::size_t capacity_;
  std::size_t size_ = 0;
};

// A Region of one type, by index.
template <typename T>
class Table {
 public:
  explicit Table(std::size_t capacity) : region_(capacity * sizeof(T)) {}

  T& operator[](std::size_t index) { return reinterpret_cast<T*>(region_.data())[index]; }
  const T& operator[](std::size_t index) const {
    return reinterpret_cast<const T*>(region_.data())[index];
  }
  std::size_t size() const { return region_.size() / sizeof(T); }
  std::size_t left() const { return region_.left() / sizeof(T); }
  std::size_t size_bytes() const { return region_.size(); }

  void Shrink(std::size_t size) { region_.Shrink(size * sizeof(T)); }
  // Takes `count` more, all bits zero. Only for types for which that is a value.
  void Fill(std::size_t count) { region_.Extend(count * sizeof(T)); }

  template <typename... Arguments>
  T& Append(Arguments&&... arguments) {
    T* const at = new (region_.end()) T{std::forward<Arguments>(arguments)...};
    region_.Extend(sizeof(T));
    return *at;
  }

 private:
  Region region_;
};

}  // namespace throughline::store::sqlite
