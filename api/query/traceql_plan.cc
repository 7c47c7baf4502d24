#include "api/query/traceql_plan.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "api/query/traceql_names.h"
#include "api/query/traceql_value.h"

namespace throughline::api::query::traceql {
namespace {

// The store refuses more; what is left out is the Evaluator's.
constexpr std::size_t kMostMatchers = 50;

struct Candidates {
  TraceQuery query;
  int weight = 0;  // How much the conditions are likely to leave out.
};

bool HoldsLists(std::string_view key) {
  for (const std::string_view part : {".header.", ".metadata.", "command_args"}) {
    if (key.find(part) != key.npos) return true;
  }
  return false;
}

// The text that a store compares for a constant; nullopt where equal values have several.
std::optional<std::string> MatcherText(const Constant& constant) {
  switch (constant.type) {
    case Type::kString: return constant.text;
    case Type::kBool: return constant.integer != 0 ? "true" : "false";
    case Type::kInt: {
      // 500.0 equals 500 and is "500"; 1e+05 equals 100000 and is not.
      std::string whole = std::to_string(constant.integer);
      Datum as_float;
      as_float.type = Type::kFloat;
      as_float.number = static_cast<double>(constant.integer);
      if (TextOf(as_float) != whole) return std::nullopt;
      return whole;
    }
    default: return std::nullopt;
  }
}

void AddAttribute(const std::string& key, Op op, const Constant& constant, Candidates& out) {
  if (HoldsLists(key) || out.query.attributes.size() == kMostMatchers) return;
  const auto text = MatcherText(constant);
  if (!text) return;
  Matcher matcher{.key = key, .op = Matcher::Op::kEqual, .value = *text};
  switch (op) {
    case Op::kEqual: out.weight += 4; break;
    case Op::kNotEqual: matcher.op = Matcher::Op::kNotEqual; break;
    case Op::kRegex:
      matcher.op = Matcher::Op::kRegex;
      out.weight += 2;
      break;
    default: return;
  }
  out.query.attributes.push_back(std::move(matcher));
}

void AddDuration(Op op, const Constant& constant, Candidates& out) {
  if (constant.type != Type::kDuration && constant.type != Type::kInt) return;
  if (constant.integer < 0) return;
  const auto ns = static_cast<std::uint64_t>(constant.integer);
  const auto at_least = [&](std::uint64_t least) {
    auto& bound = out.query.min_duration_ns;
    bound = std::max(bound.value_or(0), least);
    out.weight += 2;
  };
  const auto at_most = [&](std::uint64_t most) {
    auto& bound = out.query.max_duration_ns;
    bound = std::min(bound.value_or(UINT64_MAX), most);
    out.weight += 1;
  };
  if (op == Op::kGreater) at_least(ns + 1);
  if (op == Op::kGreaterEqual || op == Op::kEqual) at_least(ns);
  if (op == Op::kLess && ns > 0) at_most(ns - 1);
  if (op == Op::kLessEqual || op == Op::kEqual) at_most(ns);
}

Op Turned(Op op) {
  switch (op) {
    case Op::kLess: return Op::kGreater;
    case Op::kLessEqual: return Op::kGreaterEqual;
    case Op::kGreater: return Op::kLess;
    case Op::kGreaterEqual: return Op::kLessEqual;
    default: return op;
  }
}

void AddComparison(const Field& field, Op op, const Constant& constant, Candidates& out) {
  if (field.of_parent) return;
  const bool text_equals = op == Op::kEqual && constant.type == Type::kString;
  switch (field.intrinsic) {
    case Intrinsic::kDuration: return AddDuration(op, constant, out);
    case Intrinsic::kName:
      if (text_equals && !out.query.operation) {
        out.query.operation = constant.text;
        out.weight += 4;
      }
      return;
    case Intrinsic::kStatus:
      if (op == Op::kEqual && constant.type == Type::kStatus && !out.query.status_code) {
        out.query.status_code = static_cast<std::uint32_t>(constant.integer);
        out.weight += constant.integer == 2 ? 3 : 0;
      }
      return;
    case Intrinsic::kNone: break;
    default: return;
  }
  // A matcher of the store looks at the span before its resource, so it says nothing for sure of
  // the resource alone.
  if (field.scope == FieldScope::kSpan || field.scope == FieldScope::kAny) {
    AddAttribute(field.key, op, constant, out);
  } else if (field.scope == FieldScope::kResource && field.key == "service.name" && text_equals &&
             !out.query.service) {
    out.query.service = constant.text;
    out.weight += 2;  // Less than an error: a service is in many traces.
  }
}

// What `condition` demands of a span.
void AddDemands(const Expr& condition, Candidates& out) {
  if (condition.kind != Expr::Kind::kBinary) return;
  if (condition.op == Op::kAnd) {
    AddDemands(*condition.left, out);
    AddDemands(*condition.right, out);
    return;
  }
  if (!IsComparison(condition.op)) return;
  const Expr& left = *condition.left;
  const Expr& right = *condition.right;
  if (left.kind == Expr::Kind::kField && right.kind == Expr::Kind::kConstant) {
    AddComparison(left.field, condition.op, right.constant, out);
  } else if (left.kind == Expr::Kind::kConstant && right.kind == Expr::Kind::kField &&
             condition.regex == nullptr) {
    AddComparison(right.field, Turned(condition.op), left.constant, out);
  }
}

Candidates CandidatesOfSpanset(const Spanset& spanset) {
  Candidates out;
  switch (spanset.kind) {
    case Spanset::Kind::kFilter:
      if (spanset.filter != nullptr) AddDemands(*spanset.filter, out);
      return out;
    case Spanset::Kind::kPipeline:
      return CandidatesOfSpanset(*spanset.pipeline->stages.front().spanset);
    case Spanset::Kind::kOperation: break;
  }
  if (spanset.op == SpansetOp::kOr) return out;
  Candidates right = CandidatesOfSpanset(*spanset.right);
  if (spanset.negated) return right;
  Candidates left = CandidatesOfSpanset(*spanset.left);
  return left.weight > right.weight ? left : right;
}

void AddFields(const Expr& expr, std::vector<Field>& fields) {
  if (expr.kind == Expr::Kind::kField) {
    if (std::find(fields.begin(), fields.end(), expr.field) == fields.end()) {
      fields.push_back(expr.field);
    }
  }
  if (expr.left != nullptr) AddFields(*expr.left, fields);
  if (expr.right != nullptr) AddFields(*expr.right, fields);
}

void AddFields(const Pipeline& pipeline, std::vector<Field>& fields);

void AddFields(const Spanset& spanset, std::vector<Field>& fields) {
  if (spanset.filter != nullptr) AddFields(*spanset.filter, fields);
  if (spanset.left != nullptr) AddFields(*spanset.left, fields);
  if (spanset.right != nullptr) AddFields(*spanset.right, fields);
  if (spanset.pipeline != nullptr) AddFields(*spanset.pipeline, fields);
}

void AddFields(const Pipeline& pipeline, std::vector<Field>& fields) {
  for (const Stage& stage : pipeline.stages) {
    if (stage.spanset != nullptr) AddFields(*stage.spanset, fields);
    if (stage.by != nullptr) AddFields(*stage.by, fields);
    if (stage.of != nullptr) AddFields(*stage.of, fields);
    for (const Field& field : stage.fields) {
      if (std::find(fields.begin(), fields.end(), field) == fields.end()) fields.push_back(field);
    }
  }
}

bool IsOfTrace(const Field& field) {
  if (field.of_parent) return true;
  switch (field.intrinsic) {
    case Intrinsic::kChildCount:
    case Intrinsic::kTraceDuration:
    case Intrinsic::kRootName:
    case Intrinsic::kRootService:
    case Intrinsic::kNestedSetLeft:
    case Intrinsic::kNestedSetRight:
    case Intrinsic::kNestedSetParent: return true;
    default: return false;
  }
}

bool IsOfTrace(const Spanset& spanset) {
  if (spanset.kind != Spanset::Kind::kFilter) return true;
  std::vector<Field> fields;
  AddFields(spanset, fields);
  return std::any_of(fields.begin(), fields.end(),
                     [](const Field& field) { return IsOfTrace(field); });
}

}  // namespace

bool NeedsWholeTrace(const Query& query) {
  for (const Stage& stage : query.pipeline.stages) {
    if (stage.kind == Stage::Kind::kSelect) continue;
    if (stage.kind != Stage::Kind::kSpanset || IsOfTrace(*stage.spanset)) return true;
  }
  if (!query.metrics) return false;
  const Metrics& metrics = *query.metrics;
  if (metrics.selection != nullptr && IsOfTrace(*metrics.selection)) return true;
  // What compare() counts by are fields of the trace, too.
  if (metrics.function == Metric::kCompare) return true;
  return (metrics.of && IsOfTrace(*metrics.of)) ||
         std::any_of(metrics.by.begin(), metrics.by.end(),
                     [](const Field& field) { return IsOfTrace(field); });
}

TraceQuery CandidatesOf(const Pipeline& pipeline) {
  return CandidatesOfSpanset(*pipeline.stages.front().spanset).query;
}

std::vector<Field> FieldsOf(const Pipeline& pipeline) {
  std::vector<Field> fields;
  AddFields(pipeline, fields);
  return fields;
}

}  // namespace throughline::api::query::traceql
