// The part of LogQL's parser that reads selectors and the stages of a pipeline; label filters are
// in logql_conditions.cc.
//
// One per query; views the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "api/query/logql.h"
#include "api/query/logql_lexer.h"
#include "correlate/result.h"

namespace throughline::api::query {

class StageParser {
 protected:
  explicit StageParser(std::string_view text) : lexer_(text) {}

  Error Wrong(std::string_view message) const { return lexer_.Wrong(token_.at, message); }
  Error Unexpected(std::string_view wanted = {}) const;
  Error Unsupported(std::string_view what, std::string_view supported) const;
  Result<void> Advance();
  Result<void> Want(std::string_view symbol);
  // Bounds: each is called once for a level, or for a part.
  Result<void> Deeper();
  Result<void> CountPart();

  Result<void> Selection(LogSelection& selection);  // {...} | ... | ...
  Result<void> Selector(LogSelection& selection);   // {...}
  // | ... | ...; with `unwrap`, which ends them, where it may stand.
  Result<void> Stages(LogSelection& selection, std::optional<Unwrap>* unwrap = nullptr);

  LogQlLexer lexer_;
  LogQlToken token_;
  std::size_t depth_ = 0;

 private:
  Result<LabelMatch> OneMatcher();
  Result<std::string> Text();
  Result<LogStage> LineFilter();
  Result<LogStage> PipeStage();
  Result<Unwrap> UnwrapStage();
  Result<LogStage> Parser(LogStage::Kind kind);
  Result<LogStage> RegexpStage();
  Result<LogStage> LabelFormat();
  Result<LogStage> DropOrKeep(LogStage::Kind kind);
  Result<Template> TemplateText();
  Result<LabelCondition> Condition();
  Result<LabelCondition> AndCondition();
  Result<LabelCondition> OneCondition();

  std::size_t parts_ = 0;
};

}  // namespace throughline::api::query
