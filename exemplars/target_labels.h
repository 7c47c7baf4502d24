// Adds the labels of a scrape's target to its series. See exposition.h, ScrapeTarget.
#pragma once

#include <string_view>
#include <vector>

#include "correlate/arena.h"
#include "exemplars/exposition.h"

namespace throughline::exemplars {

class TargetLabels {
 public:
  // Copies the labels into the arena, which must outlive this and what comes out.
  TargetLabels(const ScrapeTarget& target, Arena& arena);

  void AddTo(std::vector<Label>& labels) const;

 private:
  std::string_view ExportedName(std::string_view name, const std::vector<Label>& labels) const;

  std::vector<Label> labels_;
  bool honor_labels_;
  Arena& arena_;
};

}  // namespace throughline::exemplars
