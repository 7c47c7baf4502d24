#include "api/query/traceql_evaluate.h"

#include <re2/re2.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

#include "api/query/traceql_names.h"

namespace throughline::api::query::traceql {
namespace {

using Places = std::vector<std::uint32_t>;

bool IsNil(const Expr& expr) {
  return expr.kind == Expr::Kind::kConstant && expr.constant.type == Type::kNil;
}

Places United(const Places& a, const Places& b) {
  Places both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

// The other way round: who is a child of A has A as its parent.
SpansetOp Inverse(SpansetOp op) {
  switch (op) {
    case SpansetOp::kChild: return SpansetOp::kParent;
    case SpansetOp::kParent: return SpansetOp::kChild;
    case SpansetOp::kDescendant: return SpansetOp::kAncestor;
    case SpansetOp::kAncestor: return SpansetOp::kDescendant;
    default: return op;
  }
}

// Equal values of one type are one group; by its bits, NaN is one too.
auto KeyOf(const Datum& datum) {
  return std::tuple(datum.type, datum.integer, std::bit_cast<std::uint64_t>(datum.number),
                    std::string(datum.text));
}

}  // namespace

std::vector<SelectedSpans> Evaluator::Select(const Pipeline& pipeline) {
  Places all(trace_.size());
  std::iota(all.begin(), all.end(), 0U);
  return SelectFrom(pipeline, std::move(all));
}

std::vector<SelectedSpans> Evaluator::SelectFrom(const Pipeline& pipeline, Places all) {
  std::vector<SelectedSpans> sets(1);
  sets.front().places = std::move(all);
  for (const Stage& stage : pipeline.stages) {
    switch (stage.kind) {
      case Stage::Kind::kSpanset:
        for (SelectedSpans& set : sets) set.places = Select(*stage.spanset, set.places);
        break;
      case Stage::Kind::kSelect: break;
      case Stage::Kind::kBy: Group(stage, sets); break;
      case Stage::Kind::kCoalesce: {
        SelectedSpans one;
        for (const SelectedSpans& set : sets) one.places = United(one.places, set.places);
        sets.clear();
        sets.push_back(std::move(one));
        break;
      }
      case Stage::Kind::kAggregate: Keep(stage, sets); break;
    }
    std::erase_if(sets, [](const SelectedSpans& set) { return set.places.empty(); });
    if (sets.empty()) break;
  }
  return sets;
}

Places Evaluator::Select(const Spanset& spanset, const Places& among) {
  switch (spanset.kind) {
    case Spanset::Kind::kFilter: {
      if (spanset.filter == nullptr) return among;
      Places selected;
      for (const std::uint32_t place : among) {
        if (Holds(*spanset.filter, place)) selected.push_back(place);
        trace_.Forget();
      }
      return selected;
    }
    case Spanset::Kind::kOperation: return Operation(spanset, among);
    case Spanset::Kind::kPipeline: {
      Places selected;
      for (const SelectedSpans& set : SelectFrom(*spanset.pipeline, among)) {
        selected = United(selected, set.places);
      }
      return selected;
    }
  }
  return {};
}

Places Evaluator::Operation(const Spanset& spanset, const Places& among) {
  const Places left = Select(*spanset.left, among);
  if (left.empty() && spanset.op != SpansetOp::kOr && !spanset.negated) return {};
  const Places right = Select(*spanset.right, among);
  if (spanset.op == SpansetOp::kOr) return United(left, right);
  if (right.empty()) return {};
  if (spanset.op == SpansetOp::kAnd) return United(left, right);
  Places related = Related(spanset.op, left, right);
  if (spanset.negated) {
    Places others;
    std::set_difference(right.begin(), right.end(), related.begin(), related.end(),
                        std::back_inserter(others));
    return others;
  }
  if (!spanset.unites) return related;
  return United(related, Related(Inverse(spanset.op), right, left));
}

Places Evaluator::Related(SpansetOp op, const Places& others, const Places& candidates) {
  const TraceTree& tree = trace_.tree();
  std::vector<std::uint32_t> marks(trace_.size(), 0);
  for (const std::uint32_t place : others) marks[place] = 1;
  const auto with = [&](const auto& holds) {
    Places related;
    std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(related), holds);
    return related;
  };
  const auto marked_parent = [&](std::uint32_t place) {
    return tree.parent[place] != kNoIndex && marks[tree.parent[place]] != 0;
  };
  switch (op) {
    case SpansetOp::kChild: return with(marked_parent);
    case SpansetOp::kDescendant: {
      // From the roots down: below a marked span everything counts.
      std::vector<bool> below(trace_.size(), false);
      for (const std::uint32_t place : ByDepth()) {
        const std::uint32_t parent = tree.parent[place];
        below[place] = parent != kNoIndex && (marks[parent] != 0 || below[parent]);
      }
      return with([&](std::uint32_t place) { return below[place]; });
    }
    case SpansetOp::kParent:
    case SpansetOp::kAncestor: {
      std::vector<bool> above(trace_.size(), false);
      const Places& by_depth = ByDepth();
      for (auto place = by_depth.rbegin(); place != by_depth.rend(); ++place) {
        const std::uint32_t parent = tree.parent[*place];
        const bool counts = marks[*place] != 0 || (op == SpansetOp::kAncestor && above[*place]);
        if (parent != kNoIndex && counts) above[parent] = true;
      }
      return with([&](std::uint32_t place) { return above[place]; });
    }
    case SpansetOp::kSibling: {
      // By parent, how many of its children are marked.
      std::vector<std::uint32_t> children(trace_.size(), 0);
      for (const std::uint32_t place : others) {
        if (tree.parent[place] != kNoIndex) ++children[tree.parent[place]];
      }
      return with([&](std::uint32_t place) {
        return tree.parent[place] != kNoIndex && children[tree.parent[place]] > marks[place];
      });
    }
    case SpansetOp::kAnd:
    case SpansetOp::kOr: break;
  }
  return {};
}

const Places& Evaluator::ByDepth() {
  if (!by_depth_.empty()) return by_depth_;
  by_depth_.resize(trace_.size());
  std::iota(by_depth_.begin(), by_depth_.end(), 0U);
  const std::vector<std::uint32_t>& depth = trace_.tree().depth;
  std::stable_sort(by_depth_.begin(), by_depth_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return depth[a] < depth[b]; });
  return by_depth_;
}

void Evaluator::Group(const Stage& stage, std::vector<SelectedSpans>& sets) {
  const std::string label = "by(" + ToText(*stage.by) + ")";
  std::vector<SelectedSpans> groups;
  for (const SelectedSpans& set : sets) {
    std::map<decltype(KeyOf(Datum())), std::size_t> group_of;
    for (const std::uint32_t place : set.places) {
      const std::vector<Datum> values = ValuesOf(*stage.by, place);
      const Datum value = values.empty() ? Datum() : values.front();
      const auto [at, is_new] = group_of.emplace(KeyOf(value), groups.size());
      if (is_new) {
        groups.push_back({.places = {}, .attributes = set.attributes});
        groups.back().attributes.emplace_back(label, Owned(value));
      }
      groups[at->second].places.push_back(place);
      trace_.Forget();
    }
  }
  sets = std::move(groups);
}

void Evaluator::Keep(const Stage& stage, std::vector<SelectedSpans>& sets) {
  std::string label(kAggregateWords[static_cast<std::size_t>(stage.aggregate)]);
  label += "(" + (stage.of == nullptr ? std::string() : ToText(*stage.of)) + ")";
  std::erase_if(sets, [&](SelectedSpans& set) {
    Datum result = OfInt(static_cast<std::int64_t>(set.places.size()));
    if (stage.of != nullptr) {
      std::int64_t count = 0;
      Datum sum;
      for (const std::uint32_t place : set.places) {
        for (const Datum& value : ValuesOf(*stage.of, place)) {
          if (!IsNumeric(value)) continue;
          const bool smaller = count > 0 && Compare(Op::kLess, value, sum);
          const bool larger = count > 0 && Compare(Op::kGreater, value, sum);
          if (count++ == 0) {
            sum = value;
          } else if (stage.aggregate == Aggregate::kMin) {
            if (smaller) sum = value;
          } else if (stage.aggregate == Aggregate::kMax) {
            if (larger) sum = value;
          } else {
            sum = Arithmetic(Op::kAdd, sum, value);
          }
        }
        trace_.Forget();
      }
      if (count == 0) return true;
      const bool average = stage.aggregate == Aggregate::kAvg;
      result = average ? Arithmetic(Op::kDivide, sum, OfInt(count)) : sum;
    }
    if (!Compare(stage.op, result, Of(stage.bound))) return true;
    set.attributes.emplace_back(label, Owned(result));
    return false;
  });
}

bool Evaluator::Holds(const Expr& condition, std::uint32_t place) {
  if (condition.kind == Expr::Kind::kBinary) {
    if (condition.op == Op::kAnd) {
      return Holds(*condition.left, place) && Holds(*condition.right, place);
    }
    if (condition.op == Op::kOr) {
      return Holds(*condition.left, place) || Holds(*condition.right, place);
    }
    if (IsComparison(condition.op)) return HoldsComparison(condition, place);
  }
  if (condition.kind == Expr::Kind::kUnary && condition.op == Op::kNot) {
    const Expr& operand = *condition.left;
    const bool is_field = operand.kind == Expr::Kind::kField;
    if (!is_field) return !Holds(operand, place);
    // What is no truth value has no opposite.
    const std::vector<Datum> values = ValuesOf(operand, place);
    return std::any_of(values.begin(), values.end(), [](const Datum& value) {
      return value.type == Type::kBool && !value.is_true();
    });
  }
  const std::vector<Datum> values = ValuesOf(condition, place);
  return std::any_of(values.begin(), values.end(), [](const Datum& d) { return d.is_true(); });
}

bool Evaluator::HoldsComparison(const Expr& comparison, std::uint32_t place) {
  const bool negative = comparison.op == Op::kNotEqual || comparison.op == Op::kNotRegex;
  const std::vector<Datum> left = ValuesOf(*comparison.left, place);
  if (IsNil(*comparison.right)) return left.empty() != negative;
  const std::vector<Datum> right = ValuesOf(*comparison.right, place);
  if (IsNil(*comparison.left)) return right.empty() != negative;
  const auto holds = [&](const Datum& a, const Datum& b) {
    if (comparison.regex == nullptr) return Compare(comparison.op, a, b);
    if (a.type != Type::kString) return false;
    const bool matches = re2::RE2::FullMatch({a.text.data(), a.text.size()}, *comparison.regex);
    return matches != negative;
  };
  // A list is unlike a value where none of its items is like it.
  const auto of_list = [&](const Datum& a) {
    const auto holds_for = [&](const Datum& b) { return holds(a, b); };
    return negative ? std::all_of(right.begin(), right.end(), holds_for)
                    : std::any_of(right.begin(), right.end(), holds_for);
  };
  if (left.empty() || right.empty()) return false;
  return negative ? std::all_of(left.begin(), left.end(), of_list)
                  : std::any_of(left.begin(), left.end(), of_list);
}

std::vector<Datum> Evaluator::ValuesOf(const Expr& expr, std::uint32_t place) {
  std::vector<Datum> values;
  switch (expr.kind) {
    case Expr::Kind::kConstant:
      if (expr.constant.type != Type::kNil) values.push_back(Of(expr.constant));
      return values;
    case Expr::Kind::kField: trace_.Values(expr.field, place, values); return values;
    case Expr::Kind::kUnary:
      if (expr.op == Op::kNegate) {
        for (const Datum& value : ValuesOf(*expr.left, place)) {
          const Datum negated = Arithmetic(Op::kSubtract, OfInt(0), value);
          if (negated.type != Type::kNil) values.push_back(negated);
        }
        return values;
      }
      break;
    case Expr::Kind::kBinary:
      if (expr.op == Op::kAnd || expr.op == Op::kOr || IsComparison(expr.op)) break;
      const std::vector<Datum> left = ValuesOf(*expr.left, place);
      const std::vector<Datum> right = ValuesOf(*expr.right, place);
      if (left.empty() || right.empty()) return values;
      const Datum result = Arithmetic(expr.op, left.front(), right.front());
      if (result.type != Type::kNil) values.push_back(result);
      return values;
  }
  values.push_back(OfBool(Holds(expr, place)));
  return values;
}

}  // namespace throughline::api::query::traceql
