#include "api/walk_spans.h"

#include <string>
#include <utility>
#include <vector>

#include "correlate/identity.h"

namespace throughline::api {
namespace {

// Which spans were there, by their identities: a table with open places, half full at most.
class Told {
 public:
  Told() : places_(kFirstPlaces, kOpen) {}

  // False: it was there before.
  bool Tell(std::uint64_t identity) {
    if (identity == kOpen) ++identity;
    if (2 * (count_ + 1) > places_.size()) Grow();
    if (!Put(identity)) return false;
    ++count_;
    return true;
  }
  std::size_t count() const { return count_; }

 private:
  static constexpr std::uint64_t kOpen = 0;
  static constexpr std::size_t kFirstPlaces = 1UL << 12U;

  bool Put(std::uint64_t identity) {
    const std::size_t mask = places_.size() - 1;
    std::size_t at = identity & mask;
    while (places_[at] != kOpen && places_[at] != identity) at = (at + 1) & mask;
    return std::exchange(places_[at], identity) == kOpen;
  }
  void Grow() {
    const std::vector<std::uint64_t> before =
        std::exchange(places_, std::vector<std::uint64_t>(2 * places_.size(), kOpen));
    for (const std::uint64_t identity : before) {
      if (identity != kOpen) Put(identity);
    }
  }

  std::vector<std::uint64_t> places_;
  std::size_t count_ = 0;
};

// Spans side by side, each without a parent.
void Append(std::uint32_t span, TraceTree& tree) {
  tree.order.push_back(span);
  for (auto* const list : {&tree.parent, &tree.first_child, &tree.next_sibling}) {
    list->push_back(kNoIndex);
  }
  tree.depth.push_back(0);
  tree.root = 0;
}
void Clear(TraceTree& tree) {
  for (auto* const list :
       {&tree.order, &tree.parent, &tree.first_child, &tree.next_sibling, &tree.depth}) {
    list->clear();
  }
  tree.root = kNoIndex;
}

}  // namespace

Result<Walked> WalkSpans(const Request& request, const links::Context& context,
                         const TimeRange& range,
                         const std::function<void(const SomeSpans&)>& visit) {
  const std::uint64_t seed = context.store.hash_seed();
  Walked walked;
  Told told;
  TraceTree tree;
  const auto look = [&](const Batch& batch) {
    TraceId id;
    const auto show = [&] {
      if (tree.order.empty()) return;
      walked.spans += tree.order.size();
      visit({.id = id, .batch = batch, .tree = tree});
      Clear(tree);
    };
    for (std::uint32_t i = 0; i < batch.spans.size(); ++i) {
      const Span& span = batch.spans[i];
      if (!range.Contains(span.start_unix_ns)) continue;
      if (!told.Tell(IdentityOf(span, batch, seed))) continue;
      if (span.trace_id != id) show();
      id = span.trace_id;
      Append(i, tree);
    }
    show();
    if (request.scope.Expired()) return false;
    if (told.count() <= kMostSpansTold) return true;
    walked.cut = "more than " + std::to_string(kMostSpansTold) + " spans";
    return false;
  };
  const VisitQuery query{.time = range, .logs = false, .exemplars = false};
  TL_TRY_ASSIGN(const Visited visited, context.store.Visit(request.scope, query, look));
  if (!walked.cut.empty() || visited.complete) return walked;
  walked.cut = visited.incomplete_reason;
  if (request.scope.Expired()) {
    walked.cut = "limits.lookup_deadline came after " + std::to_string(walked.spans) + " spans";
  }
  return walked;
}

}  // namespace throughline::api
