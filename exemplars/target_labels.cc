#include "exemplars/target_labels.h"

#include <algorithm>
#include <string>

namespace throughline::exemplars {
namespace {

bool Has(const std::vector<Label>& labels, std::string_view name) {
  return std::any_of(labels.begin(), labels.end(),
                     [name](const Label& label) { return label.name == name; });
}

}  // namespace

TargetLabels::TargetLabels(const ScrapeTarget& target, Arena& arena)
    : honor_labels_(target.honor_labels), arena_(arena) {
  for (const Label& label : target.labels) {
    labels_.push_back({.name = arena.Copy(label.name), .value = arena.Copy(label.value)});
  }
}

void TargetLabels::AddTo(std::vector<Label>& labels) const {
  const std::size_t own = labels.size();
  for (const Label& added : labels_) {
    const auto end = labels.begin() + static_cast<std::ptrdiff_t>(own);
    const auto same = std::find_if(
        labels.begin(), end, [&added](const Label& label) { return label.name == added.name; });
    if (same != end) {
      if (honor_labels_) continue;
      same->name = ExportedName(added.name, labels);
    }
    labels.push_back(added);
  }
}

std::string_view TargetLabels::ExportedName(std::string_view name,
                                            const std::vector<Label>& labels) const {
  std::string exported(name);
  do {
    exported.insert(0, "exported_");
  } while (Has(labels, exported) || Has(labels_, exported));
  return arena_.Copy(exported);
}

}  // namespace throughline::exemplars
