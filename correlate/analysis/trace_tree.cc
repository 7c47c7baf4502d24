#include "correlate/analysis/trace_tree.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "correlate/check.h"
#include "correlate/record_time.h"

namespace throughline {
namespace {

constexpr std::uint32_t kServer = 2;
constexpr std::uint32_t kClient = 3;

void SortSpans(const Batch& batch, TraceTree& tree) {
  TL_CHECK(batch.spans.size() < kNoIndex);
  tree.order.resize(batch.spans.size());
  std::iota(tree.order.begin(), tree.order.end(), 0U);
  std::sort(tree.order.begin(), tree.order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const Span& x = batch.spans[a];
    const Span& y = batch.spans[b];
    return std::tuple(TimeOf(x), x.span_id, x.identity) <
           std::tuple(TimeOf(y), y.span_id, y.identity);
  });
  tree.by_id.reserve(tree.order.size());
  for (std::uint32_t place = 0; place < tree.order.size(); ++place) {
    tree.by_id.push_back({tree.At(batch, place).span_id, place});
  }
  std::sort(tree.by_id.begin(), tree.by_id.end());
  for (std::size_t i = 1; i < tree.by_id.size(); ++i) {
    if (tree.by_id[i].id == tree.by_id[i - 1].id) ++tree.duplicates;
  }
}

// Of several spans with one id, the one that `child` was made under.
std::uint32_t PickParent(const Batch& batch, const TraceTree& tree,
                         std::span<const TraceTree::Named> halves, const Span& child) {
  if (halves.size() == 1) return halves.front().place;
  const std::string_view service = batch.ServiceOf(child);
  std::uint32_t server = kNoIndex;
  for (const auto& half : halves) {
    const Span& span = tree.At(batch, half.place);
    if (!service.empty() && batch.ServiceOf(span) == service) return half.place;
    if (span.kind == kServer && server == kNoIndex) server = half.place;
  }
  return server == kNoIndex ? halves.front().place : server;
}

// The client half of a server span that shares its id; kNoIndex for every other span.
std::uint32_t ClientHalf(const Batch& batch, const TraceTree& tree, const Span& span) {
  if (tree.duplicates == 0 || span.kind != kServer) return kNoIndex;
  for (const auto& half : tree.HalvesOf(span.span_id)) {
    if (tree.At(batch, half.place).kind == kClient) return half.place;
  }
  return kNoIndex;
}

void FindParents(const Batch& batch, TraceTree& tree) {
  const auto count = static_cast<std::uint32_t>(tree.order.size());
  tree.parent.assign(count, kNoIndex);
  for (std::uint32_t place = 0; place < count; ++place) {
    const Span& span = tree.At(batch, place);
    if (const std::uint32_t client = ClientHalf(batch, tree, span); client != kNoIndex) {
      tree.parent[place] = client;
    } else if (!span.parent_span_id.IsValid()) {
      ++tree.roots;
      if (tree.root == kNoIndex) tree.root = place;
    } else if (const auto halves = tree.HalvesOf(span.parent_span_id); !halves.empty()) {
      // A span that names itself becomes a circle of one, cut below.
      const bool itself = span.parent_span_id == span.span_id;
      tree.parent[place] = itself ? place : PickParent(batch, tree, halves, span);
    } else {
      tree.missing_parents.push_back(span.parent_span_id);
    }
  }
  std::sort(tree.missing_parents.begin(), tree.missing_parents.end());
  tree.missing_parents.erase(std::unique(tree.missing_parents.begin(), tree.missing_parents.end()),
                             tree.missing_parents.end());
}

void CutLoops(TraceTree& tree) {
  const auto count = static_cast<std::uint32_t>(tree.order.size());
  std::vector<std::uint32_t> walk_of(count, 0);  // 0: not reached yet.
  for (std::uint32_t start = 0; start < count; ++start) {
    const std::uint32_t walk = start + 1;
    std::uint32_t at = start;
    while (at != kNoIndex && walk_of[at] == 0) {
      walk_of[at] = walk;
      at = tree.parent[at];
    }
    if (at == kNoIndex || walk_of[at] != walk) continue;
    std::uint32_t earliest = at;
    for (std::uint32_t i = tree.parent[at]; i != at; i = tree.parent[i]) {
      earliest = std::min(earliest, i);
    }
    tree.parent[earliest] = kNoIndex;
    ++tree.loops;
  }
}

void LinkChildren(TraceTree& tree) {
  const auto count = static_cast<std::uint32_t>(tree.order.size());
  tree.first_child.assign(count, kNoIndex);
  tree.next_sibling.assign(count, kNoIndex);
  tree.depth.assign(count, 0);
  std::vector<std::uint32_t> queue;
  queue.reserve(count);
  for (std::uint32_t place = count; place-- > 0;) {
    const std::uint32_t parent = tree.parent[place];
    if (parent == kNoIndex) {
      queue.push_back(place);
    } else {
      tree.next_sibling[place] = tree.first_child[parent];
      tree.first_child[parent] = place;
    }
  }
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const std::uint32_t place = queue[i];
    for (std::uint32_t child = tree.first_child[place]; child != kNoIndex;
         child = tree.next_sibling[child]) {
      tree.depth[child] = tree.depth[place] + 1;
      queue.push_back(child);
    }
  }
  TL_CHECK(queue.size() == count);
}

// Without a span that has no parent id: the earliest whose parent is missing, else, in a circle,
// the earliest.
std::uint32_t FallbackRoot(const Batch& batch, const TraceTree& tree) {
  for (std::uint32_t place = 0; place < tree.order.size(); ++place) {
    if (tree.parent[place] != kNoIndex) continue;
    const SpanId parent = tree.At(batch, place).parent_span_id;
    if (std::binary_search(tree.missing_parents.begin(), tree.missing_parents.end(), parent)) {
      return place;
    }
  }
  return tree.order.empty() ? kNoIndex : 0;
}

}  // namespace

std::span<const TraceTree::Named> TraceTree::HalvesOf(SpanId id) const {
  const auto begin = std::lower_bound(by_id.begin(), by_id.end(), Named{id, 0});
  auto end = begin;
  while (end != by_id.end() && end->id == id && end - begin < kMostHalves) ++end;
  return {begin, end};
}

TraceTree BuildTraceTree(const Batch& batch) {
  TraceTree tree;
  SortSpans(batch, tree);
  FindParents(batch, tree);
  CutLoops(tree);
  LinkChildren(tree);
  if (tree.root == kNoIndex) tree.root = FallbackRoot(batch, tree);
  return tree;
}

}  // namespace throughline
