// Which exemplars stay where an answer must be capped: some of every value, the newest of each.
//
// A slow region of a heatmap is seldom hit, so the newest exemplars alone would leave it empty.
// They are split by (series, step, stratum); one of each is taken before a second of any, the
// highest stratum first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "correlate/batch.h"

namespace throughline::api::prometheus {

struct StratumItem {
  std::uint64_t series = 0;  // A hash of its labels.
  std::uint64_t unix_ns = 0;
  double stratum = 0;  // StratumOf.
};

// The upper bound of the classic bucket; else that of the quarter of an octave that holds the
// value, floor(4 log2 value). Ordered as values are; NaN is the lowest.
double StratumOf(const Exemplar& exemplar);

// Indices of `items` (the newest first), at most `most` of them, ascending. Where there are more
// groups than that, steps are made longer until there are not, as far as that helps.
std::vector<std::uint32_t> ChooseByStrata(std::span<const StratumItem> items, std::size_t most,
                                          std::uint64_t step_ns);

}  // namespace throughline::api::prometheus
