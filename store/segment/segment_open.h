// What a Segment keeps, and how it reads its rows; for the .cc files of Segment alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/segment/segment.h"
#include "store/segment/strings.h"
#include "store/sqlite/database.h"

namespace throughline::store::segment {

inline Error DamagedPart(const std::string& path, const char* what) {
  return {Errc::kDataLoss, path + ": " + what + " is damaged"};
}

// What is kept of a segment.
struct Segment::Index {
  std::uint64_t seed = 0;
  std::string traces;  // bloom.h
  struct First {
    std::uint32_t tenant = 0;
    TraceId id;
  };
  std::vector<First> blocks;
  std::string key_bytes;
  std::vector<Strings::Key> keys;
  std::vector<std::uint32_t> firsts[2];  // By StringSpace.
  std::uint32_t ends[2] = {};

  // The blocks that traces with this low half may stand in: [first, last).
  std::pair<std::uint32_t, std::uint32_t> BlocksOf(std::uint32_t tenant, std::uint64_t low) const {
    const auto before = [](const First& block, const std::pair<std::uint32_t, std::uint64_t>& key) {
      return std::tie(block.tenant, block.id.low) < std::tie(key.first, key.second);
    };
    const auto key = std::make_pair(tenant, low);
    const auto first = std::lower_bound(blocks.begin(), blocks.end(), key, before);
    auto last = first;
    while (last != blocks.end() && last->tenant == tenant && last->id.low == low) ++last;
    // The block before may end with such a trace.
    const auto begin = first == blocks.begin() ? first : std::prev(first);
    return {static_cast<std::uint32_t>(begin - blocks.begin()),
            static_cast<std::uint32_t>(last - blocks.begin())};
  }
};

struct Segment::Open {
  explicit Open(sqlite::Database opened, sqlite::Statement block_, sqlite::Statement string_)
      : db(std::move(opened)), block(std::move(block_)), string(std::move(string_)) {}
  sqlite::Database db;
  sqlite::Statement block;
  sqlite::Statement string;
};

// The strings as one lookup needs them; it keeps the rows that it has seen.
class Segment::Lookup final : public Strings {
 public:
  Lookup(const Segment& segment, const Index& index) : segment_(segment), index_(&index) {}

  StringRow RowOf(StringSpace space, std::uint32_t id) override {
    const auto& firsts = index_->firsts[static_cast<std::size_t>(space)];
    const auto after = std::upper_bound(firsts.begin(), firsts.end(), id);
    if (id >= index_->ends[static_cast<std::size_t>(space)] || after == firsts.begin()) {
      NoteDamage();
      return {};
    }
    const std::uint32_t first = *std::prev(after);
    const std::uint64_t row = (static_cast<std::uint64_t>(space) << 32U) | first;
    RowCache::Row& bytes = rows_[row];
    if (bytes == nullptr) bytes = Fetch(row);
    const StringRow read(first, *bytes);
    if (!read.Holds(id)) NoteDamage();
    return read;
  }
  const Key* KeyAt(std::uint32_t key) override {
    return key < index_->keys.size() ? &index_->keys[key] : nullptr;
  }
  std::uint64_t hash_seed() const override { return index_->seed; }

 private:
  RowCache::Row Fetch(std::uint64_t row) const {
    RowCache& cache = segment_.pool_->rows();
    const RowCache::Key key{.segment = segment_.info_.id, .row = row};
    if (auto known = cache.Find(key)) return known;
    auto read = segment_.ReadRow(&Open::string, static_cast<std::int64_t>(row));
    auto bytes = std::make_shared<const std::string>(read ? std::move(*read) : std::string());
    if (read) cache.Put(key, bytes);
    return bytes;
  }

  const Segment& segment_;
  const Index* const index_;
  std::unordered_map<std::uint64_t, RowCache::Row> rows_;
};

}  // namespace throughline::store::segment
