#include "correlate/decision.h"

#include "correlate/attribute.h"

namespace throughline {

std::optional<Decision> DecisionOf(const LogLine& line, const Batch& batch) {
  if (line.event_name != kDecisionEvent) return std::nullopt;
  Decision decision;
  bool says_kept = false;
  for (const Attribute& attribute : batch.Of(line.attributes)) {
    const Value value = ReadValue(attribute.value());
    if (attribute.key() == "sampling.kept" && value.type == ValueType::kBool) {
      decision.kept = value.boolean;
      says_kept = true;
    } else if (attribute.key() == "sampling.rule") {
      decision.rule = StringOf(attribute.value());
    } else if (attribute.key() == "sampling.probability" && value.type == ValueType::kDouble &&
               value.number >= 0 && value.number <= 1) {
      decision.probability = value.number;
    }
  }
  if (!says_kept) return std::nullopt;
  return decision;
}

}  // namespace throughline
