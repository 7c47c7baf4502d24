// The texts with holes of LogQL: templates of line_format and label_format, and patterns.
//
// Of Go's templates these actions are known: {{ .label }}, {{ __line__ }}, {{ contains "text"
// __line__ }} and {{ contains "text" .label }}, with or without the dashes that trim.
// A pattern is text with <name> for what is taken out and <_> for what is passed by.
// Source: grafana.com/docs/loki/latest/query/template_functions; .../log_queries, "Pattern".
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "correlate/result.h"

namespace throughline::api::query {

struct Template {
  struct Part {
    enum class Kind { kText, kLabel, kLine, kLineContains, kLabelContains };
    Kind kind = Kind::kText;
    std::string text;   // What stands there; what is looked for.
    std::string label;  // Whose value it is, or is looked into.
  };
  std::vector<Part> parts;
};

// The message of an error begins with "unsupported by Throughline" where Go might know the action.
Result<Template> ParseTemplate(std::string_view text);

struct LinePattern {
  std::string before;  // What the line begins with.
  struct Hole {
    std::string label;  // Empty: passed by.
    std::string after;  // What ends it; empty: the end of the line.
  };
  std::vector<Hole> holes;
};

Result<LinePattern> ParseLinePattern(std::string_view text);

// What stands in the holes that have labels, by the pattern; views of `line`. Empty where the line
// is not like it.
std::vector<std::pair<std::string_view, std::string_view>> TakeOut(const LinePattern& pattern,
                                                                   std::string_view line);

}  // namespace throughline::api::query
