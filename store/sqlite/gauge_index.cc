#include "store/sqlite/gauge_index.h"

#include "correlate/hash.h"

namespace throughline::store::sqlite {

std::uint64_t GaugeIndex::HashOf(const Entry& entry) const {
  return HashCombine(seed_, (std::uint64_t{entry.tenant} << 32U) | entry.series.id);
}

void GaugeIndex::Note(std::uint32_t tenant, const GaugeSeries& series) {
  const Entry entry{.tenant = tenant, .series = series};
  const std::uint64_t hash = HashOf(entry);
  const std::uint32_t known = table_.Find(hash, [&](std::uint32_t reference) {
    const Entry& at = entries_[reference - 1];
    return at.tenant == tenant && at.series.id == series.id;
  });
  if (known != 0) return;
  entries_.Append(entry);
  table_.Insert(hash, static_cast<std::uint32_t>(entries_.size()),
                [this](std::uint32_t reference) { return HashOf(entries_[reference - 1]); });
}

void GaugeIndex::DropStaged() {
  while (entries_.size() > visible_.load(std::memory_order_relaxed)) {
    const auto reference = static_cast<std::uint32_t>(entries_.size());
    table_.Erase(HashOf(entries_[reference - 1]), reference,
                 [this](std::uint32_t index) { return HashOf(entries_[index - 1]); });
    entries_.Shrink(entries_.size() - 1);
  }
}

}  // namespace throughline::store::sqlite
