#include "correlate/metric_pattern.h"

#include <algorithm>
#include <string>

namespace throughline {

Result<MetricPattern> MetricPattern::Parse(std::string_view text) {
  MetricPattern pattern;
  pattern.is_prefix_ = !text.empty() && text.back() == '*';
  pattern.text_ = pattern.is_prefix_ ? text.substr(0, text.size() - 1) : text;
  if (text.empty() || pattern.text_.find('*') != std::string_view::npos) {
    return InvalidArgument("\"" + std::string(text) +
                           "\" is no pattern of metrics, want a name, or its beginning and a *");
  }
  return pattern;
}

bool MetricPattern::Matches(std::string_view metric) const {
  if (is_prefix_ ? metric.size() < text_.size() : metric.size() != text_.size()) return false;
  return std::equal(text_.begin(), text_.end(), metric.begin(),
                    [](char a, char b) { return Folded(a) == Folded(b); });
}

unsigned char MetricPattern::first() const { return text_.empty() ? 0 : Folded(text_.front()); }

}  // namespace throughline
