#include "api/query/promql.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "api/query/promql_selector.h"

namespace throughline::api::query {
namespace {

using Kind = PromQl::Kind;
using Token = PromQlToken;

constexpr std::array<std::string_view, 14> kAggregations = {
    "sum",    "avg",  "count",   "min",          "max",      "group",  "stddev",
    "stdvar", "topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"};

struct Operator {
  std::string_view text;
  int binds;  // Tighter, the higher.
};
constexpr Operator kOperators[] = {
    {"or", 1}, {"and", 2}, {"unless", 2}, {"==", 3}, {"!=", 3}, {"<=", 3}, {"<", 3},     {">=", 3},
    {">", 3},  {"+", 4},   {"-", 4},      {"*", 5},  {"/", 5},  {"%", 5},  {"atan2", 5}, {"^", 7},
};
constexpr int kUnaryBinds = 6;

bool IsAggregation(const Token& token) {
  return std::any_of(kAggregations.begin(), kAggregations.end(),
                     [&](std::string_view word) { return token.IsWord(word); });
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

class Parser : private PromQlSelectorParser {
 public:
  explicit Parser(std::string_view text) : PromQlSelectorParser(text) {}

  Result<PromQl> Parse() {
    TL_TRY(Advance());
    if (token_.kind == Token::Kind::kEnd) return Wrong("no expression found in input");
    TL_TRY_ASSIGN(PromQl expression, Expression(0));
    if (token_.kind != Token::Kind::kEnd) return Unexpected("after the expression");
    return expression;
  }

 private:
  Error TooManyOperators() const {
    return Wrong("more than " + std::to_string(kMaxOperators) + " operators");
  }
  const Operator* BinaryOperator() const {
    const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators), [&](auto& op) {
      return token_.Is(op.text) || token_.IsWord(op.text);
    });
    return found == std::end(kOperators) ? nullptr : found;
  }

  // All operators that bind tighter than `binds`.
  Result<PromQl> Expression(int binds) {
    if (++depth_ > kMaxPromQlDepth) {
      return Wrong("more than " + std::to_string(kMaxPromQlDepth) + " levels");
    }
    TL_TRY_ASSIGN(PromQl left, Unary());
    for (const Operator* op = BinaryOperator(); op != nullptr && op->binds > binds;
         op = BinaryOperator()) {
      PromQl binary;
      binary.kind = Kind::kBinary;
      binary.text = op->text;
      const Token at = token_;
      TL_TRY(Advance());
      TL_TRY(Modifiers(binary));
      // Only ^ binds to the right.
      TL_TRY_ASSIGN(PromQl right, Expression(op->text == "^" ? op->binds - 1 : op->binds));
      if (op->binds == 3 && !binary.returns_bool && left.IsScalar() && right.IsScalar()) {
        return lexer_.Wrong(at.at, "comparisons between scalars must use BOOL modifier");
      }
      binary.arguments.push_back(std::move(left));
      binary.arguments.push_back(std::move(right));
      left = std::move(binary);
      if (++operators_ > kMaxOperators) return TooManyOperators();
    }
    --depth_;
    return left;
  }

  // bool, on(...), ignoring(...), group_left(...), group_right(...)
  Result<void> Modifiers(PromQl& binary) {
    if (token_.IsWord("bool")) {
      binary.returns_bool = true;
      TL_TRY(Advance());
    }
    if (!token_.IsWord("on") && !token_.IsWord("ignoring")) return {};
    binary.without = token_.IsWord("ignoring");
    TL_TRY(Advance());
    TL_TRY_ASSIGN(binary.labels, LabelList());
    if (!token_.IsWord("group_left") && !token_.IsWord("group_right")) return {};
    TL_TRY(Advance());
    if (token_.Is("(")) {
      TL_TRY_ASSIGN(const auto kept, LabelList());
    }
    return {};
  }

  Result<PromQl> Unary() {
    if (token_.Is("+")) {
      TL_TRY(Advance());
      return Expression(kUnaryBinds);
    }
    if (!token_.Is("-")) return Suffixed();
    TL_TRY(Advance());
    PromQl negative;
    negative.kind = Kind::kNegative;
    TL_TRY_ASSIGN(PromQl of, Expression(kUnaryBinds));
    negative.arguments.push_back(std::move(of));
    return negative;
  }

  // [5m], [1h:5m], offset 5m, @ 1700000000, @ start()
  Result<PromQl> Suffixed() {
    TL_TRY_ASSIGN(PromQl of, Primary());
    while (true) {
      if (token_.Is("[")) {
        TL_TRY_ASSIGN(of, Ranged(std::move(of)));
      } else if (token_.IsWord("offset")) {
        TL_TRY(Advance());
        TL_TRY_ASSIGN(const bool negative, Take("-"));
        if (!IsNumber()) return Unexpected("in offset, want a duration");
        of.shifted = of.shifted || negative || token_.number != 0;
        TL_TRY(Advance());
      } else if (token_.Is("@")) {
        TL_TRY(Advance());
        TL_TRY(Take("-"));
        if (token_.IsWord("start") || token_.IsWord("end")) {
          TL_TRY(Advance());
          TL_TRY(Want("(", "in @"));
          TL_TRY(Want(")", "in @"));
        } else if (IsNumber()) {
          TL_TRY(Advance());
        } else {
          return Unexpected("in @, want a timestamp");
        }
        of.shifted = true;
      } else {
        return of;
      }
    }
  }

  bool IsNumber() const {
    return token_.kind == Token::Kind::kNumber || token_.kind == Token::Kind::kDuration;
  }

  Result<PromQl> Ranged(PromQl of) {
    TL_TRY(Advance());
    if (!IsNumber() || token_.number <= 0) return Unexpected("in [], want a duration");
    constexpr double kMostSeconds = 1e10;
    const std::uint64_t range = token_.duration_ns > 0 ? token_.duration_ns
                                : token_.number < kMostSeconds
                                    ? static_cast<std::uint64_t>(token_.number * 1e9)
                                    : UINT64_MAX;
    TL_TRY(Advance());
    TL_TRY_ASSIGN(const bool has_step, Take(":"));
    if (!has_step) {
      if (of.kind != Kind::kSelector || of.range_ns > 0) {
        return Wrong("ranges only allowed for vector selectors");
      }
      TL_TRY(Want("]", "in a range"));
      of.range_ns = range;
      return of;
    }
    if (IsNumber()) TL_TRY(Advance());
    TL_TRY(Want("]", "in a subquery"));
    if (++operators_ > kMaxOperators) return TooManyOperators();
    PromQl subquery;
    subquery.kind = Kind::kSubquery;
    subquery.range_ns = range;
    subquery.arguments.push_back(std::move(of));
    return subquery;
  }

  Result<PromQl> Primary() {
    PromQl out;
    switch (token_.kind) {
      case Token::Kind::kNumber:
      case Token::Kind::kDuration:
        out.number = token_.number;
        TL_TRY(Advance());
        return out;
      case Token::Kind::kString:
        out.kind = Kind::kString;
        out.text = std::move(token_.value);
        TL_TRY(Advance());
        return out;
      case Token::Kind::kName: return Named();
      case Token::Kind::kSymbol: break;
      case Token::Kind::kEnd: return Unexpected({});
    }
    if (token_.Is("{")) return SelectorOf({});
    if (!token_.Is("(")) return Unexpected("where an expression should begin");
    TL_TRY(Advance());
    TL_TRY_ASSIGN(out, Expression(0));
    TL_TRY(Want(")", "in parentheses"));
    return out;
  }

  Result<PromQl> Named() {
    TL_TRY_ASSIGN(const Token* ahead, Ahead());
    const bool opens = ahead->Is("(");
    if (IsAggregation(token_) && (opens || ahead->IsWord("by") || ahead->IsWord("without"))) {
      return Aggregate();
    }
    if (opens) return Call();
    PromQl number;
    if (token_.IsWord("inf") || token_.IsWord("nan")) {
      number.number = token_.IsWord("inf") ? std::numeric_limits<double>::infinity()
                                           : std::numeric_limits<double>::quiet_NaN();
      TL_TRY(Advance());
      return number;
    }
    if (BinaryOperator() != nullptr) return Unexpected("where an expression should begin");
    std::string metric(token_.text);
    TL_TRY(Advance());
    return SelectorOf(std::move(metric));
  }

  Result<PromQl> Call() {
    PromQl call;
    call.kind = Kind::kCall;
    call.text = token_.text;
    TL_TRY(Advance());
    TL_TRY(Arguments(call));
    return call;
  }

  Result<PromQl> Aggregate() {
    PromQl aggregate;
    aggregate.kind = Kind::kAggregate;
    aggregate.text = Lower(token_.text);
    TL_TRY(Advance());
    TL_TRY_ASSIGN(const bool before, Grouping(aggregate));
    TL_TRY(Arguments(aggregate));
    if (aggregate.arguments.empty()) return Wrong("no arguments for aggregate expression provided");
    if (!before) {
      TL_TRY(Grouping(aggregate));
    }
    return aggregate;
  }

  // False: there is none.
  Result<bool> Grouping(PromQl& aggregate) {
    if (!token_.IsWord("by") && !token_.IsWord("without")) return false;
    aggregate.without = token_.IsWord("without");
    TL_TRY(Advance());
    TL_TRY_ASSIGN(aggregate.labels, LabelList());
    return true;
  }

  Result<void> Arguments(PromQl& of) {
    TL_TRY(Want("(", "before arguments"));
    while (!token_.Is(")")) {
      TL_TRY_ASSIGN(PromQl argument, Expression(0));
      of.arguments.push_back(std::move(argument));
      TL_TRY_ASSIGN(const bool more, Take(","));
      if (!more && !token_.Is(")")) return Unexpected("in arguments, want , or )");
    }
    return Advance();
  }

  static constexpr std::size_t kMaxOperators = 1000;

  std::size_t depth_ = 0;
  std::size_t operators_ = 0;
};

template <typename Visit>
void Walk(const PromQl& expression, const Visit& visit) {
  visit(expression);
  for (const PromQl& argument : expression.arguments) Walk(argument, visit);
}

}  // namespace

bool PromQl::IsScalar() const {
  switch (kind) {
    case Kind::kNumber: return true;
    case Kind::kCall: return text == "scalar" || text == "time" || text == "pi";
    case Kind::kNegative: return arguments[0].IsScalar();
    case Kind::kBinary: return arguments[0].IsScalar() && arguments[1].IsScalar();
    case Kind::kString:
    case Kind::kSelector:
    case Kind::kAggregate:
    case Kind::kSubquery: return false;
  }
  return false;
}

Result<PromQl> ParsePromQl(std::string_view text) {
  if (text.size() > kMaxPromQlBytes) {
    return InvalidArgument("1:1: parse error: the query has " + std::to_string(text.size()) +
                           " bytes, at most " + std::to_string(kMaxPromQlBytes) + " are allowed");
  }
  return Parser(text).Parse();
}

std::vector<const PromQl*> SelectorsOf(const PromQl& expression) {
  std::vector<const PromQl*> found;
  Walk(expression, [&](const PromQl& part) {
    if (part.kind == Kind::kSelector) found.push_back(&part);
  });
  return found;
}

std::vector<std::string> GroupedLabelsOf(const PromQl& expression) {
  std::vector<std::string> labels;
  Walk(expression, [&](const PromQl& part) {
    if (part.kind != Kind::kAggregate || part.without) return;
    labels.insert(labels.end(), part.labels.begin(), part.labels.end());
  });
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

}  // namespace throughline::api::query
