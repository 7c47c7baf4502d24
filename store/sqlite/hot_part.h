// A part of the store that still takes records: a memtable and its tail.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "store/sqlite/hot_tags.h"
#include "store/sqlite/memtable.h"
#include "store/sqlite/region_pool.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/tail.h"

namespace throughline::store {

struct SqliteStore::HotPart {
  HotPart(std::uint64_t number_, sqlite::Tail tail_, const Options& options, std::uint64_t seed,
          sqlite::Memtable::Earlier earlier, const std::shared_ptr<sqlite::RegionPool>& regions)
      : number(number_),
        path(tail_.path()),
        tail(std::move(tail_)),
        memtable(options.hot_bytes, seed, std::move(earlier), regions),
        tags(options.hot_tags) {}

  const std::uint64_t number;
  const std::string path;
  std::optional<sqlite::Tail> tail;  // The appending thread's; Maintain's once the part waits.
  sqlite::Memtable memtable;
  sqlite::HotTags tags;
  std::uint64_t first_arrival_unix_ns = 0;  // The appending thread's; 0: empty.
};

}  // namespace throughline::store
