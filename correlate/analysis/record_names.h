// What the numbers of RecordedTraces stand for, in words for an answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/analysis/explain_records.h"

namespace throughline {

// "service operation".
std::string ContextText(const RecordedTraces& traces, std::uint32_t context);

// A call, or a service's own operation.
struct ItemName {
  std::string_view caller;
  std::string_view callee;     // Empty: the caller's own operation.
  std::string_view operation;  // Empty for a call.
  auto operator<=>(const ItemName&) const = default;
};
ItemName NameOf(const RecordedTraces& traces, const ItemKey& item);

struct FeatureName {
  std::string_view kind;  // log, call, status, exception, class.
  std::string pattern;    // Of a line, the context of a call, the type of an exception.
  auto operator<=>(const FeatureName&) const = default;
};
FeatureName NameOf(const RecordedTraces& traces, const FeatureKey& feature);

// The first `count` of these traces, those with exemplars before the others.
std::vector<TraceId> ExamplesOf(const RecordedTraces& traces, std::vector<std::uint32_t> places,
                                std::size_t count);

}  // namespace throughline
