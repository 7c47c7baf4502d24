// What the critical paths of whole minutes add up to, kept: a window that is asked for again, as a
// live one is, is read once, and later only its minutes that something came for.
//
// Totals hold as long as the store's Revision of what they were made from. Bounded by bytes: those
// that nobody asked for for longest go first. Any thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "correlate/analysis/path_totals.h"

namespace throughline::api::links {

class PathMinutes {
 public:
  // Of which traces, as one text; and which minute since 1970.
  using Key = std::pair<std::string, std::uint64_t>;

  // 0: keeps nothing.
  explicit PathMinutes(std::size_t bytes) : limit_(bytes) {}
  PathMinutes(const PathMinutes&) = delete;
  PathMinutes& operator=(const PathMinutes&) = delete;

  // Null totals: some trace of the minute is so long that it cannot be added up by itself.
  using Totals = std::shared_ptr<const PathTotals>;

  // nullopt: nothing is kept that holds.
  std::optional<Totals> Find(const Key& key, std::uint64_t revision);
  void Keep(const Key& key, std::uint64_t revision, Totals totals);

  std::size_t size_bytes() const;

 private:
  struct Kept {
    Totals totals;
    std::uint64_t revision = 0;
    std::size_t bytes = 0;
    std::list<const Key*>::iterator place;  // In order_.
  };
  using Minutes = std::map<Key, Kept>;

  void Forget(Minutes::iterator at);

  const std::size_t limit_;
  mutable std::mutex mutex_;
  Minutes minutes_;              // Guarded by mutex_, as the two below.
  std::list<const Key*> order_;  // Keys of minutes_; those asked for last come last.
  std::size_t bytes_ = 0;
};

}  // namespace throughline::api::links
