// One trace as TraceQL sees it: the values of fields of its spans.
//
// Views the batch and the tree, which must outlive it; not thread-safe. Places are those of the
// tree. What not every query needs (nested sets, children) is worked out when it is asked for.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "api/query/traceql.h"
#include "api/query/traceql_value.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"

namespace throughline::api::query::traceql {

// What Tempo calls the root of a trace whose root span is not there.
inline constexpr std::string_view kNoRoot = "<root span not yet received>";

class Trace {
 public:
  Trace(TraceId id, const Batch& batch, const TraceTree& tree);

  TraceId id() const { return id_; }
  const Batch& batch() const { return batch_; }
  const TraceTree& tree() const { return tree_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(tree_.order.size()); }
  const Span& At(std::uint32_t place) const { return tree_.At(batch_, place); }

  std::uint64_t start_unix_ns() const { return start_unix_ns_; }
  std::uint64_t duration_ns() const { return end_unix_ns_ - start_unix_ns_; }
  std::string_view root_name() const;
  std::string_view root_service() const;

  // Appends the values of `field` at a span: none where it is absent, several where it is a list or
  // stands on several events or links. They are good until the next call of Forget().
  void Values(const Field& field, std::uint32_t place, std::vector<Datum>& values) const;
  // Lets go of the texts that values of the spans so far were made of.
  void Forget() const { texts_.clear(); }

 private:
  struct NestedSet {
    std::int64_t left = 0;
    std::int64_t right = 0;
    std::int64_t parent = 0;
  };

  void Intrinsics(Intrinsic intrinsic, std::uint32_t place, std::vector<Datum>& values) const;
  void OfEvents(Intrinsic intrinsic, const Span& span, std::vector<Datum>& values) const;
  bool Attributes(Range range, std::string_view key, std::vector<Datum>& values) const;
  // True where the scope has the key.
  bool InScope(FieldScope scope, std::string_view key, const Span& span,
               std::vector<Datum>& values) const;
  const NestedSet& NestedSetOf(std::uint32_t place) const;
  // The tree under `root`, from `next` on.
  void Number(std::uint32_t root, std::int64_t& next) const;
  std::string_view Kept(std::string text) const;
  const Span* Root() const;

  const TraceId id_;
  const Batch& batch_;
  const TraceTree& tree_;
  std::uint64_t start_unix_ns_ = UINT64_MAX;
  std::uint64_t end_unix_ns_ = 0;
  mutable std::vector<NestedSet> nested_sets_;  // By place; empty: not asked for yet.
  mutable std::deque<std::string> texts_;
};

// An AnyValue as one value, or as one for each item of a list. Maps, bytes and empty ones are none.
void AppendData(std::string_view any_value, std::vector<Datum>& values);

}  // namespace throughline::api::query::traceql
