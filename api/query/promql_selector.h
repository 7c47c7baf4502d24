// The part of PromQL's parser that reads selectors and lists of labels.
//
// One per query; views the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/query/promql.h"
#include "api/query/promql_lexer.h"
#include "correlate/result.h"

namespace throughline::api::query {

class PromQlSelectorParser {
 protected:
  explicit PromQlSelectorParser(std::string_view text) : lexer_(text) {}

  Error Wrong(std::string_view message) const { return lexer_.Wrong(token_.at, message); }
  Error Unexpected(std::string_view where) const;
  Result<void> Advance();
  Result<const PromQlToken*> Ahead();
  // Advances over the symbol, if it is there.
  Result<bool> Take(std::string_view symbol);
  Result<void> Want(std::string_view symbol, std::string_view where);

  Result<PromQl> SelectorOf(std::string metric);  // metric{...}, {...}
  Result<std::vector<std::string>> LabelList();   // (a, b)

  PromQlLexer lexer_;
  PromQlToken token_;

 private:
  Result<void> OneMatcher(Selector& selector);
  Result<void> SetMetric(std::size_t at, std::string name, Selector& selector) const;

  std::optional<PromQlToken> ahead_;
  std::size_t selectors_ = 0;
  bool excludes_empty_ = false;  // A matcher of the selector at hand does not match "".
};

}  // namespace throughline::api::query
