// Memory that only grows and never moves: what a Batch keeps its copied bytes in.
//
// Not thread-safe. Freed as a whole.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace throughline {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // Uninitialised bytes without alignment.
  char* Allocate(std::size_t size) {
    if (size > left_) Grow(size);
    char* const result = at_;
    at_ += size;
    left_ -= size;
    return result;
  }

  // Gives back the end of the last allocation, which then has `used` of its `allocated` bytes.
  void Trim(std::size_t allocated, std::size_t used) {
    at_ -= allocated - used;
    left_ += allocated - used;
  }

  std::string_view Copy(std::string_view bytes) {
    if (bytes.empty()) return {};
    char* const to = Allocate(bytes.size());
    std::memcpy(to, bytes.data(), bytes.size());
    return {to, bytes.size()};
  }

  std::size_t size_bytes() const { return total_ - left_; }

 private:
  void Grow(std::size_t size) {
    constexpr std::size_t kFirst = 4096;
    constexpr std::size_t kLargest = 1U << 20U;
    std::size_t next =
        chunks_.empty() ? kFirst : kFirst << (chunks_.size() < 8 ? chunks_.size() : 8);
    if (next > kLargest) next = kLargest;
    if (next < size) next = size;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(next));
    at_ = chunks_.back().get();
    left_ = next;
    total_ += next;
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t total_ = 0;
};

}  // namespace throughline
