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

// "and" and "or" are of any case: Grafana writes both.
bool IsWordOfAnyCase(const Token& token, std::string_view word) {
  const auto same = [](char a, char b) { return (a | 0x20) == b; };
  return token.kind == Token::Kind::kName &&
         std::equal(token.text.begin(), token.text.end(), word.begin(), word.end(), same);
}

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

Result<void> StageParser::Stages(LogSelection& selection) {
  while (token_.Is("|") || IsFilter(token_)) {
    TL_TRY(CountPart());
    const bool is_filter = IsFilter(token_);
    if (!is_filter) TL_TRY(Advance());
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
  } while (IsWordOfAnyCase(token_, "or"));
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
  for (const std::string_view other : {"unpack", "unwrap", "distinct"}) {
    if (word.IsWord(other)) return Unsupported(other, kStages);
  }
  stage.kind = Kind::kCondition;
  TL_TRY_ASSIGN(stage.condition, Condition());
  return stage;
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

Result<LabelCondition> StageParser::Condition() {
  TL_TRY(Deeper());
  TL_TRY_ASSIGN(LabelCondition left, AndCondition());
  while (IsWordOfAnyCase(token_, "or")) {
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
    const bool is_word = IsWordOfAnyCase(token_, "and");
    if (is_word || token_.Is(",")) {
      TL_TRY(Advance());
    } else if (token_.kind != Token::Kind::kName || IsWordOfAnyCase(token_, "or") ||
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
