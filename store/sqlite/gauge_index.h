// Which series of gauges are stored, by tenant, metric and service: what a search asks before it
// walks points. About 30 bytes a series.
//
// One writer: Note() of staged points, then Publish() or DropStaged(). Readers, from any thread,
// see what was published.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "store/sqlite/gauge_record.h"
#include "store/sqlite/hash_set.h"
#include "store/sqlite/region.h"

namespace throughline::store::sqlite {

class GaugeIndex {
 public:
  struct Entry {
    std::uint32_t tenant = 0;
    GaugeSeries series;
  };
  static constexpr std::size_t kEntryBytes = sizeof(Entry) + 2 * HashTable::kSlotBytes;

  GaugeIndex(std::size_t capacity_bytes, std::uint64_t seed)
      : seed_(seed), entries_(capacity_bytes / sizeof(Entry) + 1) {}

  void Note(std::uint32_t tenant, const GaugeSeries& series);
  void Publish() { visible_.store(entries_.size(), std::memory_order_release); }
  void DropStaged();

  // Of all tenants, in the order of arrival.
  std::span<const Entry> entries() const {
    return {&entries_[0], visible_.load(std::memory_order_acquire)};
  }
  std::size_t size_bytes() const { return entries_.size_bytes() + table_.size_bytes(); }

 private:
  std::uint64_t HashOf(const Entry& entry) const;

  const std::uint64_t seed_;
  Table<Entry> entries_;
  HashTable table_;  // Of index + 1; the writer's own.
  std::atomic<std::size_t> visible_{0};
};

}  // namespace throughline::store::sqlite
