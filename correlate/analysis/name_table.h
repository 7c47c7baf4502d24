// Texts as small numbers, each text once.
//
// Bounded: beyond `limit` texts all further ones are one, kOverflow ("(other)"), and overflowed()
// says so. The seed is the store's, so that nobody outside can aim at one bucket.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "correlate/hash.h"

namespace throughline {

class NameTable {
 public:
  static constexpr std::uint32_t kEmpty = 0;     // "".
  static constexpr std::uint32_t kOverflow = 1;  // "(other)".

  NameTable(std::uint64_t seed, std::size_t limit) : limit_(limit), ids_(0, Hash{seed}) {
    Of("");
    Of("(other)");
  }

  std::uint32_t Of(std::string_view text) {
    if (const auto found = ids_.find(text); found != ids_.end()) return found->second;
    if (texts_.size() >= limit_ && texts_.size() > kOverflow) {
      overflowed_ = true;
      return kOverflow;
    }
    const auto id = static_cast<std::uint32_t>(texts_.size());
    ids_.emplace(texts_.emplace_back(text), id);  // A deque's strings stay where they are.
    return id;
  }
  std::string_view At(std::uint32_t id) const { return texts_[id]; }
  std::size_t size() const { return texts_.size(); }
  bool overflowed() const { return overflowed_; }

 private:
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(std::string_view text) const { return HashBytes(text, seed); }
  };

  const std::size_t limit_;
  bool overflowed_ = false;
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, std::uint32_t, Hash> ids_;
};

// Keys of up to 96 bits as small numbers, in the order in which they were met.
template <typename Key>
class KeyTable {
 public:
  std::uint32_t Of(const Key& key) {
    const auto [at, added] = ids_.emplace(key, static_cast<std::uint32_t>(keys_.size()));
    if (added) keys_.push_back(key);
    return at->second;
  }
  const Key& At(std::uint32_t id) const { return keys_[id]; }
  std::size_t size() const { return keys_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const Key& key) const { return key.Hash(); }
  };
  std::vector<Key> keys_;
  std::unordered_map<Key, std::uint32_t, Hash> ids_;
};

}  // namespace throughline
