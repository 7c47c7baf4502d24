#include "correlate/analysis/path_totals.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "correlate/analysis/record_names.h"

namespace throughline {
namespace {

bool Before(const PathPart::Example& a, const PathPart::Example& b) {
  return std::tie(b.has_exemplar, b.self_ns, a.trace_id) <
         std::tie(a.has_exemplar, a.self_ns, b.trace_id);
}

void AddExample(const PathPart::Example& example, std::vector<PathPart::Example>& examples) {
  const auto at = std::upper_bound(examples.begin(), examples.end(), example, Before);
  if (at == examples.end() && examples.size() == kPathExamples) return;
  examples.insert(at, example);
  if (examples.size() > kPathExamples) examples.pop_back();
}

}  // namespace

void PathPart::Merge(const PathPart& other) {
  self_ns += other.self_ns;
  traces += other.traces;
  spans += other.spans;
  for (const Example& example : other.examples) AddExample(example, examples);
}

PathPart& PathTotals::PartOf(PathKey key) {
  const bool known = parts_.contains(key);
  if (!known && parts_.size() >= kMostParts) key = {};
  return parts_[std::move(key)];
}

void PathTotals::Add(const RecordedTraces& traces, TraceWindow window) {
  std::vector<PathPart> by_item(traces.items.size());
  std::map<std::uint32_t, std::uint64_t> of_trace;  // Own time by item.
  for (std::uint32_t t = window.first; t < window.last; ++t) {
    const TraceRecord& trace = traces.traces[t];
    ++traces_;
    if (trace.undetermined) ++undetermined_;
    of_trace.clear();
    for (std::uint32_t i = trace.root; i <= trace.root + traces.spans[trace.root].below; ++i) {
      const SpanRecord& span = traces.spans[i];
      if (span.self_ns == 0) continue;
      duration_ns_ += span.self_ns;
      of_trace[span.item] += span.self_ns;
      ++by_item[span.item].spans;
    }
    for (const auto& [item, self_ns] : of_trace) {
      PathPart& part = by_item[item];
      part.self_ns += self_ns;
      ++part.traces;
      AddExample({trace.has_exemplar, self_ns, trace.trace_id}, part.examples);
    }
  }
  for (std::uint32_t item = 0; item < by_item.size(); ++item) {
    if (by_item[item].traces == 0) continue;
    const ItemName name = NameOf(traces, traces.items.At(item));
    PartOf({std::string(name.caller), std::string(name.callee), std::string(name.operation)})
        .Merge(by_item[item]);
  }
}

std::size_t PathTotals::size_bytes() const {
  constexpr std::size_t kNode = 64;  // Of a map, with what the allocator adds.
  std::size_t bytes = sizeof *this;
  for (const auto& [key, part] : parts_) {
    bytes += kNode + sizeof key + sizeof part + key.caller.capacity() + key.callee.capacity() +
             key.operation.capacity() + part.examples.capacity() * sizeof(PathPart::Example);
  }
  return bytes;
}

void PathTotals::Merge(const PathTotals& other) {
  for (const auto& [key, part] : other.parts_) PartOf(key).Merge(part);
  traces_ += other.traces_;
  undetermined_ += other.undetermined_;
  duration_ns_ += other.duration_ns_;
}

}  // namespace throughline
