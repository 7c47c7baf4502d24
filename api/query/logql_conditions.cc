// The label filters of a pipeline: `level="error" and (status >= 500 or took > 1s)`.
#include <algorithm>
#include <array>
#include <utility>

#include "api/query/logql_stages.h"

namespace throughline::api::query {
namespace {

using Token = LogQlToken;
using Op = Matcher::Op;

// `both` of one kind in one level: a or b or c.
LabelCondition Joined(LabelCondition::Kind kind, LabelCondition left, LabelCondition right) {
  if (left.kind != kind) {
    LabelCondition joined;
    joined.kind = kind;
    joined.both.push_back(std::move(left));
    left = std::move(joined);
  }
  left.both.push_back(std::move(right));
  return left;
}

}  // namespace

Result<LabelCondition> StageParser::Condition() {
  TL_TRY(Deeper());
  TL_TRY_ASSIGN(LabelCondition left, AndCondition());
  while (token_.IsWordOfAnyCase("or")) {
    TL_TRY(Advance());
    TL_TRY_ASSIGN(LabelCondition right, AndCondition());
    left = Joined(LabelCondition::Kind::kOr, std::move(left), std::move(right));
  }
  --depth_;
  return left;
}

// Beside the word, a comma is an `and`, and so is nothing at all.
Result<LabelCondition> StageParser::AndCondition() {
  TL_TRY_ASSIGN(LabelCondition left, OneCondition());
  while (true) {
    const bool is_word = token_.IsWordOfAnyCase("and");
    if (is_word || token_.Is(",")) {
      TL_TRY(Advance());
    } else if (token_.kind != Token::Kind::kName || token_.IsWordOfAnyCase("or") ||
               token_.IsWord("offset")) {
      return left;
    }
    TL_TRY_ASSIGN(LabelCondition right, OneCondition());
    left = Joined(LabelCondition::Kind::kAnd, std::move(left), std::move(right));
  }
}

Result<LabelCondition> StageParser::OneCondition() {
  using Compare = LabelCondition::Compare;
  TL_TRY(CountPart());
  if (token_.Is("(")) {
    TL_TRY(Advance());
    TL_TRY_ASSIGN(LabelCondition inner, Condition());
    TL_TRY(Want(")"));
    return inner;
  }
  if (token_.kind != Token::Kind::kName) return Unexpected("IDENTIFIER");
  LabelCondition out;
  out.text.matcher.key = token_.text;
  TL_TRY(Advance());
  constexpr std::array<std::pair<std::string_view, Compare>, 7> kCompares = {
      {{"=", Compare::kEqual},
       {"==", Compare::kEqual},
       {"!=", Compare::kNotEqual},
       {"<", Compare::kLess},
       {"<=", Compare::kLessEqual},
       {">", Compare::kGreater},
       {">=", Compare::kGreaterEqual}}};
  const bool is_regex = token_.Is("=~") || token_.Is("!~");
  const auto* compare = std::find_if(kCompares.begin(), kCompares.end(),
                                     [&](const auto& known) { return token_.Is(known.first); });
  if (!is_regex && compare == kCompares.end()) {
    return Unexpected("= or == or != or =~ or !~ or > or >= or < or <=");
  }
  const Token op = token_;
  TL_TRY(Advance());
  if (token_.kind == Token::Kind::kString) {
    if (op.Is("=")) {
      out.text.matcher.op = Op::kEqual;
    } else if (op.Is("!=")) {
      out.text.matcher.op = Op::kNotEqual;
    } else if (is_regex) {
      out.text.matcher.op = op.Is("=~") ? Op::kRegex : Op::kNotRegex;
    } else {
      return Unexpected("NUMBER, DURATION or BYTES");
    }
    const Token at = token_;
    TL_TRY_ASSIGN(out.text.matcher.value, Text());
    auto match = TextMatch::Compile(out.text.matcher.op, out.text.matcher.value);
    if (!match) return lexer_.Wrong(at.at, match.error().message);
    out.text.match = *std::move(match);
    return out;
  }
  if (token_.IsWord("ip")) return Unsupported("ip()", "texts, numbers, durations and sizes");
  const bool negative = token_.Is("-");
  if (negative) TL_TRY(Advance());
  if (is_regex || (token_.kind != Token::Kind::kNumber && token_.kind != Token::Kind::kDuration &&
                   token_.kind != Token::Kind::kBytes)) {
    return Unexpected(is_regex ? "STRING" : "STRING, NUMBER, DURATION or BYTES");
  }
  out.kind = LabelCondition::Kind::kNumber;
  out.compare = compare->second;
  out.unit = token_.kind == Token::Kind::kDuration ? LabelCondition::Unit::kSeconds
             : token_.kind == Token::Kind::kBytes  ? LabelCondition::Unit::kBytes
                                                   : LabelCondition::Unit::kNone;
  out.number = negative ? -token_.number : token_.number;
  TL_TRY(Advance());
  return out;
}

}  // namespace throughline::api::query
