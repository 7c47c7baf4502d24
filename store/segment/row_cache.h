// Rows that lookups read again and again, of all segments together, within a bound of bytes.
//
// Any thread. What Find gives lives as long as whoever holds it.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "correlate/hash.h"

namespace throughline::store::segment {

class RowCache {
 public:
  using Row = std::shared_ptr<const std::string>;
  struct Key {
    std::uint64_t segment = 0;
    std::uint64_t row = 0;
    bool operator==(const Key&) const = default;
  };

  explicit RowCache(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // Null: not here.
  Row Find(Key key);
  void Put(Key key, Row row);

 private:
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return HashCombine(key.segment, key.row); }
  };
  struct Entry {
    Key key;
    Row row;
  };

  const std::size_t limit_bytes_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // Guarded by mutex_, as all below; used last, first.
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> places_;
  std::size_t bytes_ = 0;
};

}  // namespace throughline::store::segment
