#include "store/segment/row_cache.h"

#include <utility>

namespace throughline::store::segment {

RowCache::Row RowCache::Find(Key key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = places_.find(key);
  if (found == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->row;
}

void RowCache::Put(Key key, Row row) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (row->size() > limit_bytes_ || places_.contains(key)) return;
  bytes_ += row->size();
  entries_.push_front({key, std::move(row)});
  places_.emplace(key, entries_.begin());
  while (bytes_ > limit_bytes_) {
    bytes_ -= entries_.back().row->size();
    places_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

}  // namespace throughline::store::segment
