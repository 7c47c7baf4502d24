#include "correlate/analysis/critical_path.h"

#include <algorithm>

namespace throughline {
namespace {

constexpr std::uint32_t kProducer = 4;
constexpr std::uint32_t kConsumer = 5;

// A span, or the part of it that is on the path.
struct Part {
  std::uint32_t place = 0;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

// Nobody waited for it: it takes a message up, and was still at it when its parent had ended.
bool IsAsync(const Span& child, const Span& parent) {
  return child.end_unix_ns > parent.end_unix_ns &&
         (child.kind == kConsumer || parent.kind == kProducer);
}

// The children of `part`, clipped to it, the last to finish first.
void ClippedChildren(const Batch& batch, const TraceTree& tree, const Part& part,
                     std::vector<Part>& children) {
  children.clear();
  const Span& parent = tree.At(batch, part.place);
  for (std::uint32_t place = tree.first_child[part.place]; place != kNoIndex;
       place = tree.next_sibling[place]) {
    const Span& span = tree.At(batch, place);
    const Part child{.place = place,
                     .start = std::max(span.start_unix_ns, part.start),
                     .end = std::min(span.end_unix_ns, part.end)};
    if (child.end > child.start && !IsAsync(span, parent)) children.push_back(child);
  }
  std::sort(children.begin(), children.end(), [&](const Part& a, const Part& b) {
    const std::uint64_t a_end = tree.At(batch, a.place).end_unix_ns;
    const std::uint64_t b_end = tree.At(batch, b.place).end_unix_ns;
    if (a_end != b_end) return a_end > b_end;
    if (a.start != b.start) return a.start < b.start;
    return a.place < b.place;
  });
}

std::string WhyUndetermined(const Batch& batch, const TraceTree& tree, const Span& root) {
  if (root.end_unix_ns < root.start_unix_ns) return "the root ends before it starts";
  if (tree.roots == 0 && tree.loops > 0 && tree.missing_parents.empty()) {
    return "no root: the parents go in a circle";
  }
  if (tree.roots == 0) {
    return "the root is missing: span " + ToHex(root.parent_span_id) + " is not here";
  }
  if (tree.roots > 1) {
    return "of " + std::to_string(tree.roots) + " roots this is the earliest";
  }
  if (!tree.missing_parents.empty()) {
    return std::to_string(tree.missing_parents.size()) +
           " missing parents: what stood under them hangs on nothing";
  }
  if (tree.loops > 0) return std::to_string(tree.loops) + " circles of parents were cut";
  // Of two spans with one id either may be the parent; the halves of a shared span are no doubt.
  for (std::size_t i = 1; i < tree.by_id.size(); ++i) {
    if (tree.by_id[i].id != tree.by_id[i - 1].id) continue;
    const Span& a = tree.At(batch, tree.by_id[i - 1].place);
    const Span& b = tree.At(batch, tree.by_id[i].place);
    if (a.kind == b.kind) return "several spans have the id " + ToHex(a.span_id);
  }
  return {};
}

}  // namespace

CriticalPathOf CriticalPath(const Batch& batch, const TraceTree& tree) {
  CriticalPathOf path;
  if (tree.root == kNoIndex) {
    path.undetermined = "no spans";
    return path;
  }
  const Span& root = tree.At(batch, tree.root);
  path.undetermined = WhyUndetermined(batch, tree, root);
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
      const std::uint64_t end = std::min(child.end, until);
      if (end <= child.start) continue;  // Others that finished later ran all its time.
      self_ns += until - end;
      open.push_back({child.place, child.start, end});
      until = child.start;
    }
    path.spans.push_back({part.place, self_ns + (until - part.start)});
  }
  std::sort(path.spans.begin(), path.spans.end(),
            [](const CriticalSpan& a, const CriticalSpan& b) { return a.place < b.place; });
  return path;
}

}  // namespace throughline
