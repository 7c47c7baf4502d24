// One copy of every byte string that many records share: attributes, names, resources, scopes.
//
// Strings get ids from 0 in the order of arrival; the same bytes always get the same id, the bytes
// are compared, never the hash alone. The bytes live in a Region in the form of the tail file:
// u32 size, then the bytes, padded to 4. Attribute values of keys with more than
// `kValuesPerKey` distinct ones are refused, and stand in their records instead: a dictionary of
// request ids would only cost.
//
// One writer; readers may open any id that a published record carries.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "correlate/batch.h"
#include "correlate/hash.h"
#include "store/sqlite/hash_set.h"
#include "store/sqlite/region.h"

namespace throughline::store::sqlite {

inline constexpr std::uint32_t kNotInterned = 0xffffffff;

class Dictionary {
 public:
  Dictionary(std::size_t capacity_bytes, std::uint64_t seed);

  // The id of an attribute, or kNotInterned when its key has too many values.
  std::uint32_t Intern(const Attribute& attribute);
  // The id of any other string.
  std::uint32_t Intern(std::string_view bytes);
  std::uint32_t Intern(std::string_view bytes, std::uint64_t hash);

  // Any thread, for ids of published records.
  std::string_view At(std::uint32_t id) const;

  // What was added since `mark`, as it goes into the tail file; and back to `mark` on failure.
  struct Mark {
    std::size_t bytes = 0;
    std::uint32_t count = 0;
  };
  Mark mark() const { return {bytes_.size(), count_}; }
  std::string_view Since(Mark mark) const {
    return {bytes_.data() + mark.bytes, bytes_.size() - mark.bytes};
  }
  void RollBack(Mark mark);
  // Adds what Since() gave in another life. False: the bytes are damaged.
  bool Replay(std::string_view bytes);

  std::size_t left_bytes() const { return bytes_.left(); }
  std::size_t size_bytes() const {
    return bytes_.size() + table_.size_bytes() + references_.size_bytes() +
           keys_.size() * kKeyEntryBytes;
  }

 private:
  static constexpr std::uint32_t kValuesPerKey = 1024;
  static constexpr std::size_t kKeyEntryBytes = 64;  // About what the map takes for one.

  std::string_view Bytes(std::uint32_t reference) const;
  std::uint32_t Add(std::string_view bytes, std::uint64_t hash);
  std::uint64_t HashOf(std::uint32_t id) const;

  std::uint64_t seed_;
  Region bytes_;
  Table<std::uint32_t> references_;  // By id: offset into bytes_.
  HashTable table_;                  // Of id + 1.
  std::uint32_t count_ = 0;
  // Seeded, as the keys are the senders' choice.
  struct KeyHash {
    std::uint64_t seed;
    std::size_t operator()(std::string_view key) const { return HashBytes(key, seed); }
  };
  std::unordered_map<std::string_view, std::uint32_t, KeyHash>
      keys_;  // Distinct values; view bytes_.
};

}  // namespace throughline::store::sqlite
