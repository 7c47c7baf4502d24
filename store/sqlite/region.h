// Address space that is reserved whole and filled from the front: what is in it never moves, so
// readers need no lock, and memory is used only as it is touched.
//
// One writer appends; readers look only at what the writer has published to them. Memory of regions
// that end goes to the next of their capacity, within a bound of the process: a store that seals
// fills one after the other, and getting fresh pages costs more than filling them. So what is in a
// region is anything until it is written.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include "correlate/check.h"

namespace throughline::store::sqlite {

class Region {
 public:
  explicit Region(std::size_t capacity);
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  ~Region();

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
    if (size_ > touched_) touched_ = size_;
  }
  void Shrink(std::size_t size) {
    TL_CHECK(size <= size_);
    size_ = size;
  }

 private:
  char* data_ = nullptr;
  std::size_t capacity_;
  std::size_t size_ = 0;
  std::size_t touched_ = 0;  // The most that size_ was.
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
  void Fill(std::size_t count) {
    char* const at = region_.end();
    region_.Extend(count * sizeof(T));
    std::memset(at, 0, count * sizeof(T));
  }

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
