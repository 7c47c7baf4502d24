// The strings of a segment as readers ask for them, by id.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "store/segment/dictionary_writer.h"

namespace throughline::store::segment {

// Strings of consecutive ids (format.md, "Strings").
class StringRow {
 public:
  StringRow() = default;
  StringRow(std::uint32_t first, std::string_view data) : first_(first), data_(data) {
    if (data.size() < 4) return;
    std::memcpy(&count_, data.data(), 4);
    if (count_ > data.size() / 4 - 1) count_ = 0;  // Damaged.
  }

  bool Holds(std::uint32_t id) const { return id - first_ < count_; }
  // Empty where the row does not hold it.
  std::string_view At(std::uint32_t id) const {
    if (!Holds(id)) return {};
    const std::uint32_t place = id - first_;
    const std::size_t texts = 4 * (std::size_t{count_} + 1);
    const std::uint32_t begin = place == 0 ? 0 : EndOf(place - 1);
    const std::uint32_t end = EndOf(place);
    if (begin > end || texts + end > data_.size()) return {};
    return data_.substr(texts + begin, end - begin);
  }

 private:
  std::uint32_t EndOf(std::uint32_t place) const {
    std::uint32_t end = 0;
    std::memcpy(&end, data_.data() + 4 * (std::size_t{place} + 1), 4);
    return end;
  }

  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
  std::string_view data_;
};

// One lookup's way to the strings of a segment. What it gave stays valid as long as it lives.
class Strings {
 public:
  struct Key {
    std::string_view text;
    std::uint32_t base = 0;  // The id of its first value.
    std::uint32_t count = 0;
  };

  virtual ~Strings() = default;
  // The row that holds an id; one that does not where there is none.
  virtual StringRow RowOf(StringSpace space, std::uint32_t id) = 0;
  // Null: no such key.
  virtual const Key* KeyAt(std::uint32_t key) = 0;
  virtual std::uint64_t hash_seed() const = 0;
  // True: since it was asked last a row could not be read, and its texts were given as empty.
  bool TakeDamage() { return std::exchange(damaged_, false); }

  std::string_view Text(std::uint32_t id) {
    StringRow& row = last_;
    if (!row.Holds(id)) row = RowOf(StringSpace::kStrings, id);
    return row.At(id);
  }

 protected:
  void NoteDamage() { damaged_ = true; }

 private:
  StringRow last_;
  bool damaged_ = false;
};

}  // namespace throughline::store::segment
