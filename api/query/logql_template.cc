#include "api/query/logql_template.h"

#include <algorithm>

#include "api/query/blank.h"
#include "api/query/literal.h"

namespace throughline::api::query {
namespace {

constexpr std::string_view kKnown =
    " (supported: {{ .label }}, {{ __line__ }}, {{ contains \"text\" __line__ }})";

bool IsNamePart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void Trim(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  text = text.substr(0, text.find_last_not_of(kBlank) + 1);
}

// ".label" or "__line__"; false: neither.
bool ReadOperand(std::string_view text, bool contains, Template::Part& part) {
  using Kind = Template::Part::Kind;
  if (text == "__line__") {
    part.kind = contains ? Kind::kLineContains : Kind::kLine;
    return true;
  }
  if (text.size() < 2 || text.front() != '.') return false;
  text.remove_prefix(1);
  if (!std::all_of(text.begin(), text.end(), IsNamePart)) return false;
  part.kind = contains ? Kind::kLabelContains : Kind::kLabel;
  part.label = text;
  return true;
}

Result<Template::Part> ReadAction(std::string_view action) {
  Trim(action);
  Template::Part part;
  if (ReadOperand(action, false, part)) return part;
  constexpr std::string_view kContains = "contains";
  std::string_view rest = action;
  if (rest.starts_with(kContains)) {
    rest.remove_prefix(kContains.size());
    Trim(rest);
    if (!rest.empty() && IsQuote(rest.front())) {
      std::size_t at = 0;
      TL_TRY_ASSIGN(part.text, ReadLiteral(rest, at));
      rest.remove_prefix(at);
      Trim(rest);
      if (ReadOperand(rest, true, part)) return part;
    }
  }
  return InvalidArgument("unsupported by Throughline: template action {{ " + std::string(action) +
                         " }}" + std::string(kKnown));
}

}  // namespace

Result<Template> ParseTemplate(std::string_view text) {
  Template out;
  bool trim_next = false;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find("{{"), text.size());
    std::string_view plain = text.substr(0, open);
    text.remove_prefix(open);
    if (trim_next) plain.remove_prefix(std::min(plain.find_first_not_of(kBlank), plain.size()));
    if (text.starts_with("{{- ")) plain = plain.substr(0, plain.find_last_not_of(kBlank) + 1);
    if (!plain.empty()) {
      out.parts.push_back(
          {.kind = Template::Part::Kind::kText, .text = std::string(plain), .label = {}});
    }
    if (text.empty()) break;
    const std::size_t close = text.find("}}");
    if (close == std::string_view::npos) return InvalidArgument("template: unclosed action");
    std::string_view action = text.substr(2, close - 2);
    text.remove_prefix(close + 2);
    if (action.starts_with("- ")) action.remove_prefix(2);
    trim_next = action.ends_with(" -");
    if (trim_next) action.remove_suffix(2);
    TL_TRY_ASSIGN(Template::Part part, ReadAction(action));
    out.parts.push_back(std::move(part));
  }
  return out;
}

Result<LinePattern> ParseLinePattern(std::string_view text) {
  LinePattern pattern;
  std::string* literal = &pattern.before;
  bool named = false;
  while (!text.empty()) {
    const std::size_t close = text.front() == '<' ? text.find('>') : std::string_view::npos;
    const std::string_view name =
        close == std::string_view::npos ? std::string_view() : text.substr(1, close - 1);
    const bool digit_first = !name.empty() && name.front() >= '0' && name.front() <= '9';
    if (name.empty() || digit_first || !std::all_of(name.begin(), name.end(), IsNamePart)) {
      *literal += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (!pattern.holes.empty() && literal->empty()) {
      return InvalidArgument("pattern: found consecutive capture <" + std::string(name) + ">");
    }
    pattern.holes.push_back({.label = name == "_" ? "" : std::string(name), .after = {}});
    named = named || name != "_";
    literal = &pattern.holes.back().after;
    text.remove_prefix(close + 1);
  }
  if (!named) return InvalidArgument("pattern: at least one named capture is required");
  return pattern;
}

std::vector<std::pair<std::string_view, std::string_view>> TakeOut(const LinePattern& pattern,
                                                                   std::string_view line) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  if (!line.starts_with(pattern.before)) return out;
  line.remove_prefix(pattern.before.size());
  for (const LinePattern::Hole& hole : pattern.holes) {
    const std::size_t end = hole.after.empty() ? line.size() : line.find(hole.after);
    if (!hole.label.empty()) out.emplace_back(hole.label, line.substr(0, end));
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + hole.after.size());
  }
  return out;
}

}  // namespace throughline::api::query
