// Which attributes the records of a block have: a filter a block of (kind of record, key, value as
// text), so that a search for one value reads the few blocks that may have it.
//
// Attributes are those of the records and of their resources. Values count as ValueText has them,
// which is what queries compare (correlate/query.h, Matcher).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "correlate/hash.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/record.h"

namespace throughline::store::segment {

inline std::uint64_t TagHash(sqlite::RecordKind kind, std::string_view key, std::string_view text,
                             std::uint64_t seed) {
  return HashCombine(HashBytes(key, seed + static_cast<std::uint64_t>(kind)),
                     HashBytes(text, seed));
}

// Gathers what the records of one block have, and makes its filter.
class TagGatherer {
 public:
  // `hot` outlives this; of its strings the first `strings` are named, which do not change.
  TagGatherer(const sqlite::Dictionary& hot, std::uint32_t strings, std::uint64_t seed);

  // An attribute by its id in the memtable, or by its bytes where it has none.
  void Add(sqlite::RecordKind kind, std::uint32_t hot);
  void Add(sqlite::RecordKind kind, std::string_view key_value);
  // All attributes of a resource, by the id of its string; kNotInterned: it has none.
  void AddResource(sqlite::RecordKind kind, std::uint32_t hot);
  // Empty where the block has no attributes. The next block begins.
  std::string TakeFilter(std::size_t bits_per_tag = 10);

 private:
  // What is known of a string of the memtable, by kind of record.
  struct Known {
    std::uint64_t hash = 0;
    std::uint32_t block = 0;  // Where it was added last; the first is 1.
  };
  std::vector<Known>& KnownOf(sqlite::RecordKind kind) {
    return known_[kind == sqlite::RecordKind::kLine ? 1 : 0];
  }
  std::uint64_t HashOf(sqlite::RecordKind kind, std::string_view key_value) const;

  const sqlite::Dictionary& hot_;
  const std::uint64_t seed_;
  std::vector<Known> known_[2];
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> resources_;  // By kind and id.
  std::vector<std::uint64_t> tags_;
  std::uint32_t block_ = 1;
};

}  // namespace throughline::store::segment
