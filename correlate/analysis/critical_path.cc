#include "correlate/analysis/critical_path.h"

#include <algorithm>

namespace throughline {
namespace {

// A span, or the part of it that is on the path.
struct Part {
  std::uint32_t place = 0;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

// The children of `part`, clipped to it, the last to finish first.
void ClippedChildren(const Batch& batch, const TraceTree& tree, const Part& part,
                     std::vector<Part>& children) {
  children.clear();
  for (std::uint32_t place = tree.first_child[part.place]; place != kNoIndex;
       place = tree.next_sibling[place]) {
    const Span& span = tree.At(batch, place);
    const Part child{.place = place,
                     .start = std::max(span.start_unix_ns, part.start),
                     .end = std::min(span.end_unix_ns, part.end)};
    if (child.end > child.start) children.push_back(child);
  }
  std::sort(children.begin(), children.end(), [](const Part& a, const Part& b) {
    if (a.end != b.end) return a.end > b.end;
    if (a.start != b.start) return a.start < b.start;
    return a.place < b.place;
  });
}

}  // namespace

std::vector<CriticalSpan> CriticalPath(const Batch& batch, const TraceTree& tree) {
  std::vector<CriticalSpan> path;
  if (tree.root == kNoIndex) return path;
  const Span& root = tree.At(batch, tree.root);
  std::vector<Part> open = {
      {tree.root, root.start_unix_ns, std::max(root.start_unix_ns, root.end_unix_ns)}};
  std::vector<Part> children;
  while (!open.empty()) {
    const Part part = open.back();
    open.pop_back();
    ClippedChildren(batch, tree, part, children);
    std::uint64_t self_ns = 0;
    std::uint64_t until = part.end;  // All after it is accounted for.
    for (const Part& child : children) {
      if (child.end > until) continue;  // It ran beside one that finished later.
      self_ns += until - child.end;
      until = child.start;
      open.push_back(child);
    }
    path.push_back({part.place, self_ns + (until - part.start)});
  }
  std::sort(path.begin(), path.end(),
            [](const CriticalSpan& a, const CriticalSpan& b) { return a.place < b.place; });
  return path;
}

}  // namespace throughline
