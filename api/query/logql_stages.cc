#include "api/query/logql_stages.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace throughline::api::query {
namespace {

using Token = LogQlToken;
using Op = Matcher::Op;

constexpr std::string_view kStages =
    "|= != |~ !~, json, logfmt, regexp, pattern, line_format, label_format, drop, keep, "
    "decolorize, "
    "label filters";

bool IsFilter(const Token& token) {
  return token.Is("|=") || token.Is("!=") || token.Is("|~") || token.Is("!~") || token.Is("|>") ||
         token.Is("!>");
}

}  // namespace

Error StageParser::Unexpected(std::string_view wanted) const {
  std::string message = "syntax error: unexpected " + token_.Name();
  if (!wanted.empty()) message.append(", expecting ").append(wanted);
  return Wrong(message);
}

Error StageParser::Unsupported(std::string_view what, std::string_view supported) const {
  Error error = Wrong({});
  // "parse error at line 1, col 12: " without its beginning and its end.
  constexpr std::size_t kBegin = std::string_view("parse error ").size();
  const std::string where = error.message.substr(kBegin, error.message.size() - kBegin - 2);
  error.message = "unsupported by Throughline: " + std::string(what) + " " + where +
                  " (supported: " + std::string(supported) + ")";
  return error;
}

Result<void> StageParser::Advance() {
  TL_TRY_ASSIGN(token_, lexer_.Next());
  return {};
}

Result<void> StageParser::Want(std::string_view symbol) {
  if (!token_.Is(symbol)) return Unexpected(symbol);
  return Advance();
}

Result<void> StageParser::Deeper() {
  if (++depth_ > kMaxLogQlDepth) {
    return Wrong("syntax error: more than " + std::to_string(kMaxLogQlDepth) + " levels");
  }
  return {};
}

Result<void> StageParser::CountPart() {
  if (++parts_ > kMaxLogQlParts) {
    return Wrong("syntax error: more than " + std::to_string(kMaxLogQlParts) +
                 " matchers, stages and operators");
  }
  return {};
}

Result<void> StageParser::Selection(LogSelection& selection) {
  TL_TRY(Selector(selection));
  return Stages(selection);
}

Result<void> StageParser::Selector(LogSelection& selection) {
  TL_TRY(Want("{"));
  while (!token_.Is("}")) {
    TL_TRY_ASSIGN(LabelMatch match, OneMatcher());
    selection.stream.push_back(std::move(match));
    if (!token_.Is("}")) TL_TRY(Want(","));
  }
  return Advance();
}

Result<std::string> StageParser::Text() {
  if (token_.kind != Token::Kind::kString) return Unexpected("STRING");
  std::string text = std::move(token_.value);
  TL_TRY(Advance());
  return text;
}

Result<LabelMatch> StageParser::OneMatcher() {
  TL_TRY(CountPart());
  if (token_.kind != Token::Kind::kName) return Unexpected("IDENTIFIER or }");
  LabelMatch out;
  out.matcher.key = token_.text;
  TL_TRY(Advance());
  if (token_.Is("!=")) {
    out.matcher.op = Op::kNotEqual;
  } else if (token_.Is("=~")) {
    out.matcher.op = Op::kRegex;
  } else if (token_.Is("!~")) {
    out.matcher.op = Op::kNotRegex;
  } else if (!token_.Is("=")) {
    return Unexpected("= or != or =~ or !~");
  }
  TL_TRY(Advance());
  const Token at = token_;
  TL_TRY_ASSIGN(out.matcher.value, Text());
  auto match = TextMatch::Compile(out.matcher.op, out.matcher.value);
  if (!match) return lexer_.Wrong(at.at, match.error().message);
  out.match = *std::move(match);
  return out;
}

Result<void> StageParser::Stages(LogSelection& selection, std::optional<Unwrap>* unwrap) {
  while (token_.Is("|") || IsFilter(token_)) {
    TL_TRY(CountPart());
    const bool is_filter = IsFilter(token_);
    if (!is_filter) TL_TRY(Advance());
    if (!is_filter && unwrap != nullptr && token_.IsWord("unwrap")) {
      TL_TRY_ASSIGN(*unwrap, UnwrapStage());
      return {};
    }
    TL_TRY_ASSIGN(LogStage stage, is_filter ? LineFilter() : PipeStage());
    selection.stages.push_back(std::move(stage));
  }
  return {};
}

Result<LogStage> StageParser::LineFilter() {
  LogStage stage;
  stage.kind = LogStage::Kind::kLineFilter;
  if (token_.Is("|>") || token_.Is("!>")) return Unsupported(token_.text, "|= != |~ !~");
  stage.op = token_.Is("|=")   ? Op::kEqual
             : token_.Is("!=") ? Op::kNotEqual
             : token_.Is("|~") ? Op::kRegex
                               : Op::kNotRegex;
  const bool is_regex = stage.op == Op::kRegex || stage.op == Op::kNotRegex;
  do {
    TL_TRY(CountPart());
    TL_TRY(Advance());
    if (token_.IsWord("ip")) return Unsupported("ip()", "texts and regular expressions");
    const Token at = token_;
    TL_TRY_ASSIGN(std::string text, Text());
    auto match = TextMatch::Compile(is_regex ? Op::kRegex : Op::kEqual, text, TextMatch::Of::kPart);
    if (!match) return lexer_.Wrong(at.at, match.error().message);
    stage.texts.push_back(std::move(text));
    stage.matches.push_back(*std::move(match));
  } while (token_.IsWordOfAnyCase("or"));
  return stage;
}

Result<LogStage> StageParser::PipeStage() {
  using Kind = LogStage::Kind;
  LogStage stage;
  // A label may be called like a stage: what follows tells.
  const Token word = token_;
  if (word.kind != Token::Kind::kName && !word.Is("(")) {
    return Unexpected("a stage or a label filter");
  }
  if (word.IsWord("json")) return Parser(Kind::kJson);
  if (word.IsWord("logfmt")) return Parser(Kind::kLogfmt);
  if (word.IsWord("regexp") || word.IsWord("pattern")) return RegexpStage();
  if (word.IsWord("label_format")) return LabelFormat();
  if (word.IsWord("drop")) return DropOrKeep(Kind::kDrop);
  if (word.IsWord("keep")) return DropOrKeep(Kind::kKeep);
  if (word.IsWord("decolorize")) {
    stage.kind = Kind::kDecolorize;
    TL_TRY(Advance());
    return stage;
  }
  if (word.IsWord("line_format")) {
    stage.kind = Kind::kLineFormat;
    TL_TRY(Advance());
    TL_TRY_ASSIGN(Template text, TemplateText());
    stage.formats.push_back({.label = {}, .text = std::move(text), .renames = {}});
    return stage;
  }
  if (word.IsWord("unwrap")) {
    return Unsupported("unwrap outside of a function over time",
                       "sum_over_time({...} | json | unwrap x [5m])");
  }
  for (const std::string_view other : {"unpack", "distinct"}) {
    if (word.IsWord(other)) return Unsupported(other, kStages);
  }
  stage.kind = Kind::kCondition;
  TL_TRY_ASSIGN(stage.condition, Condition());
  return stage;
}

// unwrap x, unwrap duration(x), unwrap bytes(x), and label filters behind it.
Result<Unwrap> StageParser::UnwrapStage() {
  using Unit = LabelCondition::Unit;
  Unwrap unwrap;
  TL_TRY(Advance());
  if (token_.kind != Token::Kind::kName) return Unexpected("IDENTIFIER");
  const Token word = token_;
  TL_TRY(Advance());
  if (token_.Is("(")) {
    const bool is_duration = word.IsWord("duration") || word.IsWord("duration_seconds");
    if (!is_duration && !word.IsWord("bytes")) {
      return lexer_.Wrong(word.at,
                          "syntax error: unexpected IDENTIFIER, expecting duration, "
                          "duration_seconds or bytes");
    }
    unwrap.unit = is_duration ? Unit::kSeconds : Unit::kBytes;
    TL_TRY(Advance());
    if (token_.kind != Token::Kind::kName) return Unexpected("IDENTIFIER");
    unwrap.label = token_.text;
    TL_TRY(Advance());
    TL_TRY(Want(")"));
  } else {
    unwrap.label = word.text;
  }
  while (token_.Is("|")) {
    TL_TRY(CountPart());
    TL_TRY(Advance());
    TL_TRY_ASSIGN(LabelCondition condition, Condition());
    unwrap.conditions.push_back(std::move(condition));
  }
  return unwrap;
}

// json, logfmt [--strict] [--keep-empty], each with what they take out: a="b.c", d
Result<LogStage> StageParser::Parser(LogStage::Kind kind) {
  LogStage stage;
  stage.kind = kind;
  TL_TRY(Advance());
  while (kind == LogStage::Kind::kLogfmt && token_.Is("--")) {
    TL_TRY(Advance());
    std::string flag;
    while (token_.kind == Token::Kind::kName || token_.Is("-")) {
      flag += token_.text;
      TL_TRY(Advance());
      if (flag == "strict" || flag == "keep-empty") break;
    }
    if (flag == "strict") return Unsupported("logfmt --strict", "logfmt, logfmt --keep-empty");
    if (flag != "keep-empty") return Unexpected("--keep-empty");
    stage.keep_empty = true;
  }
  while (token_.kind == Token::Kind::kName) {
    TL_TRY(CountPart());
    Extraction out{.label = std::string(token_.text), .path = std::string(token_.text)};
    TL_TRY(Advance());
    if (token_.Is("=")) {
      TL_TRY(Advance());
      TL_TRY_ASSIGN(out.path, Text());
    }
    stage.extractions.push_back(std::move(out));
    if (!token_.Is(",")) break;
    TL_TRY(Advance());
    if (token_.kind != Token::Kind::kName) return Unexpected("IDENTIFIER");
  }
  return stage;
}

Result<LogStage> StageParser::RegexpStage() {
  LogStage stage;
  const bool is_pattern = token_.IsWord("pattern");
  TL_TRY(Advance());
  const Token at = token_;
  TL_TRY_ASSIGN(const std::string text, Text());
  if (is_pattern) {
    stage.kind = LogStage::Kind::kPattern;
    auto pattern = ParseLinePattern(text);
    if (!pattern) return lexer_.Wrong(at.at, pattern.error().message);
    stage.pattern = *std::move(pattern);
    return stage;
  }
  stage.kind = LogStage::Kind::kRegexp;
  auto regex = CompileRegex(text);
  if (!regex) return lexer_.Wrong(at.at, regex.error().message);
  stage.regex = *std::move(regex);
  if (stage.regex->NamedCapturingGroups().empty()) {
    return lexer_.Wrong(at.at, "at least one named capture must be supplied");
  }
  return stage;
}

Result<Template> StageParser::TemplateText() {
  const Token at = token_;
  TL_TRY_ASSIGN(const std::string text, Text());
  auto out = ParseTemplate(text);
  if (out) return out;
  constexpr std::string_view kUnsupported = "unsupported by Throughline";
  if (out.error().message.starts_with(kUnsupported)) return out;
  return lexer_.Wrong(at.at, out.error().message);
}

// a=b renames, a=`...` renders.
Result<LogStage> StageParser::LabelFormat() {
  LogStage stage;
  stage.kind = LogStage::Kind::kLabelFormat;
  do {
    TL_TRY(CountPart());
    TL_TRY(Advance());
    if (token_.kind != Token::Kind::kName) return Unexpected("IDENTIFIER");
    LogStage::Format format;
    format.label = token_.text;
    TL_TRY(Advance());
    TL_TRY(Want("="));
    if (token_.kind == Token::Kind::kName) {
      format.renames = token_.text;
      TL_TRY(Advance());
    } else {
      TL_TRY_ASSIGN(format.text, TemplateText());
    }
    stage.formats.push_back(std::move(format));
  } while (token_.Is(","));
  return stage;
}

Result<LogStage> StageParser::DropOrKeep(LogStage::Kind kind) {
  LogStage stage;
  stage.kind = kind;
  do {
    TL_TRY(CountPart());
    TL_TRY(Advance());
    if (token_.kind != Token::Kind::kName) return Unexpected("IDENTIFIER");
    LogStage::Dropped dropped;
    dropped.label = token_.text;
    TL_TRY(Advance());
    const Op op = token_.Is("!=")   ? Op::kNotEqual
                  : token_.Is("=~") ? Op::kRegex
                  : token_.Is("!~") ? Op::kNotRegex
                                    : Op::kEqual;
    if (token_.Is("=") || op != Op::kEqual) {
      TL_TRY(Advance());
      const Token at = token_;
      TL_TRY_ASSIGN(std::string text, Text());
      auto match = TextMatch::Compile(op, std::move(text));
      if (!match) return lexer_.Wrong(at.at, match.error().message);
      dropped.only = *std::move(match);
    }
    stage.dropped.push_back(std::move(dropped));
  } while (token_.Is(","));
  return stage;
}

}  // namespace throughline::api::query
