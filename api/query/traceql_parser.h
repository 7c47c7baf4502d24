// The two halves of TraceQL's parser: fields and expressions, and what is built of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/query/traceql.h"
#include "api/query/traceql_lexer.h"

namespace throughline::api::query::traceql {

// Walks the tokens of one query and counts what it builds. Views the text.
class ExprParser {
 public:
  ExprParser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  // `expr` over && || and comparisons, as in braces.
  Result<std::unique_ptr<Expr>> Expression();
  Result<Field> OneField();
  // A constant, with a minus before it perhaps.
  Result<Constant> OneConstant();

  bool AtEnd() const { return Peek().kind == Token::Kind::kEnd; }
  const Token& Peek(std::size_t ahead = 0) const {
    const std::size_t at = at_ + ahead;
    return at < tokens_.size() ? tokens_[at] : tokens_.back();
  }
  bool IsSymbol(std::string_view symbol, std::size_t ahead = 0) const {
    return Peek(ahead).kind == Token::Kind::kSymbol && Peek(ahead).text == symbol;
  }
  bool IsWord(std::string_view word) const {
    return Peek().kind == Token::Kind::kWord && Peek().text == word;
  }
  bool TakeSymbol(std::string_view symbol);
  Result<void> WantSymbol(std::string_view symbol);
  void Advance() {
    if (!AtEnd()) ++at_;
  }
  // An error at the token that stands here; it is quoted.
  Error Unexpected(std::string_view want) const;
  Error Wrong(const Token& token, std::string_view what) const {
    return ParseErrorAt(text_, token.begin, what);
  }

  // One more node; one level more. Leave() ends a level.
  Result<void> Count();
  Result<void> Enter();
  void Leave() { --depth_; }

 private:
  Result<std::unique_ptr<Expr>> Binary(int least);
  Result<std::unique_ptr<Expr>> Unary();
  Result<std::unique_ptr<Expr>> Primary();
  Result<void> CompileRegex(const Token& token, Expr& expr);

  const std::string_view text_;
  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t nodes_ = 0;
  int depth_ = 0;
};

}  // namespace throughline::api::query::traceql
