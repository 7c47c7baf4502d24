#include "exemplars/gauge_filter.h"

#include <algorithm>

namespace throughline::exemplars {

GaugeFilter::GaugeFilter(std::span<const std::string> patterns) {
  for (const std::string& text : patterns) {
    const auto pattern = MetricPattern::Parse(text);
    if (!pattern) continue;
    patterns_.push_back(*pattern);
    if (pattern->first() == 0) {
      first_bytes_.set();
    } else {
      first_bytes_.set(pattern->first());
    }
  }
}

bool GaugeFilter::MatchesAny(std::string_view metric) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [metric](const MetricPattern& pattern) { return pattern.Matches(metric); });
}

}  // namespace throughline::exemplars
