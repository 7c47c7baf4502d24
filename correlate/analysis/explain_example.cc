#include "correlate/analysis/explain_example.h"

#include <algorithm>

namespace throughline {
namespace {

std::uint32_t LastUnder(const RecordedTraces& traces, std::uint32_t span) {
  return span + traces.spans[span].below;
}

std::uint32_t TopmostOf(const RecordedTraces& traces, std::uint32_t root,
                        std::string_view service) {
  for (std::uint32_t i = root; i <= LastUnder(traces, root); ++i) {
    if (traces.ServiceOf(traces.spans[i]) == service) return i;
  }
  return root;
}

struct SlowPart {
  std::uint32_t span = kNoIndex;  // The slowest; kNoIndex: there is none.
  std::uint64_t self_ns = 0;      // Of all.
};

SlowPart SlowPartUnder(const RecordedTraces& traces, std::uint32_t top,
                       std::span<const std::uint32_t> items) {
  SlowPart part;
  std::uint64_t most = 0;
  for (std::uint32_t i = top; i <= LastUnder(traces, top); ++i) {
    const SpanRecord& span = traces.spans[i];
    if (span.self_ns == 0 || !std::binary_search(items.begin(), items.end(), span.item)) continue;
    part.self_ns += span.self_ns;
    if (span.self_ns <= most) continue;
    most = span.self_ns;
    part.span = i;
  }
  return part;
}

// The services entered on the way from `top` down to `span`.
std::vector<ExampleStep> StepsTo(const RecordedTraces& traces, std::uint32_t top,
                                 std::uint32_t span) {
  std::vector<ExampleStep> steps;
  const auto enter = [&](std::uint32_t at) {
    if (steps.size() + 1 >= kExampleSteps) return;
    steps.push_back(
        {std::string(traces.ServiceOf(traces.spans[at])), traces.spans[at].duration_ns});
  };
  enter(top);
  for (std::uint32_t at = top; at != span;) {
    std::uint32_t child = at + 1;
    while (LastUnder(traces, child) < span) child = LastUnder(traces, child) + 1;
    if (traces.ServiceIdOf(traces.spans[child]) != traces.ServiceIdOf(traces.spans[at])) {
      enter(child);
    }
    at = child;
  }
  return steps;
}

}  // namespace

ExplainedExample ExampleOf(const RecordedTraces& traces, std::uint32_t trace,
                           std::string_view asked, std::string_view culprit,
                           std::span<const std::uint32_t> items) {
  const TraceRecord& record = traces.traces[trace];
  std::uint32_t top = TopmostOf(traces, record.root, asked);
  SlowPart part = SlowPartUnder(traces, top, items);
  if (part.span == kNoIndex) {
    top = record.root;
    part = SlowPartUnder(traces, top, items);
  }
  ExplainedExample example;
  if (part.span == kNoIndex) return example;
  example.trace_id = record.trace_id;
  example.culprit_ns = part.self_ns;
  example.steps = StepsTo(traces, top, part.span);
  example.duration_ns = example.steps.front().duration_ns;
  const SpanRecord& slowest = traces.spans[part.span];
  const ItemKey& item = traces.items.At(slowest.item);
  if (item.is_edge && traces.names.At(item.to) == culprit) {
    example.steps.push_back({std::string(culprit), slowest.duration_ns});
  }
  return example;
}

}  // namespace throughline
