// The strings of a segment as they are gathered from those of a memtable (format.md).
//
// Strings get new ids: first those that are no attributes, then the attributes key by key, so that
// a column of one key's values holds small numbers. Heads (what the records of one kind of caller
// have in common) and keys are numbered as they are met.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "correlate/hash.h"
#include "correlate/result.h"
#include "store/sqlite/database.h"
#include "store/sqlite/dictionary.h"

namespace throughline::store::segment {

// Key 0 stands for all keys beyond so many; its values are whole KeyValues.
inline constexpr std::uint32_t kOtherKey = 0;
inline constexpr std::uint32_t kKeysAtMost = 100'000;

// Which ids a row of the table `string` holds.
enum class StringSpace : std::uint32_t { kStrings = 0, kHeads = 1 };

class DictionaryWriter {
 public:
  // `hot` does not change and outlives this.
  DictionaryWriter(const sqlite::Dictionary& hot, std::uint64_t seed);

  // Of an id of the memtable; kNotInterned stays.
  std::uint32_t StringOf(std::uint32_t hot) const {
    return hot >= string_of_.size() ? sqlite::kNotInterned : string_of_[hot];
  }
  // An interned attribute: its key, and which of the key's values it is.
  struct Interned {
    std::uint32_t key = kOtherKey;
    std::uint32_t rank = 0;
  };
  // False: it is none.
  bool AttributeOf(std::uint32_t hot, Interned& interned) const {
    if (hot >= interned_.size() || interned_[hot].key == kOtherKey) return false;
    interned = interned_[hot];
    return true;
  }
  std::uint32_t KeyOf(std::string_view key);
  std::uint32_t HeadOf(std::string_view head);

  std::string_view Text(std::uint32_t hot) const { return hot_.At(hot); }
  std::uint64_t seed() const { return seed_; }

  // Writes the tables `string` and the rows of `meta` that lead to them.
  Result<void> Save(sqlite::Database& db) const;

 private:
  struct Key {
    std::string_view text;
    std::uint32_t base = 0;  // The id of its first value.
    std::uint32_t count = 0;
  };
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(std::string_view text) const { return HashBytes(text, seed); }
  };

  const sqlite::Dictionary& hot_;
  const std::uint64_t seed_;
  std::vector<std::uint32_t> string_of_;  // By id of the memtable.
  std::vector<Interned> interned_;
  std::vector<std::uint32_t> order_;  // The id of the memtable, by new id.
  std::vector<Key> keys_;
  std::unordered_map<std::string_view, std::uint32_t, Hash> key_index_;
  std::deque<std::string> key_texts_;  // Of keys that no interned attribute has.
  std::deque<std::string> heads_;
  sqlite::HashTable head_table_;  // Of index + 1.
};

}  // namespace throughline::store::segment
