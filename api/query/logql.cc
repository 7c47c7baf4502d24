#include "api/query/logql.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/query/logql_stages.h"

namespace throughline::api::query {
namespace {

using Kind = LogQl::Kind;
using Token = LogQlToken;

// Of lines; rate is of numbers, too, where there is an unwrap.
constexpr std::array<std::string_view, 4> kLineFunctions = {"count_over_time", "rate",
                                                            "bytes_over_time", "bytes_rate"};
// Of the numbers that unwrap takes out.
constexpr std::array<std::string_view, 9> kNumberFunctions = {
    "sum_over_time",    "avg_over_time",    "max_over_time",
    "min_over_time",    "first_over_time",  "last_over_time",
    "stdvar_over_time", "stddev_over_time", "quantile_over_time"};
constexpr std::array<std::string_view, 9> kAggregations = {
    "sum", "count", "min", "max", "avg", "stddev", "stdvar", "topk", "bottomk"};
// Words of LogQL that are known by name only.
constexpr std::array<std::string_view, 7> kUnsupported = {
    "absent_over_time", "rate_counter", "sort",        "sort_desc",
    "label_replace",    "approx_topk",  "count_values"};
constexpr std::string_view kSupported =
    "count_over_time, rate, bytes_over_time, bytes_rate, sum_over_time, avg_over_time, "
    "max_over_time, min_over_time, first_over_time, last_over_time, stdvar_over_time, "
    "stddev_over_time, quantile_over_time, sum, count, min, max, avg, stddev, stdvar, topk, "
    "bottomk, vector";
constexpr double kMostTop = 1e6;

struct Operator {
  std::string_view text;
  int binds;
};
constexpr Operator kOperators[] = {{"==", 1}, {"!=", 1}, {">=", 1}, {"<=", 1}, {">", 1}, {"<", 1},
                                   {"+", 2},  {"-", 2},  {"*", 3},  {"/", 3},  {"%", 3}, {"^", 4}};
constexpr int kBindsOfComparison = 1;

bool IsOneOf(const auto& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class Parser : private StageParser {
 public:
  explicit Parser(std::string_view text) : StageParser(text) {}

  Result<LogQl> Query() {
    TL_TRY(Advance());
    TL_TRY_ASSIGN(LogQl query, Expression(0));
    if (token_.kind != Token::Kind::kEnd) return Unexpected();
    return query;
  }

  Result<LogSelection> SelectorAlone() {
    TL_TRY(Advance());
    LogSelection selection;
    TL_TRY(Selector(selection));
    if (token_.kind != Token::Kind::kEnd) return Unexpected();
    return selection;
  }

 private:
  const Operator* BinaryOperator() const {
    const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                     [&](const Operator& op) { return token_.Is(op.text); });
    return found == std::end(kOperators) ? nullptr : found;
  }

  Result<LogQl> Expression(int binds) {
    TL_TRY(Deeper());
    TL_TRY_ASSIGN(LogQl left, Primary());
    for (const Operator* op = BinaryOperator(); op != nullptr && op->binds > binds;
         op = BinaryOperator()) {
      const Token at = token_;
      TL_TRY(CountPart());
      TL_TRY(Advance());
      const bool as_bool = token_.IsWord("bool");
      if (as_bool && op->binds != kBindsOfComparison) return Unexpected();
      if (as_bool) TL_TRY(Advance());
      for (const std::string_view word : {"on", "ignoring", "group_left", "group_right"}) {
        if (token_.IsWord(word)) return Unsupported(word, "operators on equal label sets");
      }
      TL_TRY_ASSIGN(LogQl right, Expression(op->text == "^" ? op->binds - 1 : op->binds));
      if (!left.IsMetric() || !right.IsMetric()) {
        return lexer_.Wrong(
            at.at, "syntax error: unexpected " + at.Name() + ", want metrics on both sides");
      }
      LogQl binary;
      binary.kind = Kind::kBinary;
      binary.text = op->text;
      binary.as_bool = as_bool;
      binary.arguments.push_back(std::move(left));
      binary.arguments.push_back(std::move(right));
      left = std::move(binary);
    }
    for (const std::string_view word : {"and", "or", "unless"}) {
      if (left.IsMetric() && token_.IsWordOfAnyCase(word)) {
        return Unsupported(word, "+ - * / % ^ == != > >= < <=");
      }
    }
    --depth_;
    return left;
  }

  Result<LogQl> Primary() {
    LogQl out;
    if (token_.Is("{")) {
      TL_TRY(Selection(out.selection));
      return out;
    }
    if (token_.Is("(")) {
      TL_TRY(Advance());
      TL_TRY_ASSIGN(out, Expression(0));
      TL_TRY(Want(")"));
      // ({...}) | json
      if (!out.IsMetric()) TL_TRY(Stages(out.selection));
      return out;
    }
    if (token_.kind == Token::Kind::kNumber || token_.Is("-") || token_.Is("+")) {
      out.kind = Kind::kNumber;
      TL_TRY_ASSIGN(out.number, SignedNumber());
      return out;
    }
    if (token_.kind != Token::Kind::kName) return Unexpected();
    if (IsOneOf(kLineFunctions, token_.text) || IsOneOf(kNumberFunctions, token_.text)) {
      return RangeFunction();
    }
    if (IsOneOf(kAggregations, token_.text)) return Aggregation();
    if (token_.IsWord("vector")) {
      out.kind = Kind::kVector;
      TL_TRY(Advance());
      TL_TRY(Want("("));
      TL_TRY_ASSIGN(out.number, SignedNumber());
      TL_TRY(Want(")"));
      return out;
    }
    if (IsOneOf(kUnsupported, token_.text)) return Unsupported(token_.text, kSupported);
    return Unexpected();
  }

  Result<double> SignedNumber() {
    const bool negative = token_.Is("-");
    if (negative || token_.Is("+")) TL_TRY(Advance());
    if (token_.kind != Token::Kind::kNumber) return Unexpected("NUMBER");
    const double number = negative ? -token_.number : token_.number;
    TL_TRY(Advance());
    return number;
  }

  // count_over_time({...} | ... [5m] offset 1h), where the range may also stand behind the
  // selector; quantile_over_time(0.9, ...).
  Result<LogQl> RangeFunction() {
    const Token function = token_;
    LogQl range;
    range.kind = Kind::kRange;
    range.text = token_.text;
    TL_TRY(Advance());
    TL_TRY_ASSIGN(const bool before, Grouping(range));
    TL_TRY(Want("("));
    if (function.text == "quantile_over_time") {
      TL_TRY_ASSIGN(range.number, SignedNumber());
      TL_TRY(Want(","));
    }
    const bool parenthesized = token_.Is("(");
    if (parenthesized) TL_TRY(Advance());
    TL_TRY(Selector(range.selection));
    if (token_.Is("[")) {
      TL_TRY(RangeOf(range));
      TL_TRY(Stages(range.selection, &range.unwrap));
    } else {
      TL_TRY(Stages(range.selection, &range.unwrap));
      if (parenthesized) TL_TRY(Want(")"));
      TL_TRY(RangeOf(range));
    }
    TL_TRY(Want(")"));
    const bool of_numbers = IsOneOf(kNumberFunctions, function.text);
    if (range.unwrap.has_value() != of_numbers && (of_numbers || function.text != "rate")) {
      return lexer_.Wrong(function.at, "invalid aggregation " + range.text +
                                           (of_numbers ? " without unwrap" : " with unwrap"));
    }
    if (!before) {
      TL_TRY(Grouping(range));
    }
    return range;
  }

  Result<void> RangeOf(LogQl& range) {
    TL_TRY(Want("["));
    TL_TRY_ASSIGN(range.range_ns, Duration());
    if (range.range_ns == 0) return Wrong("syntax error: a range of no time");
    TL_TRY(Want("]"));
    if (!token_.IsWord("offset")) return {};
    TL_TRY(Advance());
    if (token_.Is("-")) return Unsupported("a negative offset", "offset 5m");
    TL_TRY_ASSIGN(range.offset_ns, Duration());
    return {};
  }

  Result<std::uint64_t> Duration() {
    constexpr double kMostSeconds = 1e9;
    if (token_.kind != Token::Kind::kDuration) return Unexpected("DURATION");
    if (token_.number > kMostSeconds) return Wrong("syntax error: a duration of over 30 years");
    const auto duration = static_cast<std::uint64_t>(token_.number * 1e9 + 0.5);
    TL_TRY(Advance());
    return duration;
  }

  Result<LogQl> Aggregation() {
    LogQl aggregate;
    aggregate.kind = Kind::kAggregate;
    aggregate.text = token_.text;
    TL_TRY(Advance());
    TL_TRY_ASSIGN(const bool before, Grouping(aggregate));
    TL_TRY(Want("("));
    if (aggregate.text == "topk" || aggregate.text == "bottomk") {
      const Token count = token_;
      TL_TRY_ASSIGN(aggregate.number, SignedNumber());
      if (!(aggregate.number >= 1 && aggregate.number <= kMostTop)) {
        return lexer_.Wrong(count.at,
                            "invalid parameter (must be greater than 0) " + aggregate.text);
      }
      TL_TRY(Want(","));
    }
    const Token at = token_;
    TL_TRY_ASSIGN(LogQl of, Expression(0));
    if (!of.IsMetric() || of.kind == Kind::kNumber) {
      return lexer_.Wrong(at.at, "syntax error: unexpected " + at.Name() + ", want a metric");
    }
    aggregate.arguments.push_back(std::move(of));
    TL_TRY(Want(")"));
    if (!before) {
      TL_TRY(Grouping(aggregate));
    }
    return aggregate;
  }

  // False: there is none.
  Result<bool> Grouping(LogQl& aggregate) {
    if (!token_.IsWord("by") && !token_.IsWord("without")) return false;
    aggregate.grouped = true;
    aggregate.without = token_.IsWord("without");
    TL_TRY(Advance());
    TL_TRY(Want("("));
    while (!token_.Is(")")) {
      if (token_.kind != Token::Kind::kName) return Unexpected("IDENTIFIER");
      TL_TRY(CountPart());
      aggregate.labels.emplace_back(token_.text);
      TL_TRY(Advance());
      if (!token_.Is(")")) TL_TRY(Want(","));
    }
    TL_TRY(Advance());
    return true;
  }
};

Error TooLong(std::string_view text) {
  return InvalidArgument("parse error at line 1, col 1: the query has " +
                         std::to_string(text.size()) + " bytes, at most " +
                         std::to_string(kMaxLogQlBytes) + " are allowed");
}

}  // namespace

Result<LogQl> ParseLogQl(std::string_view text) {
  if (text.size() > kMaxLogQlBytes) return TooLong(text);
  return Parser(text).Query();
}

Result<LogSelection> ParseLogSelector(std::string_view text) {
  if (text.size() > kMaxLogQlBytes) return TooLong(text);
  return Parser(text).SelectorAlone();
}

}  // namespace throughline::api::query
