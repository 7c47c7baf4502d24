#include "api/loki/pipeline.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "api/loki/parse_line.h"
#include "api/query/logql_lexer.h"

namespace throughline::api::loki {
namespace {

using query::LabelCondition;
using query::LogStage;
using query::Template;

// What a parser found. A name that the line has already of its stream or its metadata is given the
// end _extracted; of two equal fields the first stays.
void AddParsed(std::string_view key, std::string_view value, LineLabels& labels) {
  std::string name = FieldLabel(key);
  const Label* const present = labels.Find(name);
  if (present != nullptr && present->kind == LabelKind::kParsed) return;
  if (present != nullptr && present->gives_way) return labels.Set(name, value, LabelKind::kParsed);
  if (present != nullptr) name += "_extracted";
  if (labels.Find(name) == nullptr) labels.Set(name, value, LabelKind::kParsed);
}

bool FilterKeeps(const LogStage& stage, std::string_view line) {
  const bool any = std::any_of(stage.matches.begin(), stage.matches.end(),
                               [&](const auto& match) { return match.Matches(line); });
  const bool negative = stage.op == Matcher::Op::kNotEqual || stage.op == Matcher::Op::kNotRegex;
  return any != negative;
}

bool Compares(LabelCondition::Compare compare, double left, double right) {
  using Compare = LabelCondition::Compare;
  switch (compare) {
    case Compare::kEqual: return left == right;
    case Compare::kNotEqual: return left != right;
    case Compare::kLess: return left < right;
    case Compare::kLessEqual: return left <= right;
    case Compare::kGreater: return left > right;
    case Compare::kGreaterEqual: return left >= right;
  }
  return false;
}

bool NumberHolds(const LabelCondition& condition, LineLabels& labels) {
  const Label* const label = labels.Find(condition.text.matcher.key);
  if (label == nullptr) return false;
  double number = 0;
  if (!ReadNumber(label->value, condition.unit, number)) {
    // Loki keeps what it cannot compare, and says so.
    SetError(labels, "LabelFilterErr", "cannot compare \"" + label->value + "\"");
    return true;
  }
  return Compares(condition.compare, number, condition.number);
}

std::string Rendered(const Template& text, const Entry& entry) {
  using Kind = Template::Part::Kind;
  std::string out;
  for (const Template::Part& part : text.parts) {
    const std::string_view value =
        part.label.empty() ? std::string_view(entry.line) : entry.labels.ValueOf(part.label);
    switch (part.kind) {
      case Kind::kText: out += part.text; break;
      case Kind::kLabel:
      case Kind::kLine: out += value; break;
      case Kind::kLineContains:
      case Kind::kLabelContains:
        out += value.find(part.text) == std::string_view::npos ? "false" : "true";
    }
  }
  return out;
}

void RunJson(const LogStage& stage, Entry& entry) {
  bool good = true;
  if (stage.extractions.empty()) {
    good = ParseJson(entry.line, [&](std::string_view key, std::string_view value) {
      AddParsed(key, value, entry.labels);
    });
  } else {
    std::string value;
    for (const query::Extraction& extraction : stage.extractions) {
      value.clear();
      // What is not there is empty.
      JsonAt(entry.line, extraction.path, value);
      AddParsed(extraction.label, value, entry.labels);
    }
    good = ParseJson(entry.line, [](std::string_view, std::string_view) {});
  }
  if (!good) SetError(entry.labels, "JSONParserErr", "the line is no JSON object");
}

void RunLogfmt(const LogStage& stage, Entry& entry) {
  std::vector<std::pair<std::string, std::string>> found;
  ParseLogfmt(entry.line, [&](std::string_view key, std::string_view value) {
    if (!value.empty() || stage.keep_empty) found.emplace_back(key, value);
  });
  if (stage.extractions.empty()) {
    for (const auto& [key, value] : found) AddParsed(key, value, entry.labels);
    return;
  }
  for (const query::Extraction& extraction : stage.extractions) {
    const auto field = std::find_if(found.begin(), found.end(), [&](const auto& pair) {
      return pair.first == extraction.path;
    });
    if (field != found.end()) AddParsed(extraction.label, field->second, entry.labels);
  }
}

void RunRegexp(const re2::RE2& regex, Entry& entry) {
  const auto groups = static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1;
  std::vector<re2::StringPiece> captured(groups);
  if (!regex.Match(entry.line, 0, entry.line.size(), re2::RE2::UNANCHORED, captured.data(),
                   static_cast<int>(groups))) {
    return;
  }
  for (const auto& [index, name] : regex.CapturingGroupNames()) {
    const re2::StringPiece piece = captured[static_cast<std::size_t>(index)];
    if (piece.data() != nullptr) AddParsed(name, {piece.data(), piece.size()}, entry.labels);
  }
}

void RunLabelFormat(const LogStage& stage, Entry& entry) {
  for (const LogStage::Format& format : stage.formats) {
    if (format.renames.empty()) {
      entry.labels.Set(format.label, Rendered(format.text, entry), LabelKind::kParsed);
    } else if (const Label* const from = entry.labels.Find(format.renames)) {
      const std::string value = from->value;
      entry.labels.Remove(format.renames);
      entry.labels.Set(format.label, value, LabelKind::kParsed);
    }
  }
}

bool IsNamed(const LogStage& stage, const Label& label) {
  return std::any_of(stage.dropped.begin(), stage.dropped.end(), [&](const auto& dropped) {
    return dropped.label == label.name && (!dropped.only || dropped.only->Matches(label.value));
  });
}

void RunDropOrKeep(const LogStage& stage, Entry& entry) {
  const bool keeps = stage.kind == LogStage::Kind::kKeep;
  std::erase_if(entry.labels.all(), [&](const Label& label) {
    const bool special = label.name.starts_with("__error");
    return IsNamed(stage, label) != keeps && !(keeps && special);
  });
}

// Without the escapes that colour a terminal.
void RunDecolorize(std::string& line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\x1b' || i + 1 == line.size() || line[i + 1] != '[') {
      out += line[i];
      continue;
    }
    const std::size_t end = line.find_first_not_of("0123456789;", i + 2);
    if (end == std::string::npos) break;
    i = end;
  }
  line = std::move(out);
}

}  // namespace

bool ReadNumber(std::string_view text, LabelCondition::Unit unit, double& number) {
  if (unit == LabelCondition::Unit::kSeconds) return query::ReadSeconds(text, number);
  if (unit == LabelCondition::Unit::kBytes) return query::ReadBytes(text, number);
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

void SetError(LineLabels& labels, std::string_view error, std::string_view details) {
  labels.Set(kErrorLabel, error, LabelKind::kParsed);
  labels.Set(kErrorDetailsLabel, details, LabelKind::kParsed);
}

bool Holds(const LabelCondition& condition, LineLabels& labels) {
  using Kind = LabelCondition::Kind;
  const auto holds = [&](const LabelCondition& part) { return Holds(part, labels); };
  switch (condition.kind) {
    case Kind::kAnd: return std::all_of(condition.both.begin(), condition.both.end(), holds);
    case Kind::kOr: return std::any_of(condition.both.begin(), condition.both.end(), holds);
    case Kind::kNumber: return NumberHolds(condition, labels);
    case Kind::kText:
      return condition.text.match.Matches(labels.ValueOf(condition.text.matcher.key));
  }
  return false;
}

Pipeline::Pipeline(const query::LogSelection& selection) : selection_(selection) {
  while (text_filters_ < selection.stages.size() &&
         selection.stages[text_filters_].kind == LogStage::Kind::kLineFilter) {
    ++text_filters_;
  }
}

bool Pipeline::StreamMatches(const LineLabels& stream) const {
  return std::all_of(selection_.stream.begin(), selection_.stream.end(), [&](const auto& match) {
    return match.match.Matches(stream.ValueOf(match.matcher.key));
  });
}

bool Pipeline::TextMatches(std::string_view line) const {
  return std::all_of(selection_.stages.begin(),
                     selection_.stages.begin() + static_cast<std::ptrdiff_t>(text_filters_),
                     [&](const LogStage& stage) { return FilterKeeps(stage, line); });
}

bool Pipeline::Run(Entry& entry) const {
  using Kind = LogStage::Kind;
  for (std::size_t i = text_filters_; i < selection_.stages.size(); ++i) {
    const LogStage& stage = selection_.stages[i];
    switch (stage.kind) {
      case Kind::kLineFilter:
        if (!FilterKeeps(stage, entry.line)) return false;
        break;
      case Kind::kCondition:
        if (!Holds(stage.condition, entry.labels)) return false;
        break;
      case Kind::kJson: RunJson(stage, entry); break;
      case Kind::kLogfmt: RunLogfmt(stage, entry); break;
      case Kind::kRegexp: RunRegexp(*stage.regex, entry); break;
      case Kind::kPattern:
        for (const auto& [label, value] : TakeOut(stage.pattern, entry.line)) {
          AddParsed(label, value, entry.labels);
        }
        break;
      case Kind::kLineFormat: entry.line = Rendered(stage.formats[0].text, entry); break;
      case Kind::kLabelFormat: RunLabelFormat(stage, entry); break;
      case Kind::kDrop:
      case Kind::kKeep: RunDropOrKeep(stage, entry); break;
      case Kind::kDecolorize: RunDecolorize(entry.line); break;
    }
  }
  return true;
}

}  // namespace throughline::api::loki
