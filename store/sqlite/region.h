// Address space that is reserved whole and filled from the front: what is in it never moves, so
// readers need no lock, and memory is used only as it is touched.
//
// One writer appends; readers look only at what the writer has published to them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "correlate/check.h"
#include "store/sqlite/region_pool.h"

namespace throughline::store::sqlite {

class Region {
 public:
  // With a pool: what is not filled yet may hold anything, without one it is zero.
  explicit Region(std::size_t capacity, std::shared_ptr<RegionPool> pool = nullptr)
      : pool_(std::move(pool)),
        mapping_(pool_ ? pool_->Take(capacity) : RegionPool::Map(capacity)) {}
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  ~Region() {
    mapping_.used = std::max(mapping_.used, most_);
    if (pool_ != nullptr) {
      pool_->Give(mapping_);
    } else {
      RegionPool::Unmap(mapping_);
    }
  }

  char* data() { return mapping_.data; }
  const char* data() const { return mapping_.data; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return mapping_.capacity; }
  std::size_t left() const { return mapping_.capacity - size_; }
  char* end() { return mapping_.data + size_; }
  bool is_zeroed() const { return pool_ == nullptr; }

  // Takes `bytes` more, which the caller has filled at end(); or gives the end back.
  void Extend(std::size_t bytes) {
    TL_CHECK(bytes <= left());
    size_ += bytes;
    most_ = std::max(most_, size_);
  }
  void Shrink(std::size_t size) {
    TL_CHECK(size <= size_);
    size_ = size;
  }

 private:
  const std::shared_ptr<RegionPool> pool_;
  RegionPool::Mapping mapping_;
  std::size_t size_ = 0;
  std::size_t most_ = 0;  // That it ever was.
};

// A Region of one type, by index.
template <typename T>
class Table {
 public:
  explicit Table(std::size_t capacity, std::shared_ptr<RegionPool> pool = nullptr)
      : region_(capacity * sizeof(T), std::move(pool)) {}

  T& operator[](std::size_t index) { return reinterpret_cast<T*>(region_.data())[index]; }
  const T& operator[](std::size_t index) const {
    return reinterpret_cast<const T*>(region_.data())[index];
  }
  std::size_t size() const { return region_.size() / sizeof(T); }
  std::size_t left() const { return region_.left() / sizeof(T); }
  std::size_t size_bytes() const { return region_.size(); }

  void Shrink(std::size_t size) { region_.Shrink(size * sizeof(T)); }
  // Takes `count` more, all bits zero. Only for types for which that is a value, without a pool.
  void Fill(std::size_t count) {
    TL_CHECK(region_.is_zeroed());
    region_.Extend(count * sizeof(T));
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
