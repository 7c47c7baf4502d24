// Which minutes of the records' own time were added to, as counters: behind Store::Revision.
//
// Minutes that are a multiple of kSlots apart share a counter, so that the memory is bounded: then
// more seems to have changed than did, never less. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "correlate/query.h"
#include "correlate/store.h"

namespace throughline::store {

class Revisions {
 public:
  static constexpr std::size_t kSlots = 4096;  // Of 8 bytes; three days of minutes.

  // Lookups see these records, and their senders have no answer yet.
  void Added(std::span<const Appending> appendings);
  // Of any time something is gone.
  void Dropped() { dropped_.fetch_add(1, std::memory_order_release); }

  std::uint64_t Of(const TimeRange& range) const;

 private:
  void Touch(std::uint64_t unix_ns, std::uint64_t& last_minute);

  std::array<std::atomic<std::uint64_t>, kSlots> added_{};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace throughline::store
