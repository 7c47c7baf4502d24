#include "api/prometheus/strata.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "correlate/hash.h"

namespace throughline::api::prometheus {
namespace {

std::uint64_t GroupOf(const StratumItem& item, std::uint64_t step_ns) {
  const auto bits = std::bit_cast<std::uint64_t>(item.stratum);
  return HashCombine(HashCombine(item.series, item.unix_ns / step_ns), bits);
}

std::size_t CountGroups(std::span<const StratumItem> items, std::uint64_t step_ns) {
  std::unordered_set<std::uint64_t> groups;
  for (const StratumItem& item : items) groups.insert(GroupOf(item, step_ns));
  return groups.size();
}

}  // namespace

double StratumOf(const Exemplar& exemplar) {
  if (exemplar.has_le && exemplar.metric_type == MetricType::kHistogram) return exemplar.le;
  const double value = exemplar.value();
  if (std::isnan(value)) return -std::numeric_limits<double>::infinity();
  if (value == 0 || std::isinf(value)) return value;
  const double quarter = std::floor(4 * std::log2(std::abs(value)));
  return value > 0 ? std::exp2((quarter + 1) / 4) : -std::exp2(quarter / 4);
}

std::vector<std::uint32_t> ChooseByStrata(std::span<const StratumItem> items, std::size_t most,
                                          std::uint64_t step_ns) {
  std::vector<std::uint32_t> chosen(items.size());
  std::iota(chosen.begin(), chosen.end(), 0U);
  if (items.size() <= most) return chosen;
  std::uint64_t step = std::max<std::uint64_t>(step_ns, 1);
  const std::uint64_t span = items.front().unix_ns - items.back().unix_ns;
  while (step <= span && CountGroups(items, step) > most) step *= 2;

  std::unordered_map<std::uint64_t, std::uint32_t> taken;  // By group.
  std::vector<std::uint32_t> round(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) round[i] = taken[GroupOf(items[i], step)]++;
  std::stable_sort(chosen.begin(), chosen.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (round[a] != round[b]) return round[a] < round[b];
    return items[a].stratum > items[b].stratum;
  });
  chosen.resize(most);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace throughline::api::prometheus
