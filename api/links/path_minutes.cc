#include "api/links/path_minutes.h"

namespace throughline::api::links {

std::optional<PathMinutes::Totals> PathMinutes::Find(const Key& key, std::uint64_t revision) {
  const std::lock_guard lock(mutex_);
  const auto at = minutes_.find(key);
  if (at == minutes_.end() || at->second.revision != revision) return std::nullopt;
  order_.splice(order_.end(), order_, at->second.place);
  return at->second.totals;
}

void PathMinutes::Keep(const Key& key, std::uint64_t revision, Totals totals) {
  const std::size_t bytes = sizeof(Minutes::value_type) + key.first.size() +
                            (totals == nullptr ? 0 : totals->size_bytes());
  if (bytes > limit_) return;
  const std::lock_guard lock(mutex_);
  if (const auto old = minutes_.find(key); old != minutes_.end()) Forget(old);
  while (bytes_ + bytes > limit_) Forget(minutes_.find(*order_.front()));
  const auto at = minutes_.emplace(key, Kept{std::move(totals), revision, bytes, {}}).first;
  at->second.place = order_.insert(order_.end(), &at->first);
  bytes_ += bytes;
}

void PathMinutes::Forget(Minutes::iterator at) {
  bytes_ -= at->second.bytes;
  order_.erase(at->second.place);
  minutes_.erase(at);
}

std::size_t PathMinutes::size_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace throughline::api::links
