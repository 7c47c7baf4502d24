#include <re2/re2.h>

#include <utility>

#include "api/query/traceql_names.h"
#include "api/query/traceql_parser.h"

namespace throughline::api::query::traceql {
namespace {

constexpr std::size_t kQuotedBytes = 40;  // Of a token that an error names.

struct Infix {
  Op op;
  int level;  // What binds closer has a higher one.
};

std::optional<Infix> InfixOf(std::string_view symbol) {
  const auto index = IndexOf(kOpSymbols, symbol);
  if (!index || *index >= static_cast<std::size_t>(Op::kNot)) return std::nullopt;
  const auto op = static_cast<Op>(*index);
  if (op <= Op::kOr) return Infix{op, 1};  // Both, as in Tempo.
  if (IsComparison(op)) return Infix{op, 2};
  if (op <= Op::kSubtract) return Infix{op, 3};
  return Infix{op, op == Op::kPower ? 5 : 4};
}

// Ends one level of depth on every way out.
class Level {
 public:
  explicit Level(ExprParser& parser) : parser_(parser) {}
  ~Level() { parser_.Leave(); }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  ExprParser& parser_;
};

std::unique_ptr<Expr> ConstantExpr(Constant constant) {
  auto expr = std::make_unique<Expr>();
  expr->constant = std::move(constant);
  return expr;
}

std::optional<Constant> WordConstant(std::string_view word) {
  Constant constant;
  if (word == "nil") return constant;
  if (word == "true" || word == "false") {
    constant.type = Type::kBool;
    constant.integer = word == "true" ? 1 : 0;
    return constant;
  }
  if (const auto status = IndexOf(kStatusWords, word)) {
    constant.type = Type::kStatus;
    constant.integer = static_cast<std::int64_t>(*status);
    return constant;
  }
  if (const auto kind = IndexOf(kKindWords, word)) {
    constant.type = Type::kKind;
    constant.integer = static_cast<std::int64_t>(*kind);
    return constant;
  }
  return std::nullopt;
}

}  // namespace

bool ExprParser::TakeSymbol(std::string_view symbol) {
  if (!IsSymbol(symbol)) return false;
  Advance();
  return true;
}

Result<void> ExprParser::WantSymbol(std::string_view symbol) {
  if (TakeSymbol(symbol)) return {};
  return Unexpected(symbol);
}

Error ExprParser::Unexpected(std::string_view want) const {
  const Token& token = Peek();
  std::string what = "unexpected ";
  if (token.kind == Token::Kind::kEnd) {
    what += "end of the query";
  } else {
    what += token.text.substr(0, kQuotedBytes);
  }
  what += ", want ";
  what += want;
  return Wrong(token, what);
}

Result<void> ExprParser::Count() {
  if (++nodes_ <= kMaxNodes) return {};
  return Wrong(Peek(), "the query has more than " + std::to_string(kMaxNodes) + " parts");
}

Result<void> ExprParser::Enter() {
  if (++depth_ <= kMaxDepth) return {};
  --depth_;
  return Wrong(Peek(), "more than " + std::to_string(kMaxDepth) + " levels");
}

Result<std::unique_ptr<Expr>> ExprParser::Expression() { return Binary(1); }

Result<std::unique_ptr<Expr>> ExprParser::Binary(int least) {
  TL_TRY(Enter());
  const Level level(*this);
  TL_TRY_ASSIGN(std::unique_ptr<Expr> left, Unary());
  // A chain grows to the left: those who walk the tree go as deep as kMaxNodes at most.
  while (Peek().kind == Token::Kind::kSymbol) {
    const auto infix = InfixOf(Peek().text);
    if (!infix || infix->level < least) break;
    Advance();
    const bool to_the_right = infix->op == Op::kPower;
    TL_TRY(Count());
    auto expr = std::make_unique<Expr>();
    expr->kind = Expr::Kind::kBinary;
    expr->op = infix->op;
    expr->left = std::move(left);
    const Token& operand = Peek();
    TL_TRY_ASSIGN(expr->right, Binary(to_the_right ? infix->level : infix->level + 1));
    if (expr->op == Op::kRegex || expr->op == Op::kNotRegex) TL_TRY(CompileRegex(operand, *expr));
    left = std::move(expr);
  }
  return left;
}

Result<void> ExprParser::CompileRegex(const Token& token, Expr& expr) {
  const Expr& right = *expr.right;
  if (right.kind != Expr::Kind::kConstant || right.constant.type != Type::kString) {
    return Wrong(token, "a regular expression must be a string");
  }
  if (right.constant.text.size() > kMaxRegexBytes) {
    return Wrong(
        token, "the regular expression has more than " + std::to_string(kMaxRegexBytes) + " bytes");
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryBytes);
  auto regex = std::make_shared<re2::RE2>(right.constant.text, options);
  if (!regex->ok()) return Wrong(token, "bad regular expression: " + regex->error());
  expr.regex = std::move(regex);
  return {};
}

Result<std::unique_ptr<Expr>> ExprParser::Unary() {
  if (!IsSymbol("!") && !IsSymbol("-")) return Primary();
  TL_TRY(Enter());
  const Level level(*this);
  TL_TRY(Count());
  const Op op = IsSymbol("!") ? Op::kNot : Op::kNegate;
  Advance();
  TL_TRY_ASSIGN(std::unique_ptr<Expr> operand, Unary());
  if (op == Op::kNegate && operand->kind == Expr::Kind::kConstant) {
    Constant& constant = operand->constant;
    if (constant.type == Type::kInt || constant.type == Type::kDuration ||
        constant.type == Type::kFloat) {
      constant.integer = -constant.integer;
      constant.number = -constant.number;
      return operand;
    }
  }
  auto expr = std::make_unique<Expr>();
  expr->kind = Expr::Kind::kUnary;
  expr->op = op;
  expr->left = std::move(operand);
  return expr;
}

Result<std::unique_ptr<Expr>> ExprParser::Primary() {
  TL_TRY(Count());
  if (TakeSymbol("(")) {
    TL_TRY_ASSIGN(std::unique_ptr<Expr> inside, Expression());
    TL_TRY(WantSymbol(")"));
    return inside;
  }
  const Token& token = Peek();
  if (token.kind == Token::Kind::kConstant) {
    Advance();
    return ConstantExpr(token.constant);
  }
  if (token.kind == Token::Kind::kWord) {
    if (auto constant = WordConstant(token.text)) {
      Advance();
      return ConstantExpr(*std::move(constant));
    }
  }
  if (token.kind != Token::Kind::kWord && token.kind != Token::Kind::kField) {
    return Unexpected("an attribute, an intrinsic or a value");
  }
  auto expr = std::make_unique<Expr>();
  expr->kind = Expr::Kind::kField;
  TL_TRY_ASSIGN(expr->field, OneField());
  return expr;
}

Result<Field> ExprParser::OneField() {
  const Token& token = Peek();
  Field field;
  if (token.kind == Token::Kind::kField) {
    field = token.field;
  } else if (token.kind == Token::Kind::kWord) {
    const auto intrinsic = IntrinsicNamed(token.text);
    if (!intrinsic) {
      return Wrong(token, "unknown identifier " + std::string(token.text.substr(0, kQuotedBytes)) +
                              "; attributes begin with a scope (span. resource. event. link. "
                              "instrumentation.) or a dot");
    }
    field.intrinsic = *intrinsic;
    field.text = std::string(token.text);
  } else {
    return Unexpected("an attribute or an intrinsic");
  }
  Advance();
  return field;
}

Result<Constant> ExprParser::OneConstant() {
  const Token& token = Peek();
  TL_TRY_ASSIGN(const std::unique_ptr<Expr> expr, Unary());
  if (expr->kind == Expr::Kind::kConstant) return std::move(expr->constant);
  return Wrong(token, "want a value");
}

}  // namespace throughline::api::query::traceql
